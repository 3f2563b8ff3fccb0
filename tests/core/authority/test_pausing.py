"""While an agent's own mandate is paused nothing it asks for commits under a wider one, on whatever road."""

import asyncio
from collections.abc import Callable

import pytest

from bursar import worker
from bursar.core.authority import mandate_store, mandates
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.record import results_of
from bursar.core.authority.replaying import replay
from bursar.core.ledger.orders import Claims, Move, SendMoney
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.core.authority.ahead import Ahead
from tests.core.authority.freezing import wait_for
from tests.core.authority.offices import Office, usual_terms

REFUSED = (409, "mandate_revoked")


@pytest.fixture
async def wide(office: Office) -> Mandate:
    """Every agent may."""
    draft = mandates.Draft("everybody", None, None, None, None, None, usual_terms())
    async with office.database.transaction(office.story.tenant_id) as tx:
        made = await mandates.draft(tx, office.mandate.granted_by, draft)
        return await mandates.activate(tx, office.mandate.granted_by, made.id)


def paying(minor: int, mandate: Mandate | None) -> Callable[[], SendMoney]:
    """A transfer that names this mandate."""
    claims = Claims(mandate_id=mandate and mandate.id)
    return lambda: SendMoney(new_id(), new_id(), (Move("alice", "bob", Money(minor, "USD")),), claims=claims)


async def pay(office: Office, mandate: Mandate | None = None) -> tuple[int, str]:
    return await office.submit("create_transfer", paying(1, mandate))


async def pause(office: Office, tx: Tx) -> None:
    await mandates.pause(tx, office.mandate.granted_by, office.mandate.id)


@pytest.mark.parametrize("is_named", [False, True], ids=["closest", "named"])
async def test_it_holds_on_what_is_remembered_and_while_it_is_paused(
    office: Office, wide: Mandate, ahead: Ahead, database_url: str, *, is_named: bool
) -> None:
    named = wide if is_named else None
    assert [(await pay(office, named))[0] for _ in range(3)] == [201] * 3
    assert ahead.written
    async with office.database.transaction(office.story.tenant_id) as tx:
        await pause(office, tx)
        # As it is when it commits: everything is locked, and nothing is seen.
        await tx.run("SET CONSTRAINTS ALL IMMEDIATE")
        meanwhile = asyncio.create_task(pay(office, named))
        await wait_for(database_url, 1)
    assert await meanwhile == await pay(office, named) == REFUSED
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.resume(tx, office.mandate.granted_by, office.mandate.id)
    assert (await pay(office, named))[0] == 201


async def test_its_refusals_are_decisions_that_are_made_again_as_they_were(office: Office, wide: Mandate) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        await pause(office, tx)
    for named in (None, office.mandate, wide):
        assert await pay(office, named) == REFUSED
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        past = await mandate_store.list_decisions(tx, office.clerk_id)
        paused = await mandate_store.find_mandate(tx, office.mandate.id)
    assert paused
    assert len(past) == 3
    for kept in past:
        again = replay(kept, {(paused.id, paused.version): paused})
        assert (again.outcome, results_of(again)) == (kept.outcome, kept.results) == ("deny", kept.results)


async def test_what_people_approved_under_the_wider_one_is_not_carried_out(
    office: Office, wide: Mandate, workers: Database
) -> None:
    early, late = [await office.ask_for("create_transfer", paying(5_000, wide)) for _ in range(2)]
    await office.approve(early)
    await worker.execute_approvals(workers)
    await office.approve(late)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await pause(office, tx)
    await worker.execute_approvals(workers)
    assert [await office.status(each) for each in (early, late)] == ["executed", "superseded"]
    assert await office.used() == 5_000
    await office.story.tell("""
        bob = 50.00 USD
        alice held 0.00 USD
    """)


async def test_carrying_out_what_was_approved_waits_for_a_pause_that_is_under_way(
    office: Office, wide: Mandate, workers: Database, database_url: str
) -> None:
    approval = await office.ask_for("create_transfer", paying(5_000, wide))
    await office.approve(approval)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await pause(office, tx)
        await tx.flush()
        working = asyncio.create_task(worker.execute_approvals(workers))
        await wait_for(database_url, 1)
    await working
    assert await office.status(approval) == "superseded"
    await office.story.tell("bob = 0.00 USD")
