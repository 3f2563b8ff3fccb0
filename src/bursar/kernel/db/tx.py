"""One open transaction: parameters only, rows as what the caller makes of them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, LiteralString, TypeVar
from uuid import UUID

Row = TypeVar("Row")

_PARAMETER = re.compile(r"\$([0-9]+)")


class Tx:
    """One open transaction of one tenant; every statement goes through here, parameters only."""

    __slots__ = ("_connection", "_sending", "_waiting", "tenant_id")

    def __init__(self, connection: Any, tenant_id: UUID | None) -> None:
        """Wrap a connection on which BEGIN was sent; asyncpg's pool proxies carry no types, hence Any."""
        self._connection = connection
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._sending: asyncio.Future[None] | None = None
        self.tenant_id = tenant_id

    @property
    def tenant(self) -> UUID:
        """The tenant whose rows this transaction sees."""
        assert self.tenant_id is not None, "this transaction belongs to no tenant"
        return self.tenant_id

    async def rows(self, into: Callable[..., Row], sql: LiteralString, *args: object) -> list[Row]:
        """Each row as `into(*columns)`, in the order of the select list."""
        return [into(*record) for record in await (await self._ready()).fetch(sql, *args)]

    async def row(self, into: Callable[..., Row], sql: LiteralString, *args: object) -> Row | None:
        """The first row as `into(*columns)`, or None."""
        record = await (await self._ready()).fetchrow(sql, *args)
        return None if record is None else into(*record)

    async def column(self, into: type[Row], sql: LiteralString, *args: object) -> list[Row]:
        """The only column of each row, checked to be of the type named."""
        found = [record[0] for record in await (await self._ready()).fetch(sql, *args)]
        assert all(isinstance(value, into) for value in found), f"expected {into.__name__}"
        return found

    async def pairs(self, sql: LiteralString, *args: object) -> list[tuple[Any, Any]]:
        """The two columns of each row."""
        return [(record[0], record[1]) for record in await (await self._ready()).fetch(sql, *args)]

    async def value(self, into: type[Row], sql: LiteralString, *args: object) -> Row:
        """The one value of a statement that always has one, checked to be of the type named."""
        found = await (await self._ready()).fetchval(sql, *args)
        assert isinstance(found, into), f"expected {into.__name__}, got {type(found).__name__}"
        return found

    async def run(self, sql: LiteralString, *args: object) -> None:
        """A statement whose rows nobody needs."""
        await (await self._ready()).execute(sql, *args)

    def later(self, sql: LiteralString, *args: object) -> None:
        """An INSERT or UPDATE that waits for others, to go with them as one statement in one round trip.

        It goes before anything else is asked on this transaction, at the latest before its COMMIT. None of those that
        wait together sees what another does, so no two may write the same row; foreign keys are checked at their end.
        """
        self._waiting.append((sql, args))

    async def send(self) -> None:
        """Have what waits written while the caller makes more; whatever comes next waits for it, and has its error."""
        if self._waiting:
            await self.settle()
            self._sending = asyncio.ensure_future(self._write())
            await asyncio.sleep(0)  # So that it is on its way before the caller takes the processor.

    async def flush(self) -> None:
        """Write what waits."""
        await self.settle()
        if self._waiting:
            await self._write()

    async def settle(self) -> None:
        """Wait for what was sent."""
        if self._sending:
            sending, self._sending = self._sending, None
            await sending

    async def abandon(self) -> None:
        """Forget what waits and stop what was sent, so that the connection can be told to undo it all."""
        self._waiting.clear()
        if self._sending:
            sending, self._sending = self._sending, None
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _write(self) -> None:
        statements, self._waiting = self._waiting, []
        text = _as_one(tuple((sql, len(args)) for sql, args in statements))
        await self._connection.execute(text, *(arg for _, args in statements for arg in args))

    async def _ready(self) -> Any:
        """The connection, for whoever must see what was written before."""
        await self.flush()
        return self._connection

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """What fails inside is undone, and only that."""
        await (await self._ready()).execute("SAVEPOINT s")
        try:
            yield
            await self.flush()
        except BaseException:
            await self.abandon()
            # Gone, too: one around it has the same name, and what it undoes must not stop here.
            await self._connection.execute("ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s")
            raise
        await self._connection.execute("RELEASE SAVEPOINT s")


@lru_cache(maxsize=64)
def _as_one(statements: tuple[tuple[str, int], ...]) -> str:
    """Statements, each with the number of its arguments, as one that takes all the arguments in a row."""
    *others, last = numbered(statements)
    return f"WITH {', '.join(f's{i} AS ({sql})' for i, sql in enumerate(others))} {last}" if others else last


def numbered(statements: Iterable[tuple[str, int]], before: int = 0) -> Iterator[str]:
    """Statements, each with the number of its arguments, that take theirs from one row of all, after so many others."""
    for sql, count in statements:
        yield _PARAMETER.sub(lambda match, before=before: f"${int(match[1]) + before}", sql)
        before += count
