"""Reading ahead: what comes next is made ready in a thread while the database works on what came before."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Ahead(Generic[Thing]):
    """Calls `read` once for each thing until it returns None, at most one thing ahead of who asks for it.

    Whoever asks says with `begin` when a thread may run: at the moment from which there is only waiting to do. Earlier,
    the thread would take turns with the very work that it should not hold up.
    """

    def __init__(self, read: Callable[[], Thing | None]) -> None:
        self._read = read
        self._coming: asyncio.Task[Thing | None] | None = None

    def begin(self) -> None:
        """Begin to read the next thing, if that is not under way."""
        self._coming = self._coming or asyncio.create_task(asyncio.to_thread(self._read))

    async def next(self) -> Thing | None:
        """The next thing; None after the last."""
        self.begin()
        assert self._coming
        found = await self._coming
        self._coming = None
        return found

    async def aclose(self) -> None:
        """Leave no thread behind; what it read is not wanted any more."""
        if self._coming:
            await asyncio.gather(self._coming, return_exceptions=True)
