"""The two quickstart systems, as somebody meets them with curl: flat shapes, numbers or text, no key in the sandbox."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.types import ASGIApp

from bursar.client import Bursar
from tests.api.serving import BASE
from tests.journeys.stage import Stage, refusal_of

PROBLEM = {"type", "title", "status", "code", "detail", "money_moved", "retry", "next", "request_id"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
async def anyone(sandbox_app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    """Somebody on this machine, without a key."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(sandbox_app), base_url=BASE) as client:
        yield client


async def post(client: httpx2.AsyncClient, path: str, body: str, key: str | None = None) -> httpx2.Response:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return await client.post(path, content=body, headers=headers)


def agent_body(amount: str, source: str = "acct_001", target: str = "acct_002") -> str:
    return (
        f'{{"agent_id": "agent_001", "source_account": "{source}", "target_account": "{target}", "amount": {amount}}}'
    )


def retail_body(amount: str, source: str = "ACC10001", target: str = "ACC20002") -> str:
    return f'{{"from_account": "{source}", "to_account": "{target}", "amount": {amount}}}'


# The same job in either system: its path, its body, and the accounts that it moves money between.
SYSTEMS = {"/agent/transfer": agent_body, "/transfers": retail_body}
ACCOUNTS = {"/agent/transfer": ("acct_001", "acct_002"), "/transfers": ("ACC10001", "ACC20002")}
both = pytest.mark.parametrize("path", SYSTEMS)


async def balances(client: httpx2.AsyncClient, path: str) -> tuple[str, ...]:
    answers = [(await client.get(f"/accounts/{number}/balance")).json() for number in ACCOUNTS[path]]
    return tuple(answer["balance"] for answer in answers)


async def events(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/agent/agent_001/events")).json()["events"]


async def test_system_1_answers_a_transfer_in_its_shape(anyone: httpx2.AsyncClient) -> None:
    answer = await post(anyone, "/agent/transfer", agent_body("250.75"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["idempotency-key-used"] == "false"
    told = answer.json()
    transfer_id, created_at = told["transfer"].pop("transfer_id"), told["transfer"].pop("created_at")
    assert transfer_id.startswith("tr_")
    assert TIME.fullmatch(created_at)
    assert told == {
        "ok": True,
        "transfer": {
            "status": "posted", "source_account": "acct_001", "target_account": "acct_002",
            "amount": "250.75", "currency": "USD",
        },
    }  # fmt: skip
    assert await balances(anyone, "/agent/transfer") == ("9749.25", "2750.75")


async def test_system_1_stores_an_event_with_the_whole_payload(anyone: httpx2.AsyncClient) -> None:
    made = (await post(anyone, "/agent/transfer", agent_body("12.5"))).json()["transfer"]
    answer = await anyone.get("/agent/agent_001/events")
    assert answer.status_code == 200
    assert answer.json().keys() == {"agent_id", "events"}
    assert answer.json()["agent_id"] == "agent_001"
    (event,) = answer.json()["events"]
    assert event.keys() == {"id", "agent_id", "event_type", "payload", "created_at"}
    assert (event["agent_id"], event["event_type"]) == ("agent_001", "transfer_created")
    assert event["id"].startswith("evt_")
    payload = event["payload"]
    assert (payload["transfer_id"], payload["outcome"]) == (made["transfer_id"], "posted")
    assert (payload["amount"], payload["currency"]) == ("12.50", "USD")
    assert (payload["source"], payload["target"]) == ("acct_001", "acct_002")
    (posting,) = payload["postings"]
    assert (posting["amount"], posting["currency"]) == ("12.50", "USD")
    assert (posting["source_balance"], posting["target_balance"]) == ("9987.50", "2512.50")


async def test_system_1_lists_twenty_events_newest_first(anyone: httpx2.AsyncClient) -> None:
    for cents in range(1, 23):
        assert (await post(anyone, "/agent/transfer", agent_body(f'"0.{cents:02}"'))).status_code == 200
    assert [event["payload"]["amount"] for event in await events(anyone)] == [f"0.{c:02}" for c in range(22, 2, -1)]
    few = (await anyone.get("/agent/agent_001/events?limit=2")).json()["events"]
    assert [event["payload"]["amount"] for event in few] == ["0.22", "0.21"]


async def test_an_agent_that_did_nothing_has_no_events(anyone: httpx2.AsyncClient) -> None:
    answer = await anyone.get("/agent/agent_999/events")
    assert (answer.status_code, answer.json()) == (200, {"agent_id": "agent_999", "events": []})


async def test_an_agent_is_enrolled_when_it_first_acts(anyone: httpx2.AsyncClient) -> None:
    body = agent_body("1").replace("agent_001", "my-agent")
    assert (await post(anyone, "/agent/transfer", body)).status_code == 200
    (event,) = (await anyone.get("/agent/my-agent/events")).json()["events"]
    assert event["agent_id"] == "my-agent"


async def test_system_2_answers_a_balance_in_its_shape(anyone: httpx2.AsyncClient) -> None:
    answer = await anyone.get("/accounts/ACC10001/balance")
    assert answer.status_code == 200
    assert answer.json() == {"account_number": "ACC10001", "balance": "12500.00", "currency": "USD"}


async def test_system_2_answers_a_transfer_in_its_shape(anyone: httpx2.AsyncClient) -> None:
    answer = await post(anyone, "/transfers", retail_body("100"))
    assert answer.status_code == 200
    assert answer.headers["idempotency-key-used"] == "false"
    assert answer.json().keys() == {"status", "request_id"}
    assert answer.json()["status"] == "ok"
    transfer = UUID(answer.json()["request_id"])
    assert await balances(anyone, "/transfers") == ("12400.00", "5100.00")
    assert [event["payload"]["transfer_id"] for event in await events(anyone)] == [f"tr_{transfer.hex}"]


@both
@pytest.mark.parametrize(
    ("literal", "cents"),
    [("1", 100), ("1.0", 100), ('"1"', 100), ('"1.00"', 100), ("0.1", 10), ('"0.10"', 10), ("1e2", 10000),
     ("19.99", 1999), ("2.5E+1", 2500), ("0.01", 1), ("1.10e0", 110)],
)  # fmt: skip
async def test_an_amount_may_be_a_number_or_text(
    anyone: httpx2.AsyncClient, path: str, literal: str, cents: int
) -> None:
    before, _ = await balances(anyone, path)
    answer = await post(anyone, path, SYSTEMS[path](literal))
    assert answer.status_code == 200, answer.text
    after, _ = await balances(anyone, path)
    assert int(before.replace(".", "")) - int(after.replace(".", "")) == cents


@both
async def test_an_amount_never_passes_through_binary_floating_point(anyone: httpx2.AsyncClient, path: str) -> None:
    answer = await post(anyone, path, SYSTEMS[path]("9007199254740.99"))
    assert answer.status_code == 400
    assert "you asked 9007199254740.99 USD" in answer.json()["detail"]


@both
async def test_what_cannot_be_afforded_is_a_400_that_says_so(anyone: httpx2.AsyncClient, path: str) -> None:
    before = await balances(anyone, path)
    answer = await post(anyone, path, SYSTEMS[path]('"99999.00"'))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == PROBLEM
    assert (problem["status"], problem["code"], problem["money_moved"]) == (400, "insufficient_funds", "no")
    assert ACCOUNTS[path][0] in problem["detail"]
    assert await balances(anyone, path) == before


@both
@pytest.mark.parametrize("unknown", ["source", "target"])
async def test_an_unknown_account_is_a_404(anyone: httpx2.AsyncClient, path: str, unknown: str) -> None:
    answer = await post(anyone, path, SYSTEMS[path]("1", **{unknown: "NOBODY"}))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")
    assert answer.json().keys() == PROBLEM


async def test_the_balance_of_an_unknown_account_is_a_404(anyone: httpx2.AsyncClient) -> None:
    answer = await anyone.get("/accounts/NOBODY/balance")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")
    assert answer.json()["detail"]


@both
@pytest.mark.parametrize("literal", ["0", "-1", '"0.00"', '"1,000"', "true", "null", "0.001", '""', "[]", '"1e3"'])
async def test_what_is_no_amount_is_a_422(anyone: httpx2.AsyncClient, path: str, literal: str) -> None:
    before = await balances(anyone, path)
    answer = await post(anyone, path, SYSTEMS[path](literal))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    assert answer.json()["detail"]
    assert await balances(anyone, path) == before


@both
async def test_without_a_key_each_request_is_its_own(anyone: httpx2.AsyncClient, path: str) -> None:
    answers = [(await post(anyone, path, SYSTEMS[path]("1"))).json() for _ in range(2)]
    assert answers[0] != answers[1]
    assert len(await events(anyone)) == 2


@both
async def test_with_a_key_a_retry_gets_the_first_answer(anyone: httpx2.AsyncClient, path: str) -> None:
    first = await post(anyone, path, SYSTEMS[path]("1"), "once")
    again = await post(anyone, path, SYSTEMS[path]("1"), "once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotency-key-used" not in again.headers
    assert len(await events(anyone)) == 1
    other = await post(anyone, path, SYSTEMS[path]("2"), "once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")


@both
async def test_with_a_key_a_refusal_stays_a_refusal(anyone: httpx2.AsyncClient, path: str) -> None:
    first = await post(anyone, path, SYSTEMS[path]("99999"), "no")
    again = await post(anyone, path, SYSTEMS[path]("99999"), "no")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


@both
async def test_many_at_once_with_one_key_pay_once(anyone: httpx2.AsyncClient, path: str) -> None:
    before, _ = await balances(anyone, path)
    answers = await asyncio.gather(*(post(anyone, path, SYSTEMS[path]("1"), "once") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    after, _ = await balances(anyone, path)
    assert int(before.replace(".", "")) - int(after.replace(".", "")) == 100


async def test_outside_the_sandbox_nothing_is_told_or_moved_without_a_key(stage: Stage) -> None:
    async with stage.connect(None, []) as nobody:
        for call in (
            nobody.account_balance("wallet"),
            nobody.agent_events("agent_007"),
            nobody.retail_transfer(from_account="wallet", to_account="shop", amount="1.00"),
            nobody.agent_transfer(agent_id="agent_007", source_account="wallet", target_account="shop", amount="1.00"),
        ):
            assert await refusal_of(call) == (401, "unauthenticated")
    assert await stage.available() == "1000.00"


async def test_outside_the_sandbox_an_agent_acts_for_itself_only(stage: Stage) -> None:
    made = await stage.agent.agent_transfer(
        agent_id="agent_007", source_account="wallet", target_account="shop", amount="5.00"
    )
    assert (made.transfer.amount, made.transfer.currency) == ("5.00", "EUR")
    (event, *_) = (await stage.agent.agent_events("agent_007")).events
    assert event.payload["transfer_id"] == made.transfer.transfer_id
    call = stage.agent.agent_transfer(agent_id="agent_008", source_account="wallet", target_account="shop", amount="1")
    assert await refusal_of(call) == (403, "mandate_missing")


async def test_the_typed_client_knows_both_systems(sandbox_app: ASGIApp) -> None:
    async with Bursar(BASE, transport=httpx2.ASGITransport(sandbox_app)) as anyone:
        made = await anyone.agent_transfer(
            agent_id="agent_001", source_account="acct_001", target_account="acct_002", amount="1.00"
        )
        assert made.ok
        assert (await anyone.agent_events("agent_001", limit=1)).events[0].event_type == "transfer_created"
        answers = [
            await anyone.retail_transfer(
                from_account="ACC10001", to_account="ACC20002", amount="2.00", idempotency_key="k"
            )
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        assert (await anyone.account_balance("ACC10001")).balance == "12498.00"
        assert await refusal_of(anyone.account_balance("NOBODY")) == (404, "unknown_account")
        unable = anyone.retail_transfer(from_account="ACC10001", to_account="ACC20002", amount="99999.00")
        assert await refusal_of(unable) == (400, "insufficient_funds")
