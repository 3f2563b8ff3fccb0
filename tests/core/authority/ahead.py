"""What becomes of batches that are decided ahead of their transaction, counted for tests."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bursar.kernel.db import Draft


@dataclass
class Ahead:
    """What became of the statements that wrote batches ahead of a transaction."""

    written: int = 0
    stale: int = 0
    drafts: list[Draft] = field(default_factory=list[Draft])
    came_to_nothing: asyncio.Event = field(default_factory=asyncio.Event)


async def until_waiting(connection: Any) -> None:
    """Until somebody waits for a lock of this connection's."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    while not await connection.fetchval(waiting):  # noqa: ASYNC110 -- another process's state has no event
        await asyncio.sleep(0.01)
