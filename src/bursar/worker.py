"""The one table of all work that goes up, and who does it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

import structlog

from bursar.core.authority import approval_store, approvals, executing
from bursar.core.authority import service as authority
from bursar.core.idempotency import keeping as answers
from bursar.core.ledger import reading
from bursar.features.collections import mailing, opening, promise_store, promising
from bursar.features.collections import store as collection_store
from bursar.features.jobs import going_on, trail_store
from bursar.features.lending import application_store, ending, loan_store, moving, night_store, nightly
from bursar.features.notifications import following, keeping
from bursar.features.notifications import store as notification_store
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import try_parked
from bursar.features.payments.resolving import resolve_due
from bursar.features.payments.sandbox_running import run_sandbox
from bursar.kernel.db import Busy, CommitLost, Database, Tx, UpstreamUnavailable, retrying

# What is done, and how often it looks for work, in seconds.
Task: TypeAlias = Callable[[Database], Awaitable[None]]
Tasks: TypeAlias = tuple[tuple[Task, float], ...]

_MOST_HOLDS_A_TURN = 1_000
_MOST_APPROVALS_A_TURN = 100
_MOST_JOBS_A_TURN = 100
_MOST_APPLICATIONS_A_TURN = 100
_MOST_LOANS_A_TURN = 100
_MOST_CHUNKS_A_TURN = 20
# A night's transaction takes about a second, and repayments of the same product wait for its end.
_MOST_NIGHTS_AT_ONCE = 2_000


async def expire_holds(database: Database) -> None:
    """Write down that holds are over. Balances count them so from their moment on; this makes the record say it."""
    async with database.transaction(read_only=True) as tx:
        due = await reading.list_due_holds(tx, _MOST_HOLDS_A_TURN)
    by_tenant: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for tenant_id, hold_id in due:
        by_tenant[tenant_id].append(hold_id)
    for tenant_id, hold_ids in by_tenant.items():
        await retrying(lambda tenant_id=tenant_id, hold_ids=hold_ids: _expire(database, tenant_id, hold_ids))


async def _expire(database: Database, tenant_id: UUID, hold_ids: list[UUID]) -> None:
    async with database.transaction(tenant_id) as tx:
        await authority.expire_holds(tx, hold_ids)


async def expire_approvals(database: Database) -> None:
    """End the approvals that nobody decided in time, and give back what they set aside."""
    async with database.transaction(read_only=True) as tx:
        due = await approval_store.list_due(tx, _MOST_APPROVALS_A_TURN)
    await _each(database, due, approvals.expire)


async def execute_approvals(database: Database) -> None:
    """Carry out what was approved. The approval is its own task: its row says whether it is done."""
    async with database.transaction(read_only=True) as tx:
        waiting = await approval_store.list_to_execute(tx, _MOST_APPROVALS_A_TURN)
    await _each(database, waiting, executing.execute)


async def time_out_jobs(database: Database) -> None:
    """Free the steps whose lease is over, and give up jobs whose step took too long."""
    async with database.transaction(read_only=True) as tx:
        due = await trail_store.list_overdue(tx, _MOST_JOBS_A_TURN)
    await _each(database, due, going_on.time_out)


async def settle_jobs(database: Database) -> None:
    """Go on with jobs whose step waited for a person who has decided."""
    async with database.transaction(read_only=True) as tx:
        decided = await trail_store.list_awaiting(tx, _MOST_JOBS_A_TURN)
    await _each(database, decided, going_on.settle)


async def compensate_jobs(database: Database) -> None:
    """Undo what failed or was cancelled, a step a transaction; the job's row says what is done."""
    async with database.transaction(read_only=True) as tx:
        found = await trail_store.list_compensating(tx, _MOST_JOBS_A_TURN)
    await _each(database, found, going_on.compensate)


async def settle_applications(database: Database) -> None:
    """Go on with applications for loans that waited for a person who has decided."""
    async with database.transaction(read_only=True) as tx:
        decided = await application_store.list_awaiting(tx, _MOST_APPLICATIONS_A_TURN)
    await _each(database, decided, ending.settle)


async def expire_applications(database: Database) -> None:
    """Write down that the time of applications is over. They are refused from that moment on; this makes it a state."""
    async with database.transaction(read_only=True) as tx:
        due = await application_store.list_due(tx, _MOST_APPLICATIONS_A_TURN)
    await _each(database, due, ending.expire)


async def settle_loans(database: Database) -> None:
    """Go on with loans that waited for a person who has decided."""
    async with database.transaction(read_only=True) as tx:
        decided = await loan_store.list_awaiting(tx, _MOST_LOANS_A_TURN)
    await _each(database, decided, moving.settle)


async def pass_nights(database: Database) -> None:
    """Bring loans whose day has passed to today; those that another scheduler has are left to it."""
    async with database.transaction(read_only=True) as tx:
        tenants = await night_store.list_behind(tx)
    for tenant_id in tenants:
        while await retrying(lambda tenant_id=tenant_id: _pass_nights(database, tenant_id)):
            pass


async def _pass_nights(database: Database, tenant_id: UUID) -> int:
    async with database.transaction(tenant_id) as tx:
        return await nightly.pass_nights(tx, await loan_store.today(tx), _MOST_NIGHTS_AT_ONCE)


async def follow_late_loans(database: Database) -> None:
    """Open a collection for each loan that has come to be late, and end those with nothing to collect."""
    for _ in range(_MOST_CHUNKS_A_TURN):
        async with database.transaction(read_only=True) as tx:
            found = await collection_store.list_to_follow(tx, _MOST_LOANS_A_TURN)
        await _each(database, found, opening.follow)
        if len(found) < _MOST_LOANS_A_TURN:
            break


async def decide_promises(database: Database) -> None:
    """Decide the promises whose day is over by what came of them."""
    async with database.transaction(read_only=True) as tx:
        due = await promise_store.list_due(tx, _MOST_LOANS_A_TURN)
    await _each(database, due, promising.decide)


async def follow_events(database: Database) -> None:
    """Make the webhook deliveries of what has happened; a tenant with much of it gives way to the others."""
    async with database.transaction(read_only=True) as tx:
        tenants = await notification_store.list_to_follow(tx)
    for tenant_id in tenants:
        for _ in range(_MOST_CHUNKS_A_TURN):
            if not await retrying(lambda tenant_id=tenant_id: _follow(database, tenant_id)):
                break


async def _follow(database: Database, tenant_id: UUID) -> int:
    async with database.transaction(tenant_id) as tx:
        return await following.follow(tx)


async def _each(
    database: Database, found: Sequence[tuple[UUID, UUID]], verb: Callable[[Tx, UUID], Awaitable[bool]]
) -> None:
    """A transaction for each; one that fails keeps no other waiting, and is told of at the end."""
    failure: Exception | None = None
    for tenant_id, approval_id in found:
        try:
            await retrying(lambda tenant_id=tenant_id, one=approval_id: _one(database, tenant_id, one, verb))
        except Exception as error:  # noqa: BLE001 -- raised again when the others have had their turn
            failure = error
    if failure:
        raise failure


async def _one(
    database: Database, tenant_id: UUID, approval_id: UUID, verb: Callable[[Tx, UUID], Awaitable[bool]]
) -> None:
    async with database.transaction(tenant_id) as tx:
        await verb(tx, approval_id)


def payment_tasks(shop: Shop) -> Tasks:
    """The tasks of payments, for a shop whose database acts as bursar_worker."""
    return (
        # Ask what became of calls without an answer, and send what people have approved.
        (lambda _: resolve_due(shop), 0.25),
        # Try again what providers told us before its time.
        (lambda _: try_parked(shop), 1.0),
        (lambda _: run_sandbox(shop), 0.25),
    )


def notification_tasks(days: int) -> Tasks:
    """The tasks of webhooks that need to know how many days deliveries are kept."""

    async def forget_deliveries(database: Database) -> None:
        await keeping.forget_old(database, days)

    return ((forget_deliveries, 60.0),)


def answer_tasks(days: int | None) -> Tasks:
    """The task of answers that needs to know how many days they are kept; none where they are kept for ever."""
    if days is None:
        return ()

    async def forget_answers(database: Database) -> None:
        await answers.forget_old(database, days)

    return ((forget_answers, 60.0),)


def mail_tasks(send: mailing.Send) -> Tasks:
    """The tasks of mails, for a port that sends them."""

    async def send_mails(database: Database) -> None:
        await mailing.send_due(database, send)

    return ((send_mails, 1.0),)


# Each task and how often it looks for work, in seconds. A task may run twice at once: locks and states decide.
TASKS: Tasks = (
    (expire_holds, 1.0),
    (expire_approvals, 1.0),
    # Whoever approved waits for it.
    (execute_approvals, 0.25),
    (time_out_jobs, 0.5),
    (settle_jobs, 0.5),
    (compensate_jobs, 0.5),
    (settle_applications, 0.5),
    (expire_applications, 1.0),
    (settle_loans, 0.5),
    (pass_nights, 10.0),
    (follow_late_loans, 5.0),
    (decide_promises, 10.0),
    (follow_events, 0.25),
)


async def work(database: Database, more: Tasks = ()) -> None:
    """Do every task in its rhythm until cancelled, and `more` beside, which need what whoever starts the worker makes.

    `database` acts as bursar_worker.
    """
    async with asyncio.TaskGroup() as group:
        for task, seconds in (*TASKS, *more):
            group.create_task(_repeat(database, task, seconds))


async def _repeat(database: Database, task: Task, seconds: float) -> None:
    while True:
        try:
            await task(database)
        except (Busy, CommitLost, UpstreamUnavailable) as error:
            structlog.get_logger().warning("task put off", task=task.__name__, reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 -- a bug in one task must not end it for good, nor the others
            structlog.get_logger().error("task failed", task=task.__name__, error=type(error).__name__)
        await asyncio.sleep(seconds)
