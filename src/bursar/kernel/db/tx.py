"""One open transaction: parameters only, rows as what the caller makes of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar
from uuid import UUID

Row = TypeVar("Row")


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
