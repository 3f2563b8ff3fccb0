"""System 3 of the quickstart, as somebody meets it: payments of several agents, flat, without a key in the sandbox."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from bursar.wire.quickstart import AgentJobAnswer
from tests.api.serving import BASE
from tests.journeys.stage import AGENT, Stage, refusal_of

RESERVE, PAID = "/agents/agent_001/reserve", "/agents/agent_001/mark-paid"


@pytest.fixture
async def anyone(sandbox_app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    """Somebody on this machine, without a key."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(sandbox_app), base_url=BASE) as client:
        yield client


def once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def wallet(client: httpx2.AsyncClient) -> str:
    return (await client.get("/accounts/wallet:USD/balance")).json()["balance"]


async def taken(client: httpx2.AsyncClient, key: str | None = None, **changes: Any) -> httpx2.Response:
    body = {"agent_id": "agent_001", "amount_cents": 2500, "currency": "usd", **changes}
    return await client.post("/payments/create", json=body, headers=once(key) if key else {})


async def test_a_payment_is_a_job_that_its_provider_was_called_for(anyone: httpx2.AsyncClient) -> None:
    answer = await taken(anyone)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made.keys() == {"job_id", "payment_id", "status"}
    assert (made["job_id"][:4], made["payment_id"][:4], made["status"]) == ("job_", "pay_", "succeeded")
    shown = (await anyone.get(f"/payments/{made['payment_id']}")).json()
    assert (shown["payment_provider_id"][:3], shown["amount"], shown["status"]) == ("pi_", "25.00", "succeeded")
    assert await wallet(anyone) == "10025.00"


async def test_a_payment_under_one_key_is_one_however_often_and_at_once(anyone: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*[taken(anyone, "k1") for _ in range(4)])
    again = await taken(anyone, "k1")
    assert {a.json().get("job_id") for a in [*answers, again] if a.status_code == 200} == {again.json()["job_id"]}
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await taken(anyone, "k1", amount_cents=1)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert await wallet(anyone) == "10025.00"


async def test_reserved_funds_are_held_and_marked_as_paid_once(anyone: httpx2.AsyncClient) -> None:
    reserved = await anyone.post(RESERVE, params={"amount_cents": 2500})
    assert (reserved.status_code, reserved.json()["status"]) == (200, "reserved"), reserved.text
    assert await wallet(anyone) == "9975.00"
    paid = await anyone.post(PAID)
    assert (paid.status_code, paid.json()) == (200, {"id": reserved.json()["id"], "status": "paid"})
    assert (await anyone.get("/accounts/paid:USD/balance")).json()["balance"] == "25.00"
    none = await anyone.post(PAID)
    assert (none.status_code, none.json()["code"]) == (404, "not_found"), none.text


async def test_two_that_mark_as_paid_at_once_pay_once(anyone: httpx2.AsyncClient) -> None:
    await anyone.post(RESERVE, params={"amount_cents": 2500})
    answers = await asyncio.gather(*[anyone.post(PAID) for _ in range(5)])
    assert sorted(a.status_code for a in answers) == [200, 404, 404, 404, 404]
    assert (await anyone.get("/accounts/paid:USD/balance")).json()["balance"] == "25.00"


async def test_one_key_reserves_once_and_pays_once(anyone: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await anyone.post(RESERVE, params={"amount_cents": 100}, headers=once("another"))
    answers = [await anyone.post(RESERVE, params={"amount_cents": 2500}, headers=once("r1")) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert await wallet(anyone) == "9974.00"
    other = await anyone.post(RESERVE, params={"amount_cents": 1}, headers=once("r1"))
    assert other.json()["code"] == "idempotency_conflict"
    paid = [await anyone.post(PAID, headers=once("p1")) for _ in range(2)]
    assert paid[0].content == paid[1].content
    assert (await anyone.get("/accounts/paid:USD/balance")).json()["balance"] == "1.00"


async def test_more_than_there_is_is_refused_and_leaves_no_job(anyone: httpx2.AsyncClient) -> None:
    refused = await anyone.post(RESERVE, params={"amount_cents": 99_999_999})
    assert (refused.status_code, refused.json()["code"]) == (400, "insufficient_funds")
    assert (await anyone.post(PAID)).status_code == 404


async def test_nobody_pays_what_was_reserved_for_another_agent(anyone: httpx2.AsyncClient) -> None:
    await anyone.post(RESERVE, params={"amount_cents": 2500})
    other = await anyone.post("/agents/agent_002/mark-paid")
    assert (other.status_code, other.json()["code"]) == (404, "not_found")
    assert (await anyone.post(PAID)).status_code == 200


async def test_elsewhere_a_key_is_needed_and_an_agent_is_only_itself(stage: Stage) -> None:
    async with stage.connect(None, []) as nobody:
        assert await refusal_of(nobody.reserve_funds(AGENT, amount_cents=5)) == (401, "unauthenticated")
    for call in (
        stage.agent.reserve_funds("agent_008", amount_cents=5),
        stage.agent.mark_paid("agent_008"),
        stage.agent.create_agent_payment(agent_id="agent_008", amount_cents=5, currency="USD"),
    ):
        assert await refusal_of(call) == (403, "mandate_missing")
    made = await stage.operator.create_agent_payment(agent_id=AGENT, amount_cents=2500, currency="USD")
    assert made.status == "succeeded"
    reserved = await stage.operator.reserve_funds(AGENT, amount_cents=1000)
    assert await stage.operator.mark_paid(AGENT) == AgentJobAnswer(id=reserved.id, status="paid")
