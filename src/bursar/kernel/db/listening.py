"""Waiting without polling: one connection listens for the whole process, and whoever waits for a name is woken."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg

from bursar.kernel.db.failures import LOST

_SECONDS_BETWEEN_ATTEMPTS = 1.0
_SECONDS_BETWEEN_LOOKS = 15.0


class Bell:
    """Wakes those who wait for a name. A ring says that something may have changed: whoever is woken looks again.

    Nobody may rely on being woken: a notification can be lost with its connection, so all wait for a bounded time.
    """

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._ears: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listening(self, name: str) -> Generator[asyncio.Event]:
        """An event that is set from now on whenever the name is rung; look only once you listen."""
        ear = asyncio.Event()
        self._ears[name].add(ear)
        try:
            yield ear
        finally:
            self._ears[name].discard(ear)
            if not self._ears[name]:
                del self._ears[name]

    def ring(self, name: str) -> None:
        """Wake those who wait for a name."""
        for ear in self._ears.get(name, ()):
            ear.set()

    def ring_all(self) -> None:
        """Wake everybody: nobody knows what was missed."""
        for name in list(self._ears):
            self.ring(name)


async def woken(ear: asyncio.Event, seconds: float) -> None:
    """Return when it is rung, or after so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(ear.wait(), seconds)
    ear.clear()


async def listen(connect: Callable[[], Awaitable[Any]], channel: str, heard: Callable[[str | None], None]) -> None:
    """Tell of every notification until cancelled, connecting again when the connection is lost.

    `heard` is told None after each connecting: what came before is not known.
    """
    while True:
        try:
            connection = await connect()
        except (asyncpg.PostgresError, *LOST, TimeoutError):
            await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            continue
        try:
            await _listen(connection, channel, heard)
        except (asyncpg.PostgresError, *LOST, TimeoutError):
            await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        finally:
            connection.terminate()


async def _listen(connection: Any, channel: str, heard: Callable[[str | None], None]) -> None:
    """Until the connection is found dead: one that is silent is asked something now and then."""
    gone = asyncio.Event()

    def ended(_: object) -> None:
        gone.set()

    def notified(_: object, __: object, ___: object, payload: str) -> None:
        heard(payload)

    connection.add_termination_listener(ended)
    await connection.add_listener(channel, notified)
    heard(None)
    while not gone.is_set():
        await woken(gone, _SECONDS_BETWEEN_LOOKS)
        if connection.is_closed():
            return
        await connection.execute("SELECT")
