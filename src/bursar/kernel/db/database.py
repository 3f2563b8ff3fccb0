"""A pool of connections that act as one role, and transactions that know their own fate."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeVar
from uuid import UUID

import asyncpg

from bursar.kernel.db.draft import Draft, asking
from bursar.kernel.db.ending import at_once, begin_text, commit, roll_back, settings_text, uninterrupted
from bursar.kernel.db.failures import (
    LOST,
    RETRYABLE,
    Busy,
    CannotConnect,
    CommitLost,
    NotDurable,
    UpstreamUnavailable,
    translated,
)
from bursar.kernel.db.listening import listen
from bursar.kernel.db.turns import Turns
from bursar.kernel.db.tx import Tx

Result = TypeVar("Result")
Fate = Literal["committed", "aborted", "unknown"]

_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_SESSION = """
    SELECT current_user, current_setting('fsync'), current_setting('full_page_writes'),
           current_setting('synchronous_commit')
"""
_POOLED_HINT = " If there is a pooler such as PgBouncer between, set BURSAR_POOLED=true."
_SECONDS_TO_SETTLE = 2.0
_SECONDS_OF_A_PLAN = 20
_SECONDS_TO_CONNECT = 2.0
# The server gives up a statement first, and says so.
_SECONDS_OF_A_STATEMENT = 30
_SECONDS_TO_ANSWER = 35


async def connect(url: str) -> Any:
    """One plain connection as the login of the URL, for migrations; asyncpg's types are incomplete, hence Any.

    It keeps no statements, so that whatever is done in a transaction can be done through a pooler.
    """
    try:
        return await asyncpg.connect(url, timeout=_SECONDS_TO_CONNECT, statement_cache_size=0)
    except (asyncpg.PostgresError, *LOST, ValueError, TimeoutError) as error:
        raise CannotConnect(f"PostgreSQL cannot be reached as configured: {error}") from error


class Database:
    """A pool of connections that act as one role; open it with `Database.open`, close it when done."""

    def __init__(
        self, pool: Any, seconds_to_wait: float, connect: Callable[[], Awaitable[Any]] | None = None, its_own: str = ""
    ) -> None:
        """Use `Database.open`: it also checks that the server keeps what it acknowledges."""
        self._pool = pool
        self._turns = Turns(pool.get_max_size())
        self._seconds_to_wait = seconds_to_wait
        self._connect = connect
        # The settings that each transaction must make for itself, where the session is a pooler's.
        self._its_own = its_own

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        role: str = "bursar_app",
        connections: int = 10,
        seconds_to_wait: float = 5.0,
        statement_cache_size: int = 200,
        durable: bool = True,
        pooled: bool = False,
        patient: bool = False,
    ) -> "Database":
        """Connect as `role`; with `durable` (always but in the control of the crash tests) refuse weak settings.

        `pooled`: the URL leads to a pooler, which hands each transaction to any session, so all settings are its own.
        `patient`: whatever is asked may take as long as it takes.
        """
        seconds_to_answer = None if patient else _SECONDS_TO_ANSWER
        settings = {
            "role": role,
            "search_path": "bursar",
            "timezone": "UTC",
            "lock_timeout": "2s",
            "statement_timeout": "0" if patient else f"{_SECONDS_OF_A_STATEMENT}s",
            "idle_in_transaction_session_timeout": "0" if patient else "30s",
            # Every statement has its index; a plan made while a table was small must not scan it when it is large.
            "enable_seqscan": "off",
            # They are short and many: to compile one, as a server that can does where a cost looks high, costs more.
            "jit": "off",
        }
        if not durable:
            settings["synchronous_commit"] = "off"
        # Somebody else may have left other values in the session.
        its_own = settings_text({"synchronous_commit": "on", "row_security": "on", **settings}) if pooled else ""
        of_session = {"application_name": "bursar", **({} if pooled else settings)}

        async def check(connection: Any) -> None:
            await _refuse_weak_session(connection, begin_text(None, True, [], its_own), role, durable=durable)

        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            init=check,
            reset=_nothing,
            server_settings=of_session,
            statement_cache_size=statement_cache_size,
            # A plan is kept as long: what was planned while a table was small is planned again as it grows.
            max_cached_statement_lifetime=_SECONDS_OF_A_PLAN,
            max_queries=10_000_000,
            timeout=_SECONDS_TO_CONNECT,
            command_timeout=seconds_to_answer,
        )
        try:
            await pool.release(await pool.acquire())  # So that what is wrong with the server is said now.
        except (asyncpg.PostgresError, *LOST, TimeoutError) as error:
            hint = _POOLED_HINT if "startup parameter" in str(error) else ""
            raise CannotConnect(f"PostgreSQL does not take a session as {role}: {error}.{hint}") from error

        async def connect_beside() -> Any:
            return await asyncpg.connect(
                url, server_settings=of_session, timeout=_SECONDS_TO_CONNECT, command_timeout=seconds_to_answer
            )

        return cls(pool, seconds_to_wait, None if pooled else connect_beside, its_own)

    async def close(self) -> None:
        """Wait for running statements, then close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(
        self, tenant_id: UUID | None = None, *, read_only: bool = False, locks: Sequence[int] = ()
    ) -> AsyncGenerator[Tx]:
        """Begin, hand out, commit; roll back on any error. READ COMMITTED, or one REPEATABLE READ snapshot to read.

        `locks` are advisory locks taken in ascending order at the very start. Driver errors leave as
        `UpstreamUnavailable`, `Busy`, a retryable driver error, or `CommitLost`.
        """
        token = 0 if read_only else secrets.randbits(62) + 1
        begin = begin_text(tenant_id, read_only, [*sorted(set(locks)), token] if token else [], self._its_own)
        async with self._connection(tenant_id) as connection:
            tx = Tx(connection, tenant_id)
            try:
                await _begin(connection, begin)
                yield tx
                await tx.flush()
            except BaseException as error:
                await uninterrupted(_undo(connection, tx))
                meaning = translated(error)
                if meaning is error:
                    raise
                raise meaning from error
            await uninterrupted(commit(connection, token))

    @property
    def takes_drafts(self) -> bool:
        """Whether one statement can be a transaction: its session must have the settings that all of them need."""
        return not self._its_own

    async def carry_out(self, draft: Draft, locks: Sequence[int]) -> datetime:
        """Write a draft in a transaction of its own, in one round trip; the database's clock meanwhile.

        `Stale`: it has had no effect, whatever the reason; a transaction will tell. `CommitLost`: nobody knows.
        """
        assert self.takes_drafts
        token = secrets.randbits(62) + 1
        sql, args = draft.statement([*sorted(set(locks)), token])
        async with self._connection(draft.tenant_id) as connection:
            return await uninterrupted(at_once(connection, token, sql, args))

    async def look(
        self, tenant_id: UUID, into: Callable[..., Result], sql: LiteralString, *args: object
    ) -> list[Result]:
        """The rows of one SELECT, each as `into(*columns)`, in a transaction of its own and one round trip.

        `gate.tenant_id` in its text is the tenant's, known when row security is set. Errors are those of a transaction.
        """
        assert self.takes_drafts
        async with self._connection(tenant_id) as connection:
            try:
                return [into(*row) for row in await connection.fetch(asking(sql, len(args)), tenant_id, *args)]
            except (asyncpg.PostgresError, *LOST, TimeoutError) as error:
                raise translated(error) from error

    async def listen(self, channel: str, heard: Callable[[str | None], None]) -> None:
        """Tell of every notification on a channel until cancelled, over a connection beside the pool.

        Through a pooler nothing is heard, and this returns at once.
        """
        if self._connect:
            await listen(self._connect, channel, heard)

    async def fate_of(self, lost: CommitLost, tenant_id: UUID, left_a_trace: Callable[[Tx], Awaitable[bool]]) -> Fate:
        """Ask a new connection what became of a lost COMMIT, for at most 2 seconds.

        The lost transaction holds its token's advisory lock until it has ended, so whoever gets the lock may
        look for its trace: there means committed, absent means nothing happened.
        """
        end = asyncio.get_running_loop().time() + _SECONDS_TO_SETTLE
        while asyncio.get_running_loop().time() < end:
            try:
                async with self.transaction(tenant_id, locks=[lost.token]) as tx:
                    return "committed" if await left_a_trace(tx) else "aborted"
            except (Busy, UpstreamUnavailable, CommitLost):
                await asyncio.sleep(0.05)
        return "unknown"

    @asynccontextmanager
    async def _connection(self, tenant_id: UUID | None) -> AsyncGenerator[Any]:
        try:
            await self._turns.take(tenant_id, self._seconds_to_wait)
        except TimeoutError as error:
            raise UpstreamUnavailable from error
        try:
            connection = await self._acquired()
            try:
                yield connection
            finally:
                # One that is lost has left the pool by itself, perhaps at this very moment.
                with suppress(*LOST):
                    await self._pool.release(connection)
        finally:
            self._turns.give(tenant_id)

    async def _acquired(self) -> Any:
        """A connection that is free, or a new one."""
        try:
            return await self._pool.acquire(timeout=self._seconds_to_wait)
        except asyncpg.PostgresError as error:  # Whatever the server has against a new session, nothing was sent.
            raise UpstreamUnavailable from error
        except Exception as error:
            raise translated(error) from error


async def _begin(connection: Any, begin: str) -> None:
    try:
        await connection.execute(begin)
    except asyncpg.LockNotAvailableError as error:
        raise Busy(at_start=True) from error


async def _undo(connection: Any, tx: Tx) -> None:
    await tx.abandon()
    await roll_back(connection)


async def _refuse_weak_session(connection: Any, begin: str, role: str, *, durable: bool) -> None:
    """Look, in a transaction as all others are, whether it acts as its role and whether what commits is kept."""
    await connection.execute(begin)
    try:
        acts_as, *values = await connection.fetchrow(_SESSION)
    finally:
        await connection.execute("ROLLBACK")
    if acts_as != role:
        raise CannotConnect(f"PostgreSQL has this session act as {acts_as} and not as {role}.{_POOLED_HINT}")
    for name, value in zip(_DURABLE, values, strict=True):
        if durable and value not in ("on", "remote_write", "remote_apply"):
            raise NotDurable(f"{name} is {value}: PostgreSQL could lose what was acknowledged. Set it to on.")


async def _nothing(connection: Any) -> None:
    """The pool's reset: there is no session state to clear, every setting is local to its transaction."""


async def retrying(work: Callable[[], Awaitable[Result]], attempts: int = 5) -> Result:
    """Run a function of pure SQL again after a deadlock or serialization failure, with jitter; never after COMMIT."""
    for attempt in range(1, attempts):
        try:
            return await work()
        except RETRYABLE:
            await asyncio.sleep(secrets.randbelow(10 * 2**attempt) / 1000)
    return await work()
