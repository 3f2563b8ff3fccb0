"""Transfers between accounts that live upstream: decided and held here, made there once, and booked here after."""

import asyncio
from typing import Any

import pytest

from bursar.features.payments.ports import Malformed, NotSent, OutcomeUnknown, ProviderRefused, Report
from bursar.features.payments.resolving import resolve_due
from tests.api.tenants import bearing
from tests.features.payments.branch import SIDES, Branch
from tests.features.payments.counter import key


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
    assert lost.headers["retry-after"] == "5"
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
