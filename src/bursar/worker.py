"""The one table of all work that goes up, and who does it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from bursar.core.authority import service as authority
from bursar.core.ledger import reading
from bursar.kernel.db import Busy, CommitLost, Database, UpstreamUnavailable, retrying

_MOST_HOLDS_A_TURN = 1_000


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


# Each task and how often it looks for work, in seconds. A task may run twice at once: locks and states decide.
TASKS: tuple[tuple[Callable[[Database], Awaitable[None]], float], ...] = ((expire_holds, 1.0),)


async def work(database: Database) -> None:
    """Do every task in its rhythm until cancelled; `database` acts as bursar_worker."""
    async with asyncio.TaskGroup() as group:
        for task, seconds in TASKS:
            group.create_task(_repeat(database, task, seconds))


async def _repeat(database: Database, task: Callable[[Database], Awaitable[None]], seconds: float) -> None:
    while True:
        try:
            await task(database)
        except (Busy, CommitLost, UpstreamUnavailable) as error:
            structlog.get_logger().warning("task put off", task=task.__name__, reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 -- a bug in one task must not end it for good, nor the others
            structlog.get_logger().error("task failed", task=task.__name__, error=type(error).__name__)
        await asyncio.sleep(seconds)
