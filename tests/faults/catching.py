"""A process of PostgreSQL is caught while the batch that it works at is open, and held still until it is killed."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bursar.kernel.db import connect

# A transaction of the service holds an advisory lock for each key, and one more.
_OPEN = """
    SELECT a.pid, a.xact_start, a.state, a.query FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
    WHERE a.application_name = 'bursar' AND a.xact_start IS NOT NULL AND l.locktype = 'advisory' AND l.granted
      AND ($2::bigint[] IS NULL OR ((l.classid::bigint << 32) | l.objid::bigint) = ANY($2))
    GROUP BY 1, 2, 3, 4 HAVING count(*) >= $1
"""
_SECONDS_TO_CATCH = 60
# Whom it holds may hold what the one who looks must have.
_SECONDS_TO_LOOK = 1.0


class Caught(NamedTuple):
    """A process that is stopped with a transaction open, and what it does, or did last."""

    pid: int
    state: str
    query: str


async def catch(url: str, least: int, locks: Sequence[int] | None = None) -> Caught:
    """Stop a process whose transaction holds so many advisory locks, of these if any are named.

    That it is still open is seen once it is stopped: then it cannot end any more. It is for the caller to kill.
    """
    watch = await connect(url)
    try:
        async with asyncio.timeout(_SECONDS_TO_CATCH):
            while True:
                for seen in await watch.fetch(_OPEN, least, locks):
                    if await _stopped(seen["pid"]) and (caught := await _still_open(watch, seen, least, locks)):
                        return caught
                    os.kill(seen["pid"], signal.SIGCONT)
    finally:
        watch.terminate()


async def _stopped(pid: int) -> bool:
    os.kill(pid, signal.SIGSTOP)
    while (state := _state(pid)) not in "TZ":  # noqa: ASYNC110 -- the kernel sets no event
        await asyncio.sleep(0)
    return state == "T"


async def _still_open(watch: Any, seen: Any, least: int, locks: Sequence[int] | None) -> Caught | None:
    looking = asyncio.ensure_future(watch.fetch(_OPEN, least, locks))
    await asyncio.wait([looking], timeout=_SECONDS_TO_LOOK)
    if not looking.done():
        os.kill(seen["pid"], signal.SIGCONT)
    found = [row for row in await looking if (row["pid"], row["xact_start"]) == (seen["pid"], seen["xact_start"])]
    return Caught(seen["pid"], found[0]["state"], " ".join(found[0]["query"].split())) if found else None


def _state(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
