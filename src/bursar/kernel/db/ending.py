"""How a transaction begins and ends: in one round trip, and never half because somebody went away."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from bursar.kernel.db.draft import Stale
from bursar.kernel.db.failures import LOST, REFUSES_WORK, CommitLost, UpstreamUnavailable

Result = TypeVar("Result")


def begin_text(tenant_id: UUID | None, read_only: bool, locks: Sequence[int], its_own: str = "") -> str:
    """One round trip that opens the transaction; only values of our own making (a UUID, integers) are written in.

    `its_own` are the settings of `settings_text`, where a transaction cannot rely on those of its session.
    """
    parts = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "BEGIN"]
    if its_own:
        # What the session defaults to is not known either.
        parts = [parts[0] if read_only else "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", its_own]
    if tenant_id:
        parts.append(f"SELECT set_config('app.tenant_id', '{tenant_id}', true)")
    if locks:
        array = ",".join(str(int(lock)) for lock in locks)
        parts.append(f"SELECT pg_advisory_xact_lock(k) FROM unnest('{{{array}}}'::bigint[]) k")  # noqa: S608 -- integers
    return "; ".join(parts)


def settings_text(settings: Mapping[str, str]) -> str:
    """A statement that makes these settings, and no tenant, those of its transaction; values of our own making only."""
    local = {**settings, "app.tenant_id": ""}
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in local.items())


async def commit(connection: Any, token: int) -> None:
    """Commit, or raise `CommitLost` when no answer came; `token` is 0 where there was nothing to commit."""
    try:
        status = await connection.execute("COMMIT")
    except asyncpg.IntegrityConstraintViolationError:
        raise  # A deferred constraint: the server has rolled back.
    except (asyncpg.PostgresError, *LOST, TimeoutError) as error:
        _drop(connection)
        raise (CommitLost(token) if token else UpstreamUnavailable()) from error
    assert status == "COMMIT", "an error inside the transaction was swallowed"


async def at_once(connection: Any, token: int, sql: str, args: Sequence[object]) -> datetime:
    """Begin, do and commit with one statement; `Stale` where the server says that it did nothing.

    What a server says when it goes, or when something breaks in it, may come after its commit.
    """
    try:
        return await connection.fetchval(sql, *args)
    except (*REFUSES_WORK, asyncpg.PostgresSystemError, *LOST, TimeoutError) as error:
        _drop(connection)
        raise CommitLost(token) from error
    except asyncpg.PostgresError as error:
        raise Stale from error


async def roll_back(connection: Any) -> None:
    """Undo; a connection on which that fails is ended, which undoes as well."""
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, *LOST, TimeoutError):
        _drop(connection)


def _drop(connection: Any) -> None:
    """End a connection in an unknown state. A lost one has left the pool by itself, and takes no more calls."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Finish the work even when the caller is cancelled meanwhile; then let the cancellation go on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # Known to nobody who is left; what was done is told by the key.
        raise
