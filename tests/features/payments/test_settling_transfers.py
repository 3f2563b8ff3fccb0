"""People settle a transfer upstream of which nobody knows: it is asked again, then they say what they found out."""

import asyncio
from typing import Any

import httpx2
import pytest

from bursar.features.payments.ports import NotSent, OutcomeUnknown, Report
from bursar.features.payments.resolving import resolve_due
from tests.api.tenants import AGENT, bearing
from tests.features.payments.branch import Branch
from tests.features.payments.counter import key

HELD, MADE, NOTHING = (
    [("0.00", "30.00"), ("0.00", "0.00")], [("-30.00", "0.00"), ("30.00", "0.00")], [("0.00", "0.00")] * 2,
)  # fmt: skip


async def lost(branch: Branch, intent: str, *, done: bool = True) -> str:
    """A transfer whose answer was lost, after it was made there or before."""

    async def lose(*_: Any) -> Any:
        raise OutcomeUnknown

    if done:
        branch.upstream.after = lose
    else:
        branch.upstream.before = lose
    assert (await branch.send("30.00", intent)).json()["code"] == "outcome_unknown"
    return f"tr_{branch.upstream.calls[-1].key}"


def silence(branch: Branch) -> None:
    """From now on no call is answered, and none takes effect."""

    async def silent(order: Any) -> Report:
        branch.upstream.calls.append(order)
        raise OutcomeUnknown

    branch.upstream.transfer = silent


async def settle(branch: Branch, transfer: str, decision: str, same: str | None = None) -> httpx2.Response:
    body = {"decision": decision, "reason": "Their statement says so."}
    who = branch.counter.tenant.operator
    return await branch.counter.post(f"/v1/transfers/{transfer}/settle", body, same or key(), who)


async def cases_of(branch: Branch) -> list[tuple[str, str]]:
    answer = await branch.counter.client.get("/v1/cases", headers=bearing(branch.counter.tenant.operator))
    return [(case["kind"], case["state"]) for case in answer.json()["items"]]


@pytest.mark.parametrize("done", [True, False])
async def test_it_is_asked_again_by_the_same_call_and_settled_by_what_is_said(branch: Branch, done: bool) -> None:
    intent, same = key(), key()
    transfer = await lost(branch, intent, done=done)
    branch.counter.clock.pass_by(seconds=31)
    answer = await settle(branch, transfer, "ask_again", same)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["id"]) == ("succeeded", transfer)
    assert await branch.books() == MADE
    assert len(branch.upstream.made) == 1
    again = await settle(branch, transfer, "ask_again", same)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    assert (await branch.send("30.00", intent)).status_code == 200


async def test_while_nobody_answers_it_stays_unknown_and_the_same_key_asks_again(branch: Branch) -> None:
    intent, same = key(), key()
    transfer = await lost(branch, intent)
    answering = branch.upstream.transfer
    silence(branch)
    branch.counter.clock.pass_by(seconds=31)
    answer = await settle(branch, transfer, "ask_again", same)
    assert (answer.status_code, answer.json()["code"], answer.json()["money_moved"]) == (
        503, "outcome_unknown", "unknown",
    )  # fmt: skip
    assert answer.headers["retry-after"] == "5"
    assert await branch.books() == HELD
    branch.upstream.transfer = answering
    branch.counter.clock.pass_by(seconds=31)
    assert (await settle(branch, transfer, "ask_again", same)).json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("decision", "status", "books", "told"),
    [("made", "succeeded", MADE, 200), ("not_made", "failed", NOTHING, 409)],
)
async def test_once_asking_was_in_vain_people_say_what_is_so_and_nothing_is_sent(
    branch: Branch, decision: str, status: str, books: Any, told: int
) -> None:
    intent = key()
    transfer = await lost(branch, intent, done=decision == "made")
    silence(branch)
    for _ in range(5):
        branch.counter.clock.pass_by(days=1)
        await resolve_due(branch.counter.shop)
    assert await cases_of(branch) == [("payment_unknown", "open")]
    branch.counter.clock.pass_by(minutes=1)
    calls = len(branch.upstream.calls)
    answer = await settle(branch, transfer, decision)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == status
    assert await branch.books() == books
    assert await cases_of(branch) == [("payment_unknown", "resolved")]
    case = (await branch.counter.get("/v1/cases"))["items"][0]["id"]
    notes = (await branch.counter.get(f"/v1/cases/{case}/notes"))["items"]
    assert notes[-1]["text"] == "Their statement says so."
    # What the agent hears of it, and that nobody asks any more.
    agent = await branch.send("30.00", intent)
    assert (agent.status_code, agent.json().get("money_moved", "yes")) == (told, "yes" if told == 200 else "no")
    branch.counter.clock.pass_by(days=2)
    await resolve_due(branch.counter.shop)
    assert len(branch.upstream.calls) == calls
    assert (await settle(branch, transfer, "made")).status_code == 409


async def test_nobody_declares_before_it_was_asked_again_or_while_it_is(branch: Branch) -> None:
    transfer = await lost(branch, key())
    silence(branch)
    branch.counter.clock.pass_by(seconds=31)
    refused = await settle(branch, transfer, "not_made")
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "ask_again" in refused.json()["detail"]
    asking, answered = asyncio.Event(), asyncio.Event()

    async def slow(order: Any) -> Report:
        asking.set()
        await answered.wait()
        raise NotSent(order.key)

    branch.upstream.transfer = slow
    asked = asyncio.create_task(settle(branch, transfer, "ask_again"))
    await asking.wait()
    meanwhile = await settle(branch, transfer, "not_made")
    assert (meanwhile.status_code, "at this moment" in meanwhile.json()["detail"]) == (409, True)
    answered.set()
    assert (await asked).status_code == 503
    assert (await settle(branch, transfer, "not_made")).status_code == 200
    assert await branch.books() == NOTHING


async def test_what_was_answered_wrongly_is_asked_again_and_then_declared(branch: Branch) -> None:
    async def lie(report: Report) -> Report:
        return report._replace(amount_minor=2999)

    branch.upstream.after = lie
    assert (await branch.send("30.00")).json()["code"] == "outcome_unknown"
    transfer = f"tr_{branch.upstream.calls[-1].key}"
    branch.upstream.after = lie
    answer = await settle(branch, transfer, "ask_again")
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert "something else" in answer.json()["detail"]
    assert await branch.books() == HELD
    assert (await settle(branch, transfer, "made")).status_code == 200
    assert await branch.books() == MADE
    assert await cases_of(branch) == [("payment_mismatch", "resolved")]


async def test_for_an_agent_that_is_stopped_nothing_is_sent_and_people_may_still_say(branch: Branch) -> None:
    transfer = await lost(branch, key(), done=False)
    frozen = await branch.as_operator("/v1/freezes", {"scope": "agent", "object": AGENT, "reason": "Stop."})
    assert frozen.status_code == 201, frozen.text
    branch.counter.clock.pass_by(seconds=31)
    calls = len(branch.upstream.calls)
    assert (await settle(branch, transfer, "ask_again")).status_code == 503
    assert len(branch.upstream.calls) == calls
    assert (await settle(branch, transfer, "not_made")).status_code == 200
    held = await branch.counter.client.get("/v1/accounts/purse", headers=bearing(branch.counter.tenant.operator))
    assert (held.json()["posted"], held.json()["held"]) == ("0.00", "0.00")


async def test_a_key_that_means_another_transfer_has_nothing_asked(branch: Branch) -> None:
    one, same = await lost(branch, key()), key()
    branch.counter.clock.pass_by(seconds=31)
    assert (await settle(branch, one, "ask_again", same)).status_code == 200
    other = await lost(branch, key())
    branch.counter.clock.pass_by(seconds=31)
    calls = len(branch.upstream.calls)
    refused = await settle(branch, other, "ask_again", same)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_conflict")
    assert len(branch.upstream.calls) == calls


async def test_of_two_who_declare_at_once_one_does_and_no_agent_may(branch: Branch) -> None:
    transfer = await lost(branch, key())
    silence(branch)
    branch.counter.clock.pass_by(seconds=31)
    await settle(branch, transfer, "ask_again")
    body = {"decision": "made", "reason": "I am sure."}
    refused = await branch.counter.post(f"/v1/transfers/{transfer}/settle", body, key())
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    answers = await asyncio.gather(settle(branch, transfer, "made"), settle(branch, transfer, "not_made"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await branch.books() in (MADE, NOTHING)
    for name in (f"tr_{key()}", "tr_nonsense"):
        assert (await settle(branch, name, "made")).status_code == 404
