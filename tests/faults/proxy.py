"""A connection to PostgreSQL that breaks at the worst moment: when COMMIT is under way.

That is the word itself, or the one statement of a batch that was decided ahead, which begins and commits by itself:
only such a one names the tenant as text.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

# Where a connection breaks: before COMMIT reaches the server; after the server has answered it; at once after it was
# sent, when nobody can say; or unnoticed by the server, which goes on waiting for it. What comes `late` reaches the
# server when somebody says so, its sender long gone. `pass` lets it through.
Cut = Literal["before", "after", "at once", "unnoticed", "late", "pass"]

_AHEAD = re.compile(rb"B.{4}.{0,200}?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.DOTALL)


def _commits(data: bytes) -> bool:
    return b"COMMIT\0" in data or _AHEAD.match(data) is not None


class Proxy:
    """Forwards connections to a server's socket and treats one COMMIT after the other by plan; then all pass."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._plan: list[Cut] = []
        self._kept: list[asyncio.StreamWriter] = []
        self._late: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]] = []
        self.made: list[Cut] = []

    def plan(self, cuts: Iterable[Cut]) -> None:
        """What becomes of the next COMMITs."""
        self._plan = list(cuts)
        self.made = []

    def next_cut(self) -> Cut:
        """What becomes of this COMMIT."""
        cut = self._plan.pop(0) if self._plan else "pass"
        self.made.append(cut)
        return cut

    async def carry(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end or its cut."""
        from_server, to_server = await asyncio.open_unix_connection(self._socket)
        answers = asyncio.create_task(_pour(from_server, to_client))
        cut: Cut = "pass"
        data = b""
        while cut == "pass" and (data := await from_client.read(65536)):
            cut = self.next_cut() if _commits(data) else "pass"
            if cut == "after":
                await _stop(answers)
            if cut in ("pass", "after", "at once"):
                to_server.write(data)
                await to_server.drain()
            if cut == "after":
                await from_server.read(1)
        await _stop(answers)
        to_client.transport.abort()
        if cut == "late":
            self._late.append((from_server, to_server, data))
        elif cut == "unnoticed":
            self._kept.append(to_server)
        else:
            to_server.transport.abort()

    async def deliver(self) -> list[bytes]:
        """Let what is late reach the server; what it says to each."""
        told: list[bytes] = []
        for from_server, to_server, data in self._late:
            to_server.write(data)
            told.append(await from_server.read(65536))
            to_server.transport.abort()
        self._late.clear()
        return told

    def notice(self) -> None:
        """Let the server notice the connections that broke without its noticing."""
        for writer in self._kept:
            writer.transport.abort()
        self._kept.clear()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def proxied(url: str, directory: Path) -> AsyncGenerator[tuple[Proxy, str]]:
    """A proxy in front of the server of this URL, and the URL by which one goes through it."""
    host = url.partition("?host=")[2].partition("&")[0]
    proxy = Proxy(f"{unquote(host)}/.s.PGSQL.5432")
    server = await asyncio.start_unix_server(proxy.carry, directory / ".s.PGSQL.5432")
    try:
        yield proxy, url.replace(host, quote(str(directory)))
    finally:
        proxy.notice()
        server.close()
        await server.wait_closed()
