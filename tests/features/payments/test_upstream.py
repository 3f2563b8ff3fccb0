"""Transfers between accounts that live upstream: decided and held here, made there once, and booked here after."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from bursar.features.payments.connecting import with_upstream
from bursar.features.payments.ports import Malformed, NotSent, OutcomeUnknown, ProviderRefused, Report
from bursar.features.payments.resolving import resolve_due
from tests.api.serving import client_of, served
from tests.api.tenants import AGENT, bearing
from tests.features.payments.counter import Counter, key
from tests.upstreams import Upstream

SIDES = ("purse", "shop")


@dataclass
class Branch:
    """The counter's service with an upstream, and two accounts there: 100.00 in `p-1`, nothing in `s-1`."""

    counter: Counter
    upstream: Upstream

    async def send(self, amount: str = "30.00", intent: str | None = None, **more: Any) -> httpx2.Response:
        body = {"agent_id": AGENT, "source_account": "purse", "target_account": "shop", "amount": amount} | more
        headers = bearing(self.counter.tenant.agent, intent or key())
        return await self.counter.client.post("/agent/transfer", json=body, headers=headers)

    async def books(self) -> list[tuple[str, str]]:
        """What is posted and held of both accounts."""
        found = [await self.counter.get(f"/v1/accounts/{number}") for number in SIDES]
        return [(account["posted"], account["held"]) for account in found]

    async def available(self, number: str = "purse") -> str:
        return (await self.counter.get(f"/accounts/{number}/balance"))["balance"]

    async def happened(self) -> list[str]:
        """The agent's events, oldest first."""
        return [event["event_type"] for event in reversed((await self.counter.get(f"/agent/{AGENT}/events"))["events"])]

    async def cases(self) -> list[tuple[str, str]]:
        found = await self.counter.client.get("/v1/cases", headers=bearing(self.counter.tenant.operator))
        return [(case["kind"], case["subject"]["kind"]) for case in found.json()["items"]]

    async def as_operator(self, path: str, body: Any = None) -> httpx2.Response:
        return await self.counter.post(path, body, who=self.counter.tenant.operator)

    async def mark(self, number: str, there: str) -> httpx2.Response:
        await self.as_operator("/v1/accounts", {"number": number, "name": number, "currency": "USD"})
        return await self.as_operator(f"/v1/accounts/{number}/upstream", {"number": there})


@pytest.fixture
async def branch(counter: Counter) -> AsyncGenerator[Branch]:
    upstream = Upstream(balances={"p-1": 10_000})
    providers = with_upstream(counter.providers, upstream, counter.tenant.id)
    async with served(counter.database, providers=providers) as app, client_of(app) as client:
        branch = Branch(replace(counter, client=client, providers=providers), upstream)
        for number, there in zip(SIDES, ("p-1", "s-1"), strict=True):
            assert (await branch.mark(number, there)).status_code == 200
        yield branch


async def test_a_transfer_is_made_there_and_booked_here(branch: Branch) -> None:
    intent = key()
    answer = await branch.send("30.00", intent)
    assert answer.status_code == 200, answer.text
    made = answer.json()["transfer"]
    assert (made["amount"], made["currency"], made["status"]) == ("30.00", "USD", "posted")
    assert (made["source_account"], made["target_account"]) == SIDES
    (call,) = branch.upstream.calls
    assert (call.source, call.target, call.amount_minor, call.key) == ("p-1", "s-1", 3000, made["transfer_id"][3:])
    assert await branch.books() == [("-30.00", "0.00"), ("30.00", "0.00")]
    assert (await branch.available(), await branch.available("shop")) == ("70.00", "30.00")
    assert await branch.happened() == ["hold_placed", "hold_released", "transfer_created"]
    shown = await branch.counter.get(f"/v1/transfers/{made['transfer_id']}")
    assert (shown["source"], shown["target"], shown["amount"]) == (*SIDES, "30.00")
    again = await branch.send("30.00", intent)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    assert len(branch.upstream.calls) == 1


async def test_the_balance_is_what_it_has_there(branch: Branch) -> None:
    found = await branch.counter.get("/v1/accounts/purse/balance")
    assert (found["available"], found["posted"]) == ("100.00", "0.00")
    assert (await branch.counter.get("/v1/accounts/purse"))["upstream"] == "p-1"

    async def silent(number: str) -> Any:
        raise OutcomeUnknown(number)

    branch.upstream.balance = silent
    for path in ("/accounts/purse/balance", "/v1/accounts/purse/balance"):
        answer = await branch.counter.client.get(path, headers=bearing(branch.counter.tenant.agent))
        assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")


async def test_what_cannot_be_afforded_there_is_refused_here_and_given_back(branch: Branch) -> None:
    intent = key()
    answer = await branch.send("100.01", intent)
    assert (answer.status_code, answer.json()["code"]) == (400, "insufficient_funds")
    assert answer.json()["money_moved"] == "no"
    assert await branch.books() == [("0.00", "0.00")] * 2
    assert (await branch.send("100.01", intent)).content == answer.content
    assert len(branch.upstream.calls) == 1


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [("unknown_account", 404, "unknown_account"), ("account_frozen", 409, "state_conflict")],
)
async def test_another_refusal_there_is_one_here(branch: Branch, code: str, status: int, told: str) -> None:
    async def refuse() -> None:
        raise ProviderRefused(code)

    branch.upstream.before = refuse
    answer = await branch.send()
    assert (answer.status_code, answer.json()["code"], answer.json()["money_moved"]) == (status, told, "no")
    assert await branch.books() == [("0.00", "0.00")] * 2


@pytest.mark.parametrize("failure", [OutcomeUnknown(), Malformed(), NotSent(), RuntimeError()])
@pytest.mark.parametrize("done", [True, False])
async def test_without_an_answer_nobody_knows_until_the_same_call_is_made_again(
    branch: Branch, failure: Exception, done: bool
) -> None:
    async def fail(*_: Any) -> Any:
        raise failure

    if done:
        branch.upstream.after = fail
    else:
        branch.upstream.before = fail
    intent = key()
    lost = await branch.send("30.00", intent)
    assert (lost.status_code, lost.json()["code"], lost.json()["money_moved"]) == (503, "outcome_unknown", "unknown")
    assert await branch.books() == [("0.00", "30.00"), ("0.00", "0.00")]
    branch.counter.clock.pass_by(seconds=61)
    await resolve_due(branch.counter.shop)
    assert await branch.books() == [("-30.00", "0.00"), ("30.00", "0.00")]
    assert (await branch.available(), len(branch.upstream.made)) == ("70.00", 1)
    assert {call.key for call in branch.upstream.calls} == branch.upstream.made.keys()
    told = await branch.send("30.00", intent)
    assert told.status_code == 200
    assert (await branch.send("30.00", intent)).content == told.content


async def test_the_same_key_asks_at_once_and_many_at_once_move_it_once(branch: Branch) -> None:
    async def lose(report: Report) -> Report:
        raise OutcomeUnknown

    branch.upstream.after = lose
    intent = key()
    assert (await branch.send("30.00", intent)).status_code == 503
    answers = await asyncio.gather(*(branch.send("30.00", intent) for _ in range(8)))
    assert 200 in {answer.status_code for answer in answers} <= {200, 503, 409}
    assert (await branch.send("30.00", intent)).status_code == 200
    assert (await branch.send("31.00", intent)).json()["code"] == "idempotency_conflict"
    assert (await branch.available(), len(branch.upstream.made)) == ("70.00", 1)


async def test_people_look_when_asking_does_not_help(branch: Branch) -> None:
    asked = list[int]()

    async def silent(order: Any) -> Report:
        asked.append(round((branch.counter.clock.now - start).total_seconds() / 60))
        raise NotSent(order.key)

    start = branch.counter.clock.now
    branch.upstream.transfer = silent
    await branch.send()
    for _ in range(96):
        branch.counter.clock.pass_by(minutes=1)
        await resolve_due(branch.counter.shop)
    assert asked == [0, 1, 6, 36, 96]
    assert await branch.cases() == [("payment_unknown", "transfer")]
    branch.counter.clock.pass_by(days=1)
    await resolve_due(branch.counter.shop)
    assert len(asked) == 6
    assert await branch.books() == [("0.00", "30.00"), ("0.00", "0.00")]


@pytest.mark.parametrize("wrong", [{"amount_minor": 2999}, {"currency": "EUR"}, {"key": "another"}])
async def test_what_was_not_asked_is_not_booked(branch: Branch, wrong: dict[str, Any]) -> None:
    async def lie(report: Report) -> Report:
        return report._replace(**wrong)

    branch.upstream.after = lie
    intent = key()
    assert (await branch.send("30.00", intent)).json()["code"] == "outcome_unknown"
    assert await branch.cases() == [("payment_mismatch", "transfer")]
    branch.counter.clock.pass_by(days=2)
    await resolve_due(branch.counter.shop)
    assert (await branch.send("30.00", intent)).json()["code"] == "outcome_unknown"
    assert await branch.books() == [("0.00", "30.00"), ("0.00", "0.00")]


async def test_another_id_for_the_same_call_is_a_second_transfer_there_and_people_look(branch: Branch) -> None:
    async def lose(report: Report) -> Report:
        raise OutcomeUnknown(report.reference)

    branch.upstream.after = lose
    intent = key()
    await branch.send("30.00", intent)
    await branch.send("30.00", intent)
    assert await branch.cases() == []
