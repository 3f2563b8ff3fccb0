"""A call of mark-paid that dies after its claim: the same key goes on at once, nobody else pays the job meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from bursar.api.quickstart import agents
from tests.api.serving import BASE

RESERVE, PAID = "/agents/agent_001/reserve", "/agents/agent_001/mark-paid"


class Died(Exception):
    """The process is gone at this point."""


@pytest.fixture
async def anyone(sandbox_app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    """Somebody on this machine, without a key; a request that dies is answered by nobody."""
    transport = httpx2.ASGITransport(sandbox_app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def dead_after_its_claim(anyone: httpx2.AsyncClient, key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call whose claim has committed, and that comes no further."""

    async def die(*_: Any) -> Any:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(agents, "complete", die)
        assert (await anyone.post(PAID, headers={"Idempotency-Key": key} if key else {})).status_code == 500


async def paid(anyone: httpx2.AsyncClient) -> str:
    return (await anyone.get("/accounts/paid:USD/balance")).json()["balance"]


async def test_the_same_key_goes_on_with_its_claim_at_once_however_many_send_it(
    anyone: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = (await anyone.post(RESERVE, params={"amount_cents": 2500})).json()["id"]
    await dead_after_its_claim(anyone, "pay-7", monkeypatch)
    # Another call is no repetition: for it there is nothing to pay.
    assert (await anyone.post(PAID)).status_code == 404
    once = {"Idempotency-Key": "pay-7"}
    answers = await asyncio.gather(*[anyone.post(PAID, headers=once) for _ in range(4)])
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await anyone.post(PAID, headers=once)).json() == {"id": job, "status": "paid"}
    assert await paid(anyone) == "25.00"


async def test_a_call_without_a_key_takes_the_next_job_and_never_the_one_that_is_claimed(
    anyone: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = [(await anyone.post(RESERVE, params={"amount_cents": cents})).json()["id"] for cents in (2500, 100)]
    await dead_after_its_claim(anyone, None, monkeypatch)
    assert (await anyone.post(PAID)).json() == {"id": second, "status": "paid"}
    assert await paid(anyone) == "1.00"

    assert (await anyone.post(PAID)).status_code == 404
