"""Money that lives upstream moves under the same mandate, limits, approvals and freezes, and on no other road."""

import asyncio
from typing import Any

import psycopg
import pytest

from bursar.features.payments.ports import OutcomeUnknown, Report
from bursar.features.payments.resolving import resolve_due
from bursar.kernel.ids import new_id
from bursar.worker import execute_approvals
from tests.api.tenants import AGENT, bearing
from tests.features.payments.branch import Branch
from tests.features.payments.counter import key


async def _agent(branch: Branch, **terms: Any) -> tuple[str, str]:
    """The name and key of a new agent with these terms."""
    name = f"agent-{key()}"
    await branch.as_operator("/v1/agents", {"name": name})
    whole = {"actions": ["create_transfer"], "rails": ["provider"], "counterparties": {"mode": "any"}, **terms}
    drafted = await branch.as_operator("/v1/mandates", {"name": name, "agent": name, "terms": whole})
    assert drafted.status_code == 201, drafted.text
    await branch.as_operator(f"/v1/mandates/{drafted.json()['id']}/activate")
    return name, (await branch.as_operator("/v1/keys", {"agent": name})).json()["key"]


async def test_limits_hold_what_was_made_stays_used_and_what_was_not_is_given_back(branch: Branch) -> None:
    window = {"period": "day", "currency": "USD", "max_amount": "110.00", "max_count": 3}
    name, agent = await _agent(branch, windows=[window])
    for amount, code in (
        ("60.00", None),
        ("50.00", "insufficient_funds"),
        ("40.00", None),
        ("10.01", "limit_exceeded"),
    ):
        answer = await branch.send(amount, who=agent, agent_id=name)
        assert answer.json().get("code") == code, answer.text
    assert [call.amount_minor for call in branch.upstream.calls] == [6000, 5000, 4000]


async def test_a_mandate_of_this_book_alone_covers_nothing_upstream(branch: Branch) -> None:
    name, agent = await _agent(branch, rails=["book"])
    answer = await branch.send(who=agent, agent_id=name)
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate_missing")
    assert not branch.upstream.calls


async def test_the_guard_against_duplicates_sees_it(branch: Branch) -> None:
    name, agent = await _agent(branch, duplicate_window_seconds=3600)
    assert (await branch.send("5.00", who=agent, agent_id=name)).status_code == 200
    again = await branch.send("5.00", who=agent, agent_id=name)
    assert (again.status_code, again.json()["code"]) == (409, "possible_duplicate")
    assert len(branch.upstream.calls) == 1


@pytest.mark.parametrize(("verb", "made"), [("approve", 1), ("reject", 0)])
async def test_what_people_must_approve_is_made_only_then(branch: Branch, verb: str, made: int) -> None:
    name, agent = await _agent(branch, per_transaction=[{"currency": "USD", "max": "100", "auto_max": "0"}])
    intent = key()
    waiting = await branch.send("30.00", intent, who=agent, agent_id=name)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "pending_approval")
    branch.counter.clock.pass_by(days=1)
    await resolve_due(branch.counter.shop)
    assert not branch.upstream.calls
    approval = f"/v1/approvals/{waiting.json()['approval_id']}"
    shown = await branch.counter.client.get(approval, headers=bearing(branch.counter.tenant.operator))
    body = {"payload_hash": shown.json()["payload_hash"]} if verb == "approve" else {"reason": "No."}
    assert (await branch.as_operator(f"{approval}/{verb}", body)).status_code == 200
    await execute_approvals(branch.counter.workers)
    await resolve_due(branch.counter.shop)
    assert len(branch.upstream.made) == made
    sums = [("-30.00", "0.00"), ("30.00", "0.00")] if made else [("0.00", "0.00")] * 2
    assert await branch.books() == sums


async def test_a_frozen_account_pays_nothing_more_and_what_was_on_its_way_lands(branch: Branch) -> None:
    async def lose(report: Report) -> Report:
        raise OutcomeUnknown(report.reference)

    branch.upstream.after = lose
    await branch.send("30.00")
    assert (await branch.as_operator("/v1/accounts/purse/freeze")).status_code == 200
    refused = await branch.send("1.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "account_frozen")
    branch.counter.clock.pass_by(minutes=2)
    await resolve_due(branch.counter.shop)
    assert await branch.books() == [("-30.00", "0.00"), ("30.00", "0.00")]


async def test_for_an_agent_that_is_stopped_nothing_is_sent_again(branch: Branch) -> None:
    """To ask is to do: what has no answer stays unknown until the agent goes on, and people look."""

    async def lose() -> None:
        raise OutcomeUnknown

    branch.upstream.before = lose
    await branch.send("30.00")
    stopped = {"scope": "agent", "object": AGENT, "reason": "It runs wild."}
    assert (await branch.as_operator("/v1/freezes", stopped)).status_code == 201
    for _ in range(4):
        branch.counter.clock.pass_by(minutes=61)
        await resolve_due(branch.counter.shop)
    assert len(branch.upstream.calls) == 1
    assert await branch.cases() == [("payment_unknown", "transfer")]


LOCAL = {"source": "purse", "target": "shop", "amount": "1.00", "currency": "USD"}


@pytest.mark.parametrize("mixed", [False, True])
async def test_no_other_road_moves_it_and_no_transfer_leads_from_here_to_there(branch: Branch, mixed: bool) -> None:
    side, operator = branch.counter.tenant.side, branch.counter.tenant.operator
    target = side if mixed else "shop"
    tried = [
        ("/v1/transfers", LOCAL | {"target": target}),
        ("/v1/transfers", LOCAL | {"source": target, "target": "purse"}),
        ("/transfers", {"from_account": "purse", "to_account": target, "amount": "1.00"}),
        ("/v1/holds", {"account": "purse", "target": target, "amount": "1.00", "currency": "USD"}),
        ("/v1/holds", {"account": side, "target": "purse", "amount": "1.00", "currency": "USD"}),
        ("/v1/payments", {"account": "purse", "amount": "1.00", "currency": "USD",
                          "payment_method": await branch.counter.method("sandbox_ok")}),
        ("/v1/payouts", {"account": "purse", "amount": "1.00", "currency": "USD"}),
    ]  # fmt: skip
    for path, body in tried:
        for who in (operator, branch.counter.tenant.agent):
            answer = await branch.counter.post(path, body, who=who)
            assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict"), (path, answer.text)
            assert "lives upstream" in answer.json()["detail"]
    for source, to in ((side, "shop"), ("purse", side)):
        answer = await branch.send("1.00", source_account=source, target_account=to)
        assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")
    assert not branch.upstream.calls
    assert await branch.books() == [("0.00", "0.00")] * 2


async def test_a_transfer_that_was_made_upstream_is_not_reversed_here(branch: Branch) -> None:
    made = (await branch.send()).json()["transfer"]["transfer_id"]
    answer = await branch.as_operator(f"/v1/transfers/{made}/reverse", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")


async def test_an_agent_acts_for_itself_only_upstream_too(branch: Branch) -> None:
    answer = await branch.send(agent_id="agent_008")
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate_missing")
    assert not branch.upstream.calls


async def test_only_a_fresh_account_that_is_known_there_is_marked_once_and_alone(branch: Branch) -> None:
    async def refused(number: str, there: str) -> tuple[int, str]:
        answer = await branch.as_operator(f"/v1/accounts/{number}/upstream", {"number": there})
        return answer.status_code, answer.json()["detail"]

    assert await refused("purse", "p-2") == (409, "purse lives upstream already, as p-1. No money moved.")
    main = branch.counter.tenant.number("main", "USD")
    assert await refused(main, "p-2") == (
        409, f"{main} has been used in this book. No money moved.")  # fmt: skip
    for number, more in (("new", {}), ("debit", {"normal_side": "debit"}), ("euro", {"currency": "EUR"})):
        body = {"number": number, "name": number, "currency": "USD", **more}
        assert (await branch.as_operator("/v1/accounts", body)).status_code == 201
    assert await refused("new", "p-1") == (409, "purse has that number upstream. No money moved.")
    assert (await refused("new", "nobody"))[0] == 404
    assert (await refused("debit", "p-2"))[0] == (await refused("euro", "p-2"))[0] == 409
    agent = await branch.counter.post("/v1/accounts/new/upstream", {"number": "p-2"})
    assert (agent.status_code, agent.json()["code"]) == (403, "scope_missing")


async def test_two_accounts_that_ask_for_one_number_at_once_are_one_too_many(branch: Branch) -> None:
    for number in ("one", "two"):
        await branch.as_operator("/v1/accounts", {"number": number, "name": number, "currency": "USD"})
    answers = await asyncio.gather(*(branch.as_operator(f"/v1/accounts/{number}/upstream", {"number": "p-9"})
                                     for number in ("one", "two")))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_mark_is_on_record(branch: Branch, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT body FROM bursar.event WHERE body LIKE '%account.lives_upstream%'").fetchall()
    assert len(rows) == 2
    assert all('"p-1"' in body or '"s-1"' in body for (body,) in rows)
    assert branch.upstream.calls == []


async def test_another_tenants_operator_has_no_upstream(branch: Branch) -> None:
    """The accounts there are one customer's."""
    providers = branch.counter.providers
    assert providers.upstream_of(branch.counter.tenant.id) is branch.upstream
    assert providers.upstream_of(new_id()) is None
