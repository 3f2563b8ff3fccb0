"""Tests share one PostgreSQL: what looks at the oldest transaction of all must not see those of other tests."""

import asyncio

from bursar.kernel.db import Database


async def others_are_over(database: Database) -> None:
    """Return when every transaction in other databases that had begun by now has ended."""
    async with database.transaction(read_only=True) as tx:
        now = await tx.value(int, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295")
    while await _older(database, now):  # noqa: ASYNC110 -- PostgreSQL tells nobody when they end
        await asyncio.sleep(0.01)


async def _older(database: Database, now: int) -> int:
    async with database.transaction(read_only=True) as tx:
        return await tx.value(
            int,
            """SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
               WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
                 AND a.datname <> current_database() AND l.transactionid::text::bigint < $1""",
            now,
        )
