"""A steady pace is kept whatever becomes of the requests, and each is timed from when it was due."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest

from bench.pace import Pace, Sample, pace
from bench.wire import Endpoint
from bench.workloads import ANY_TWO

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


class Service:
    """Answers everything with `answer`, while `open` is set."""

    def __init__(self, answer: bytes = CREATED) -> None:
        self.answer, self.open, self.asked = answer, asyncio.Event(), asyncio.Event()
        self.open.set()
        self.waiting = 0
        self.handlers: list[asyncio.Task[None] | None] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handlers.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                self.waiting += 1
                if self.waiting == 20:
                    self.asked.set()
                await self.open.wait()
                writer.write(self.answer)
        writer.close()

    async def paced(self, stop: asyncio.Event, per_second: float = 1_000.0) -> list[Sample]:
        endpoint = Endpoint("127.0.0.1", self.port, "/transfers", "bk_test_key")
        return await pace(Pace(endpoint, ANY_TWO, 1, per_second), stop)


@asynccontextmanager
async def serving(service: Service) -> AsyncGenerator[Service]:
    async with await asyncio.start_server(service.handle, "127.0.0.1", 0) as listener:
        service.port = listener.sockets[0].getsockname()[1]
        yield service
        await asyncio.gather(*(handler for handler in service.handlers if handler))


async def test_what_comes_due_while_the_service_stands_still_is_sent_and_its_waiting_counts() -> None:
    async with serving(Service()) as service:
        service.open.clear()
        stop = asyncio.Event()
        run = asyncio.create_task(service.paced(stop))
        await service.asked.wait()
        stop.set()
        service.open.set()
        samples = await run
    assert len(samples) == service.waiting >= 20
    assert {sample.status for sample in samples} == {201}
    dues = sorted(sample.due for sample in samples)
    assert all(later - sooner == pytest.approx(0.001) for sooner, later in pairwise(dues))
    # All were answered at the end, so the first had waited as long as it took until the twentieth was there.
    assert max(sample.seconds for sample in samples) >= dues[19] - dues[0]


@pytest.mark.parametrize("answer", [b"", b"SMTP 220 ready\r\nContent-Length: 0\r\n\r\n"])
async def test_a_service_that_hangs_up_or_talks_nonsense_ends_the_measurement(answer: bytes) -> None:
    class Rude(Service):
        async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.handlers.append(asyncio.current_task())
            if await reader.read(1):
                writer.write(answer)
            writer.close()

    async with serving(Rude()) as service:
        with pytest.raises((ConnectionError, ValueError)):
            await service.paced(asyncio.Event())
