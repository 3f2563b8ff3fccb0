"""Whoever comes first, an approval comes to one end: paid once, or nothing paid and all given back."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from bursar import worker
from bursar.core.authority import approvals, counterparties, executing, mandates
from bursar.core.authority.approvals import (
    ApprovalExpired,
)
from bursar.kernel.db import Database, UpstreamUnavailable, connect
from bursar.kernel.refusal import Conflict
from tests.core.authority.mandates import approval_json, over_json
from tests.core.authority.offices import Office, make_due, run, until_waiting, usual_terms
from tests.stories import Story

ENDED = ["rejected", "expired", "cancelled", "superseded"]


async def test_of_two_who_approve_at_once_both_count_and_no_more(office: Office, workers: Database) -> None:
    for _ in range(10):
        approval = await office.ask(100 * 20)
        found = await run(office.approve(approval, "ann"), office.approve(approval, "ben"))
        assert sorted(type(each).__name__ for each in found) == ["ApprovalStateConflict", "NoneType"]
        await worker.execute_approvals(workers)
        assert await office.status(approval) == "executed"
    await office.story.tell("bob = 200.00 USD")


async def test_a_quorum_of_two_who_vote_at_once_is_seen(story: Story, workers: Database) -> None:
    rule = approval_json(over_json("0.00"), quorum=2)
    office = await Office.open(story, usual_terms(approvals=[rule]))
    for _ in range(10):
        approval = await office.ask(2_000)
        assert await run(office.approve(approval, "ann"), office.approve(approval, "ben")) == [None, None]
        assert await office.status(approval) == "approved"
    await worker.execute_approvals(workers)
    await story.tell("bob = 200.00 USD")


async def test_one_operator_who_votes_twice_at_once_votes_once(story: Story) -> None:
    office = await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), quorum=2)]))
    for _ in range(10):
        approval = await office.ask(1_000)
        found = await run(office.approve(approval, "ann"), office.approve(approval, "ann"))
        assert sorted(type(each).__name__ for each in found) == ["ApprovalStateConflict", "NoneType"]
        assert await office.status(approval) == "pending"


async def test_a_yes_and_a_no_at_once_come_to_one_of_them(office: Office, workers: Database) -> None:
    paid = 0
    for _ in range(15):
        approval = await office.ask(2_000)
        yes, no = await run(office.approve(approval, "ann"), office.reject(approval, "ben"))
        assert (yes is None) is not (no is None)
        assert isinstance(no if yes is None else yes, Conflict)
        await run(worker.execute_approvals(workers), worker.execute_approvals(workers))
        assert await office.status(approval) == ("executed" if yes is None else "rejected")
        paid += 2_000 if yes is None else 0
        assert await office.used() == paid
    await office.story.tell(f"bob = {paid / 100:.2f} USD")
    await office.story.tell("alice held 0.00 USD")


async def test_a_yes_at_the_very_end_of_its_time_counts_or_does_not(
    office: Office, workers: Database, database_url: str
) -> None:
    paid = 0
    for number in range(15):
        approval = await office.ask(2_000)
        make_due(database_url, approval, number / 1000)
        (said, *_) = await run(office.approve(approval), *(_until_ended(office, workers, approval) for _ in range(2)))
        assert said is None or isinstance(said, ApprovalExpired)
        assert await office.status(approval) == ("executed" if said is None else "expired")
        paid += 2_000 if said is None else 0
        assert await office.used() == paid
    await office.story.tell(f"bob = {paid / 100:.2f} USD")


async def _until_ended(office: Office, workers: Database, approval: UUID) -> None:
    while await office.status(approval) not in ("executed", *ENDED):
        await worker.expire_approvals(workers)
        await worker.execute_approvals(workers)


async def test_a_mandate_revoked_meanwhile_lets_nothing_go_afterwards(
    office: Office, workers: Database, database_url: str
) -> None:
    """Nothing is recorded as paid later than the revocation, and what was not paid is given back."""
    waiting = [await office.ask(2_000) for _ in range(20)]
    works = [office.approve(approval) for approval in waiting]
    await run(*works, _revoke_after(office, waiting), *(_keep_executing(office, workers, waiting) for _ in range(2)))
    states = [await office.status(approval) for approval in waiting]
    assert set(states) <= {"executed", "superseded"}
    paid = 2_000 * states.count("executed")
    assert await office.used() == paid
    await office.story.tell(f"bob = {paid / 100:.2f} USD")
    await office.story.tell("alice held 0.00 USD")
    with psycopg.connect(database_url) as connection:
        late = connection.execute(
            "SELECT count(*) FROM bursar.entry e, bursar.mandate m WHERE m.name = 'of clerk'"
            " AND e.recorded_at > m.changed_at"
        ).fetchone()
    assert late == (0,)


async def test_a_revocation_that_is_under_way_is_waited_for_and_then_supersedes(
    office: Office, workers: Database, database_url: str
) -> None:
    approval = await office.ask()
    await office.approve(approval)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)
        await tx.flush()
        working = asyncio.create_task(worker.execute_approvals(workers))
        await until_waiting(database_url)
    await working
    assert await office.status(approval) == "superseded"
    await office.story.tell("bob = 0.00 USD")


async def test_a_payee_is_entered_before_a_payment_or_after_it_and_not_meanwhile(
    office: Office, workers: Database, database_url: str
) -> None:
    approval = await office.ask()
    await office.approve(approval)
    async with workers.transaction(office.story.tenant_id) as tx:
        assert await executing.execute(tx, approval)
        await tx.flush()
        entering = asyncio.create_task(_enter_bob(office))
        await until_waiting(database_url)
    await entering
    assert await office.status(approval) == "executed"


async def _enter_bob(office: Office) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        await counterparties.enter(tx, await approvals.acting(tx, "ann"), "bob", "Bob")


async def _revoke_after(office: Office, waiting: list[UUID]) -> None:
    while not any([await office.status(approval) == "executed" for approval in waiting]):
        pass
    await office.revoke()


async def _keep_executing(office: Office, workers: Database, waiting: list[UUID]) -> None:
    while not all([await office.status(approval) in ("executed", *ENDED) for approval in waiting]):
        await worker.execute_approvals(workers)


async def test_two_workers_never_pay_one_twice(office: Office, workers: Database, database_url: str) -> None:
    waiting = [await office.ask(2_000) for _ in range(20)]
    for approval in waiting:
        await office.approve(approval)
    other = await Database.open(database_url, role="bursar_worker", connections=4)
    crowd = [worker.execute_approvals(database) for database in (workers, other) for _ in range(3)]
    await run(*crowd)
    await other.close()
    assert {await office.status(approval) for approval in waiting} == {"executed"}
    await office.story.tell("bob = 400.00 USD")


async def test_a_worker_that_ends_half_way_leaves_it_to_the_next(office: Office, workers: Database) -> None:
    approval = await office.ask()
    await office.approve(approval)
    with pytest.raises(ZeroDivisionError):
        await _execute_half_way(office, workers, approval)
    assert await office.status(approval) == "approved"
    await office.story.tell("alice held 50.00 USD")
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    await office.story.tell("bob = 50.00 USD")


async def _execute_half_way(office: Office, workers: Database, approval: UUID) -> None:
    async with workers.transaction(office.story.tenant_id) as tx:
        assert await executing.execute(tx, approval)
        await tx.flush()
        raise ZeroDivisionError


@pytest.mark.parametrize("how", ["cancelled", "killed"])
async def test_a_worker_stopped_at_its_locks_leaves_it_to_the_next(
    office: Office, workers: Database, database_url: str, how: str
) -> None:
    approval = await office.ask()
    await office.approve(approval)
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'alice' FOR UPDATE")
    working = asyncio.create_task(worker.execute_approvals(workers))
    pid = await until_waiting(database_url)
    if how == "cancelled":
        working.cancel()
    else:
        await blocker.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises((asyncio.CancelledError, UpstreamUnavailable)):
        await working
    await blocker.close()
    assert await office.status(approval) == "approved"
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    await office.story.tell("bob = 50.00 USD")
