"""What every room of the client stands on: reading and changing something over one connection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bursar.client.connection import Call, Connection
from bursar.wire.fields import Page

Shape = TypeVar("Shape")
Item = TypeVar("Item")


class Room:
    """A room's operations are methods of the same name."""

    def __init__(self, connection: Connection) -> None:
        """All rooms of a client share one connection."""
        self._connection = connection

    async def _read(
        self, shape: type[Shape], operation: str, path: str, query: Mapping[str, Any] | None = None
    ) -> Shape:
        return await self._connection.ask(Call(operation, "GET", path, query=query), shape)

    async def _change(
        self, shape: type[Shape], operation: str, path: str, body: Mapping[str, Any] | None, key: str | None
    ) -> Shape:
        return await self._connection.ask(Call(operation, "POST", path, body=body, idempotency_key=key), shape)


async def items_of(page_at: Callable[[str | None], Awaitable[Page[Item]]]) -> AsyncIterator[Item]:
    """Every item of a list, page after page."""
    cursor: str | None = None
    while True:
        page = await page_at(cursor)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return
