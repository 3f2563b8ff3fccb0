"""The one door to PostgreSQL: bounded connections, transactions that know their own fate, rows as dataclasses."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, Literal, LiteralString, TypeVar
from uuid import UUID

import asyncpg

from bursar.kernel.refusal import Conflict, MoneyMoved, Retry, Unavailable

Row = TypeVar("Row")
Fate = Literal["committed", "aborted", "unknown"]

_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_SECONDS_TO_SETTLE = 2.0
_SECONDS_TO_CONNECT = 2.0
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)
_RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_REFUSES_WORK = (
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # shutting down, starting up, crash of another backend
    asyncpg.QueryCanceledError,
)


MayNot = asyncpg.InsufficientPrivilegeError


class UpstreamUnavailable(Unavailable):
    """The database cannot be reached or cannot take work now."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was changed. Send the same request with the same Idempotency-Key in a moment."
    retry_after_seconds: ClassVar[int | None] = 1


class OutcomeUnknown(Unavailable):
    """The connection was lost while committing; whether it took effect is not known yet."""

    money_moved: ClassVar[MoneyMoved] = "unknown"
    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Send the same request with the SAME Idempotency-Key: the answer then tells what happened."
    retry_after_seconds: ClassVar[int | None] = 2


class Busy(Conflict):
    """Another request holds what this one needs."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was changed. Send the same request with the same Idempotency-Key in a moment."
    retry_after_seconds: ClassVar[int | None] = 1


class NotDurable(Exception):
    """The server would acknowledge commits that a crash can lose; Bursar does not serve on it."""


class CannotConnect(Exception):
    """There is no way to the database with this URL; the message says what the server or the network said."""


class CommitLost(Exception):
    """The connection broke between sending COMMIT and its answer; ask `Database.fate_of` what became of it."""

    def __init__(self, token: int) -> None:
        """`token` is the advisory lock the transaction holds until it ends."""
        super().__init__(token)
        self.token = token


async def connect(url: str) -> Any:
    """One plain connection as the login of the URL, for migrations; asyncpg's types are incomplete, hence Any."""
    try:
        return await asyncpg.connect(url, timeout=_SECONDS_TO_CONNECT)
    except (asyncpg.PostgresError, *_LOST, ValueError, TimeoutError) as error:
        raise CannotConnect(f"PostgreSQL cannot be reached as configured: {error}") from error


class Tx:
    """One open transaction of one tenant; every statement goes through here, parameters only."""

    __slots__ = ("_connection", "tenant_id")

    def __init__(self, connection: Any, tenant_id: UUID | None) -> None:
        """Wrap a connection on which BEGIN was sent; asyncpg's pool proxies carry no types, hence Any."""
        self._connection = connection
        self.tenant_id = tenant_id

    @property
    def tenant(self) -> UUID:
        """The tenant whose rows this transaction sees."""
        assert self.tenant_id is not None, "this transaction belongs to no tenant"
        return self.tenant_id

    async def rows(self, into: Callable[..., Row], sql: LiteralString, *args: object) -> list[Row]:
        """Each row as `into(*columns)`, in the order of the select list."""
        return [into(*record) for record in await self._connection.fetch(sql, *args)]

    async def row(self, into: Callable[..., Row], sql: LiteralString, *args: object) -> Row | None:
        """The first row as `into(*columns)`, or None."""
        record = await self._connection.fetchrow(sql, *args)
        return None if record is None else into(*record)

    async def column(self, into: type[Row], sql: LiteralString, *args: object) -> list[Row]:
        """The only column of each row, checked to be of the type named."""
        found = [record[0] for record in await self._connection.fetch(sql, *args)]
        assert all(isinstance(value, into) for value in found), f"expected {into.__name__}"
        return found

    async def pairs(self, sql: LiteralString, *args: object) -> list[tuple[Any, Any]]:
        """The two columns of each row."""
        return [(record[0], record[1]) for record in await self._connection.fetch(sql, *args)]

    async def value(self, into: type[Row], sql: LiteralString, *args: object) -> Row:
        """The one value of a statement that always has one, checked to be of the type named."""
        found = await self._connection.fetchval(sql, *args)
        assert isinstance(found, into), f"expected {into.__name__}, got {type(found).__name__}"
        return found

    async def run(self, sql: LiteralString, *args: object) -> None:
        """A statement whose rows nobody needs."""
        await self._connection.execute(sql, *args)

    async def script(self, sql: str) -> None:
        """A migration's text: several statements, no parameters. Never for text that holds a value."""
        await self._connection.execute(sql)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """What fails inside is undone, and only that."""
        await self._connection.execute("SAVEPOINT s")
        try:
            yield
        except BaseException:
            await self._connection.execute("ROLLBACK TO SAVEPOINT s")
            raise
        await self._connection.execute("RELEASE SAVEPOINT s")


class Database:
    """A pool of connections that act as one role; open it with `Database.open`, close it when done."""

    def __init__(self, pool: Any, seconds_to_wait: float) -> None:
        """Use `Database.open`: it also checks that the server keeps what it acknowledges."""
        self._pool = pool
        self._seconds_to_wait = seconds_to_wait

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
    ) -> "Database":
        """Connect as `role`; with `durable` (always but in the control of the crash tests) refuse weak settings."""
        settings = {
            "role": role,
            "search_path": "bursar",
            "timezone": "UTC",
            "lock_timeout": "2s",
            "statement_timeout": "30s",
            "idle_in_transaction_session_timeout": "30s",
            "application_name": "bursar",
            # Every statement has its index; a plan made while a table was small must not scan it when it is large.
            "enable_seqscan": "off",
        }
        if not durable:
            settings["synchronous_commit"] = "off"
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            init=_refuse_weak_settings if durable else None,
            reset=_nothing,
            server_settings=settings,
            statement_cache_size=statement_cache_size,
            max_queries=10_000_000,
            timeout=_SECONDS_TO_CONNECT,
            command_timeout=35,
        )
        try:
            await pool.release(await pool.acquire())  # So that what is wrong with the server is said now.
        except (asyncpg.PostgresError, *_LOST, TimeoutError) as error:
            raise CannotConnect(f"PostgreSQL does not take a session as {role}: {error}") from error
        return cls(pool, seconds_to_wait)

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
        begin = _begin(tenant_id, read_only, [*sorted(set(locks)), token] if token else [])
        connection = await self._acquire()
        try:
            try:
                await connection.execute(begin)
                yield Tx(connection, tenant_id)
            except BaseException as error:
                await _uninterrupted(_roll_back(connection))
                meaning = _translated(error)
                if meaning is error:
                    raise
                raise meaning from error
            await _uninterrupted(_commit(connection, token))
        finally:
            await self._pool.release(connection)

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

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=self._seconds_to_wait)
        except Exception as error:
            raise _translated(error) from error


def _begin(tenant_id: UUID | None, read_only: bool, locks: Sequence[int]) -> str:
    """One round trip that opens the transaction; only values of our own making (a UUID, integers) are written in."""
    parts = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "BEGIN"]
    if tenant_id:
        parts.append(f"SELECT set_config('app.tenant_id', '{tenant_id}', true)")
    if locks:
        array = ",".join(str(int(lock)) for lock in locks)
        parts.append(f"SELECT pg_advisory_xact_lock(k) FROM unnest('{{{array}}}'::bigint[]) k")  # noqa: S608 -- integers
    return "; ".join(parts)


async def _commit(connection: Any, token: int) -> None:
    try:
        status = await connection.execute("COMMIT")
    except asyncpg.IntegrityConstraintViolationError:
        raise  # A deferred constraint: the server has rolled back.
    except (asyncpg.PostgresError, *_LOST, TimeoutError) as error:
        _drop(connection)
        raise (CommitLost(token) if token else UpstreamUnavailable()) from error
    assert status == "COMMIT", "an error inside the transaction was swallowed"


async def _roll_back(connection: Any) -> None:
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, *_LOST, TimeoutError):
        _drop(connection)


def _drop(connection: Any) -> None:
    """End a connection in an unknown state. A lost one has left the pool by itself, and takes no more calls."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Finish the work even when the caller is cancelled meanwhile; then let the cancellation go on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise


def _translated(error: BaseException) -> BaseException:
    """A driver's error as the refusal it means; a bug (wrong SQL, wrong argument) stays what it is."""
    match error:
        case asyncpg.LockNotAvailableError():
            return Busy()
        case asyncpg.DataError():
            return error
        case _ if isinstance(error, (*_LOST, *_REFUSES_WORK, TimeoutError)):
            return UpstreamUnavailable()
        case _:
            return error


async def _refuse_weak_settings(connection: Any) -> None:
    for name in _DURABLE:
        value = await connection.fetchval("SELECT current_setting($1)", name)
        if value not in ("on", "remote_write", "remote_apply"):
            raise NotDurable(f"{name} is {value}: PostgreSQL could lose what was acknowledged. Set it to on.")


async def _nothing(connection: Any) -> None:
    """The pool's reset: there is no session state to clear, every setting is local to its transaction."""


async def retrying(work: Callable[[], Awaitable[Row]], attempts: int = 5) -> Row:
    """Run a function of pure SQL again after a deadlock or serialization failure, with jitter; never after COMMIT."""
    for attempt in range(1, attempts):
        try:
            return await work()
        except _RETRYABLE:
            await asyncio.sleep(secrets.randbelow(10 * 2**attempt) / 1000)
    return await work()
