"""What waits for people ends with the change that would make its approval vain: at once, and all is given back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from bursar import worker
from bursar.core.authority import approvals, counterparties, mandates
from bursar.core.authority.counterparty_store import Entered
from bursar.core.identity import service as identity
from bursar.kernel.db import Database, Tx, connect, retrying
from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict
from tests.core.authority.mandates import cap_json
from tests.core.authority.offices import Office, run, until_waiting, usual_terms
from tests.people import allow

Change = Callable[[Tx, Office], Awaitable[Any]]


async def do(office: Office, change: Change) -> Any:
    """A change in a transaction of its own, as the door does it."""

    async def once() -> Any:
        async with office.database.transaction(office.story.tenant_id) as tx:
            return await change(tx, office)

    return await retrying(once)


async def change_terms(tx: Tx, office: Office) -> None:
    terms = usual_terms(per_transaction=[cap_json(max="500.00", auto_max="9.00")])
    await mandates.change(tx, await approvals.acting(tx, "ann"), office.mandate.id, terms)


async def revoke(tx: Tx, office: Office) -> None:
    await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)


async def enter_bob(tx: Tx, _: Office) -> Entered:
    return await counterparties.enter(tx, await approvals.acting(tx, "ann"), "bob", "Bob")


def blocking(known: Entered) -> Change:
    return lambda tx, _: counterparties.block(tx, known.id)


async def nothing_is_set_aside(office: Office) -> None:
    assert (await office.used(), await office.uses()) == (0, 0)
    await office.story.tell("""
        alice held 0.00 USD
        alice = 1000.00 USD
        bob = 0.00 USD
    """)


CHANGES: dict[str, tuple[Change, str]] = {
    "its mandate is changed": (change_terms, "was changed; its version is 3 now."),
    "its mandate is revoked": (revoke, "was revoked; its version is 3 now."),
    "its payee is entered": (enter_bob, "was entered for the payee."),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
async def test_what_waits_ends_with_the_change(office: Office, what: str) -> None:
    change, why = CHANGES[what]
    pending, approved, rejected = [await office.ask(minor) for minor in (5_000, 6_000, 7_000)]
    await office.approve(approved)
    await office.reject(rejected)
    await do(office, change)
    assert [await office.status(a) for a in (pending, approved, rejected)] == ["superseded", "superseded", "rejected"]
    for ended in (pending, approved):
        found = await office.approval(ended)
        assert found.ended_at
        assert found.ended_why
        assert found.ended_why.endswith(why)
        assert (await office.events(ended))[-1] == ("approval.superseded", "superseded")
    await nothing_is_set_aside(office)
    with pytest.raises(Conflict):
        await office.approve(pending, "ben")


async def test_a_payee_that_is_blocked_or_let_in_again_is_another(office: Office) -> None:
    bob = await do(office, enter_bob)
    before = await office.ask()
    await do(office, blocking(bob))
    assert await office.status(before) == "superseded"
    found = (await office.approval(before)).ended_why
    assert found == f"{show('cp', bob.id)} became blocked as a counterparty."
    await nothing_is_set_aside(office)
    ann = await do(office, lambda tx, _: approvals.acting(tx, "ann"))
    await do(office, lambda tx, _: counterparties.unblock(tx, ann, bob.id))
    again = await office.ask()
    assert await office.status(again) == "pending"


async def test_payments_to_others_and_under_other_mandates_wait_on(office: Office, workers: Database) -> None:
    await office.story.tell("carol has 0.00 USD")
    to_carol, to_bob = await office.ask(5_000, "alice", "carol"), await office.ask(6_000)
    await do(office, enter_bob)
    assert [await office.status(a) for a in (to_carol, to_bob)] == ["pending", "superseded"]
    async with office.database.transaction(office.story.tenant_id) as tx:
        other = await identity.create_principal(tx, "agent", "other")
        mandate = await allow(tx, other, usual_terms())
    await do(office, lambda tx, _: mandates.revoke(tx, office.mandate.granted_by, mandate.id))
    assert await office.status(to_carol) == "pending"
    await office.approve(to_carol)
    await worker.execute_approvals(workers)
    assert await office.status(to_carol) == "executed"


async def _narrowed(office: Office) -> UUID:
    """Put the clerk's mandate below another one; the id of that."""
    async with office.database.transaction(office.story.tenant_id) as tx:
        clerk = await identity.find_principal_named(tx, "clerk")
        assert clerk
        above = await mandates.draft(
            tx, office.mandate.granted_by, mandates.Draft("above", None, "all", None, None, None, usual_terms())
        )
        await mandates.activate(tx, office.mandate.granted_by, above.id)
        await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)
        office.mandate = await allow(tx, clerk, usual_terms(), above.id)
    return above.id


@pytest.mark.parametrize("how", ["changed", "revoked"])
async def test_what_waits_under_a_narrower_mandate_ends_too(office: Office, how: str) -> None:
    above = await _narrowed(office)
    waiting = await office.ask()
    assert await office.uses() == 2
    if how == "revoked":
        await do(office, lambda tx, _: mandates.revoke(tx, office.mandate.granted_by, above))
    else:
        ann = await do(office, lambda tx, _: approvals.acting(tx, "ann"))
        await do(office, lambda tx, _: mandates.change(tx, ann, above, usual_terms(velocity=None, purpose="Other")))
    assert await office.status(waiting) == "superseded"
    await nothing_is_set_aside(office)


async def test_a_mandate_and_the_one_above_it_are_locked_in_the_order_of_decisions(
    office: Office, database_url: str
) -> None:
    above = await _narrowed(office)
    assert above < office.mandate.id
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SET search_path = bursar")
    await blocker.execute("SELECT FROM mandate WHERE id = $1 FOR UPDATE", above)
    changing = asyncio.create_task(do(office, change_terms))
    await until_waiting(database_url)
    await blocker.execute("SELECT FROM mandate WHERE id = $1 FOR UPDATE NOWAIT", office.mandate.id)
    await blocker.close()
    await changing


RACES: dict[str, Change] = {"changed": change_terms, "revoked": revoke, "entered": enter_bob}


@pytest.mark.parametrize("how", sorted(RACES))
async def test_a_vote_and_a_change_at_once_leave_nothing_that_waits(
    office: Office, workers: Database, how: str
) -> None:
    waiting = [await office.ask(2_000 + number) for number in range(10)]
    votes = [office.approve(approval) for approval in waiting]
    found = await run(*votes[:5], do(office, RACES[how]), *votes[5:])
    assert all(each is None or isinstance(each, Conflict | Entered) for each in found)
    assert {await office.status(approval) for approval in waiting} == {"superseded"}
    await worker.execute_approvals(workers)
    await nothing_is_set_aside(office)


@pytest.mark.parametrize("how", sorted(RACES))
async def test_each_payment_is_made_before_the_change_or_ends_with_it(
    office: Office, workers: Database, how: str
) -> None:
    waiting = [await office.ask(2_000 + number) for number in range(10)]
    for approval in waiting:
        await office.approve(approval)
    await run(worker.execute_approvals(workers), do(office, RACES[how]), worker.execute_approvals(workers))
    states = [await office.status(approval) for approval in waiting]
    assert set(states) <= {"executed", "superseded"}
    paid = sum(2_000 + number for number, state in enumerate(states) if state == "executed")
    assert (await office.used(), await office.uses()) == (paid, states.count("executed"))
    await office.story.tell(f"bob = {paid / 100:.2f} USD")
    await office.story.tell("alice held 0.00 USD")


async def test_a_vote_that_is_being_cast_is_waited_for(office: Office, database_url: str) -> None:
    approval = await office.ask()
    bound = (await office.approval(approval)).payload_hash
    async with office.database.transaction(office.story.tenant_id) as tx:
        await approvals.approve(tx, await approvals.acting(tx, "ann"), approval, bound, None)
        await tx.flush()
        changing = asyncio.create_task(do(office, change_terms))
        await until_waiting(database_url)
    await changing
    assert await office.status(approval) == "superseded"
    await nothing_is_set_aside(office)


async def test_no_payment_asked_for_at_once_with_a_block_waits_after_it(office: Office) -> None:
    bob = await do(office, enter_bob)
    for _ in range(5):
        asks = [office.submit("create_transfer", office.order(2_000)) for _ in range(8)]
        *told, blocked = await run(*asks[:4], *asks[4:], do(office, blocking(bob)))
        assert blocked.status == "blocked"
        states = [await office.status(UUID(body)) for status, body in told if status == 202]
        assert set(states) <= {"superseded"}
        assert {body for status, body in told if status != 202} <= {"counterparty_not_allowed"}
        assert (await office.used(), await office.uses()) == (0, 0)
        ann = await do(office, lambda tx, _: approvals.acting(tx, "ann"))
        await do(office, lambda tx, _, ann=ann: counterparties.unblock(tx, ann, bob.id))
    await nothing_is_set_aside(office)


async def test_a_payment_asked_for_while_its_payee_is_waited_for_ends_too(office: Office, database_url: str) -> None:
    """The block has looked for what waits, and stands in line for the account behind the one who asks."""
    bob = await do(office, enter_bob)
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'bob' FOR UPDATE")
    asking = asyncio.create_task(office.ask())
    await until_waiting(database_url)
    blocking_bob = asyncio.create_task(do(office, blocking(bob)))
    both = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    watcher = await connect(database_url)
    while await watcher.fetchval(both) < 2:
        pass
    await watcher.close()
    await blocker.close()
    await blocking_bob
    assert await office.status(await asking) == "superseded"
    await nothing_is_set_aside(office)
