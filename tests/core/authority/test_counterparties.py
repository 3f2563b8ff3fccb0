"""Counterparties: entered by people, known by their accounts, and blocked in one order with the payments to them."""

import asyncio
from uuid import UUID

import pytest

from bursar.core.authority import counterparties
from bursar.core.authority.counterparty_store import Entered
from bursar.core.authority.switches import OperatorNeeded
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, PrincipalKind
from bursar.core.ledger.outcomes import StateConflict, UnknownAccount
from bursar.kernel.db import connect
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Refusal, UnknownObject
from tests.asking import transfer
from tests.core.authority.mandates import counterparties_json, terms_json
from tests.core.authority.offices import Office
from tests.core.authority.test_switches import wait_for
from tests.stories import Story


@pytest.fixture
async def office(story: Story) -> Office:
    """The clerk pays known counterparties only, and anything at once."""
    known = counterparties_json(mode="any_known", allow=[], cool_off_seconds=0)
    return await Office.open(story, terms_json(counterparties=known, actions=["create_transfer"]))


@pytest.fixture
async def ann(office: Office) -> Actor:
    """An operator."""
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await identity.find_principal_named(tx, "ann")
    assert found
    return actor_of(office, found.id)


def actor_of(office: Office, principal_id: UUID, kind: PrincipalKind = "operator") -> Actor:
    return Actor(office.story.tenant_id, principal_id, kind, "ann", None, frozenset())


async def enter(office: Office, actor: Actor, account: str = "bob") -> Entered:
    async with office.database.transaction(office.story.tenant_id) as tx:
        return await counterparties.enter(tx, actor, account, f"The {account}")


async def pay(office: Office) -> str:
    reply = await office.story.desk.submit(transfer(office.clerk, "alice", "bob"))
    assert not isinstance(reply, Refusal)
    return "done" if reply.status == 201 else reply.body.decode()


async def test_an_agent_pays_whom_an_operator_entered_until_they_are_blocked(office: Office, ann: Actor) -> None:
    assert await pay(office) == "unknown_counterparty"
    bob = await enter(office, ann)
    assert (bob.account, bob.name, bob.status, bob.version) == ("bob", "The bob", "active", 1)
    assert await pay(office) == "done"
    async with office.database.transaction(office.story.tenant_id) as tx:
        blocked = await counterparties.block(tx, bob.id)
    assert blocked == bob._replace(status="blocked", version=2)
    assert await pay(office) == "counterparty_not_allowed"
    async with office.database.transaction(office.story.tenant_id) as tx:
        assert (await counterparties.unblock(tx, ann, bob.id)).version == 3
        assert await counterparties.find(tx, bob.id) == bob._replace(version=3)
    assert await pay(office) == "done"


async def test_an_account_has_one_counterparty(office: Office, ann: Actor) -> None:
    found = await asyncio.gather(*(enter(office, ann) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["Entered"] + ["StateConflict"] * 4
    with pytest.raises(StateConflict, match="bob is a known counterparty already"):
        await enter(office, ann)
    with pytest.raises(UnknownAccount):
        await enter(office, ann, "nobody")


@pytest.mark.parametrize("kind", ["agent", "service"])
async def test_only_an_operator_enters_and_unblocks(office: Office, ann: Actor, kind: PrincipalKind) -> None:
    bob = await enter(office, ann)
    other = actor_of(office, office.clerk_id, kind)
    with pytest.raises(OperatorNeeded):
        await enter(office, other, "alice")
    async with office.database.transaction(office.story.tenant_id) as tx:
        await counterparties.block(tx, bob.id)
        with pytest.raises(OperatorNeeded):
            await counterparties.unblock(tx, other, bob.id)
        assert (await counterparties.find(tx, bob.id)).status == "blocked"


async def test_a_change_to_what_it_is_already_and_of_what_is_not_there_are_refused(office: Office, ann: Actor) -> None:
    bob = await enter(office, ann)
    async with office.database.transaction(office.story.tenant_id) as tx:
        with pytest.raises(StateConflict, match="is active already"):
            await counterparties.unblock(tx, ann, bob.id)
        for unknown in (None, new_id()):
            with pytest.raises(UnknownObject):
                await counterparties.block(tx, unknown)
            with pytest.raises(UnknownObject):
                await counterparties.find(tx, unknown)


async def test_a_payment_in_flight_and_a_block_have_one_order(office: Office, ann: Actor, database_url: str) -> None:
    """A payment that has locked the payee's account goes first; the block waits, and whoever comes later is refused."""
    bob = await enter(office, ann)
    # With a hold on it, an account is only looked at under its lock.
    await office.story.tell("alice holds 1.00 USD as h1")
    # The decision is made and waits to write what it used of the mandate.
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; LOCK TABLE bursar.posting IN EXCLUSIVE MODE")
    begun = asyncio.create_task(pay(office))
    await wait_for(database_url, 1)

    async def block() -> None:
        async with office.database.transaction(office.story.tenant_id) as tx:
            await counterparties.block(tx, bob.id)

    blocking = asyncio.create_task(block())
    await wait_for(database_url, 2)
    assert not blocking.done()
    await blocker.close()
    assert await begun == "done"
    await blocking
    assert await pay(office) == "counterparty_not_allowed"
