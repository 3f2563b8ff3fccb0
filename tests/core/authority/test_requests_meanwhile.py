"""What changes while a request for other terms waits, or at the same moment: it comes to one end."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from bursar import worker
from bursar.core.authority import approvals, executing, mandates, switches
from bursar.core.authority.mandates import Draft
from bursar.core.authority.switches import By
from bursar.kernel.db import Database, Tx
from bursar.kernel.refusal import Conflict, InvalidArgument
from tests.core.authority.changing import HIGHER, ask, mandate_of
from tests.core.authority.mandates import cap_json
from tests.core.authority.offices import Office, change, run, until_waiting, usual_terms


async def another_version(tx: Tx, office: Office) -> None:
    terms = usual_terms(per_transaction=[cap_json(max="400.00", auto_max="4.00")])
    await mandates.change(tx, await approvals.acting(tx, "cyd"), office.mandate.id, terms)


async def revoked(tx: Tx, office: Office) -> None:
    await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("how", [another_version, revoked])
async def test_another_version_in_between_supersedes_it(office: Office, approved: bool, how: Any) -> None:
    approval = await ask(office)
    if approved:
        await office.approve(approval)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await how(tx, office)
    assert await office.status(approval) == "superseded"
    assert (await office.events(approval))[-1] == ("approval.superseded", "superseded")


async def test_a_draft_that_is_activated_is_another_version(office: Office) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        drafted = await mandates.draft(
            tx, office.mandate.granted_by, Draft("new", office.clerk_id, None, None, None, None, usual_terms())
        )
    approval = await ask(office, drafted.id)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.activate(tx, office.mandate.granted_by, drafted.id)
    assert await office.status(approval) == "superseded"


BEHIND = {
    "another version": sql.SQL(
        "WITH m AS (UPDATE mandate SET version = version + 1 WHERE name = 'of clerk' RETURNING *)"
        " INSERT INTO mandate_version SELECT tenant_id, id, version, status, not_before, expires_at, terms, granted_by,"
        " changed_at FROM m"
    ),
    "a revoked mandate": sql.SQL(
        "WITH m AS (UPDATE mandate SET status = 'revoked' WHERE name = 'of clerk' RETURNING id)"
        " UPDATE mandate_version v SET status = 'revoked' FROM m WHERE v.mandate_id = m.id"
    ),
    "a suspended maker": sql.SQL("UPDATE principal SET status = 'suspended' WHERE name = 'clerk'"),
    "a suspended approver": sql.SQL("UPDATE principal SET status = 'suspended' WHERE name = 'ann'"),
    "another payload": sql.SQL("UPDATE approval SET payload = replace(payload, '900.00', '999.00')"),
}


@pytest.mark.parametrize("what", sorted(BEHIND))
async def test_all_is_asked_again_when_it_is_carried_out(
    office: Office, workers: Database, database_url: str, what: str
) -> None:
    approval = await ask(office)
    await office.approve(approval)
    change(database_url, BEHIND[what])
    await worker.execute_approvals(workers)
    if what == "another payload":
        change(database_url, sql.SQL("UPDATE approval SET payload = replace(payload, '999.00', '900.00')"))
    assert await office.status(approval) == "superseded"
    assert (await mandate_of(office)).text == office.mandate.text


async def test_terms_that_the_mandate_above_has_ceased_to_allow_supersede_it(office: Office, workers: Database) -> None:
    wide = usual_terms(per_transaction=HIGHER)
    async with office.database.transaction(office.story.tenant_id) as tx:
        above = await mandates.draft(tx, office.mandate.granted_by, Draft("above", None, "t", None, None, None, wide))
        below = await mandates.draft(
            tx, office.mandate.granted_by, Draft("below", None, "t", above.id, None, None, usual_terms())
        )
    with pytest.raises(InvalidArgument, match="parent"):
        await ask(office, below.id, per_transaction=[cap_json(max="901.00", auto_max="90.00")])
    approval = await ask(office, below.id)
    await office.approve(approval)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.change(tx, await approvals.acting(tx, "ben"), above.id, usual_terms())
    assert await office.status(approval) == "approved"
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "superseded"
    assert "parent" in str((await office.approval(approval)).ended_why)


async def test_a_request_that_is_approved_meanwhile_is_not_replaced(office: Office, database_url: str) -> None:
    first = await ask(office)
    bound = (await office.approval(first)).payload_hash
    async with office.database.transaction(office.story.tenant_id) as tx:
        await approvals.approve(tx, await approvals.acting(tx, "ann"), first, bound, None)
        await tx.flush()
        asking = asyncio.create_task(ask(office, velocity={"max_count": 2, "seconds": 60}))
        await until_waiting(database_url)
    second = await asking
    assert [await office.status(each) for each in (first, second)] == ["approved", "pending"]


@pytest.mark.parametrize("scope", ["agent", "mandate", "tenant"])
async def test_a_freeze_ends_it(office: Office, scope: Any) -> None:
    pending = await ask(office)
    ref = {"agent": "clerk", "mandate": f"mnd_{office.mandate.id.hex}", "tenant": ""}[scope]
    async with office.database.transaction(office.story.tenant_id) as tx:
        by = By(await approvals.acting(tx, "ann"), "test", "create_freeze")
        stopped = await switches.freeze(tx, by, scope, ref, "Stop.")
    assert list(stopped.approvals) == [pending]
    assert await office.status(pending) == "cancelled"


async def test_a_freeze_of_an_account_leaves_it(office: Office) -> None:
    pending = await ask(office)
    async with office.database.transaction(office.story.tenant_id) as tx:
        by = By(await approvals.acting(tx, "ann"), "test", "create_freeze")
        await switches.freeze(tx, by, "account", "alice", "Stop.")
    assert await office.status(pending) == "pending"


async def test_a_vote_and_another_change_at_once_come_to_one_of_them(office: Office, workers: Database) -> None:
    version = 2
    for number in range(8):
        approval = await ask(office, per_transaction=[cap_json(max=f"{600 + number}.00", auto_max="60.00")])
        voted, _ = await run(office.approve(approval), _change_again(office, number))
        assert voted is None or isinstance(voted, Conflict)
        await run(worker.execute_approvals(workers), worker.execute_approvals(workers))
        assert await office.status(approval) == "superseded"
        version += 1
        assert (await mandate_of(office)).version == version


async def _change_again(office: Office, number: int) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        terms = usual_terms(velocity={"max_count": 1_000 + number, "seconds": 60})
        await mandates.change(tx, await approvals.acting(tx, "cyd"), office.mandate.id, terms)


async def test_it_is_carried_out_before_another_change_or_not_at_all(office: Office, workers: Database) -> None:
    for number in range(8):
        approval = await ask(office, per_transaction=[cap_json(max=f"{600 + number}.00", auto_max="60.00")])
        before = (await mandate_of(office)).version
        await office.approve(approval)
        works = [worker.execute_approvals(workers), _change_again(office, number), worker.execute_approvals(workers)]
        await run(*works)
        executed = await office.status(approval) == "executed"
        assert executed or await office.status(approval) == "superseded"
        assert (await mandate_of(office)).version == before + (2 if executed else 1)


async def test_a_change_that_is_under_way_is_waited_for_and_then_supersedes(
    office: Office, workers: Database, database_url: str
) -> None:
    approval = await ask(office)
    await office.approve(approval)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await another_version(tx, office)
        await tx.flush()
        working = asyncio.create_task(worker.execute_approvals(workers))
        await until_waiting(database_url)
    await working
    assert await office.status(approval) == "superseded"
    assert (await mandate_of(office)).version == 3


async def test_a_worker_that_ends_half_way_leaves_it_to_the_next(office: Office, workers: Database) -> None:
    approval = await ask(office)
    await office.approve(approval)
    with pytest.raises(ZeroDivisionError):
        await _execute_half_way(office, workers, approval)
    assert (await mandate_of(office)).version == 2
    await worker.execute_approvals(workers)
    assert ((await mandate_of(office)).version, await office.status(approval)) == (3, "executed")


async def _execute_half_way(office: Office, workers: Database, approval: UUID) -> None:
    async with workers.transaction(office.story.tenant_id) as tx:
        assert await executing.execute(tx, approval)
        await tx.flush()
        raise ZeroDivisionError
