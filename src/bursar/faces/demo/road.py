"""A road to the service that loses answers: it hands a request on, takes in the answer, and breaks the connection."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx2

_CHUNK = 65_536


@dataclass(slots=True)
class Road:
    """A TCP proxy in front of `service`. It loses the answer on each of the next `losing` connections."""

    service: httpx2.URL
    losing: int
    lost: list[bytes] = field(default_factory=list[bytes])
    address: str = ""
    _carrying: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    def open(self, caller: StreamReader, back: StreamWriter) -> None:
        """Begin to carry a connection."""
        task = asyncio.create_task(self.carry(caller, back))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def close(self) -> None:
        """Carry nothing more."""
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def carry(self, caller: StreamReader, back: StreamWriter) -> None:
        """Carry one connection, or lose its first answer; `lost` keeps the body of what was lost."""
        loses, self.losing = self.losing > 0, max(0, self.losing - 1)
        answers, service = await asyncio.open_connection(self.service.host, self.service.port)
        forth = asyncio.create_task(_pass_on(caller, service))
        try:
            if loses:
                # Nothing is answered before it is committed: from here on the money has moved.
                self.lost.append(await _body_of(answers))
            else:
                await _pass_on(answers, back)
        finally:
            forth.cancel()
            back.close()
            service.close()


@asynccontextmanager
async def losing_answers(address: str, losing: int) -> AsyncGenerator[Road]:
    """A road to the service at this address."""
    road = Road(httpx2.URL(address), losing)
    server = await asyncio.start_server(road.open, "127.0.0.1", 0)
    road.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield road
    finally:
        server.close()
        await road.close()


async def _pass_on(source: StreamReader, target: StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()


async def _body_of(answers: StreamReader) -> bytes:
    head = (await answers.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(line for line in head.splitlines() if line.startswith("content-length:"))
    return await answers.readexactly(int(length.partition(":")[2]))
