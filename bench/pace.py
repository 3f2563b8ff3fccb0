"""Sends requests at a steady pace, whatever becomes of them; each is timed from the moment it was due."""

import asyncio
import gc
import sys
from dataclasses import dataclass
from time import monotonic
from typing import Final

import uvloop
from pydantic import TypeAdapter

from bench.wire import Answer, Endpoint, read_answer
from bench.workloads import transfers

# More than are ever under way, so that a slow answer holds no later request back.
CONNECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """What a pacing process is told, in the first line of its standard input; it ends with the input."""

    endpoint: Endpoint
    workload: str
    seed: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Sample:
    """When a request was due, on the machine's monotonic clock, the seconds until its answer was there, its status."""

    due: float
    seconds: float
    status: int


Due = tuple[float, bytes]


async def pace(work: Pace, stop: asyncio.Event) -> list[Sample]:
    """Send until told to stop."""
    queue: asyncio.Queue[Due] = asyncio.Queue()
    samples: list[Sample] = []
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(call(work.endpoint, queue, samples)) for _ in range(CONNECTIONS)]
        due = monotonic()
        for request in transfers(work.endpoint, work.workload, work.seed):
            await asyncio.sleep(due - monotonic())
            if stop.is_set():
                break
            queue.put_nowait((due, request))
            due += 1 / work.per_second
        await queue.join()
        for caller in callers:
            caller.cancel()
    return samples


async def call(endpoint: Endpoint, queue: asyncio.Queue[Due], samples: list[Sample]) -> None:
    """One connection, which sends whatever is due next."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    while True:
        due, request = await queue.get()
        writer.write(request)
        answer = await whole_answer(reader)
        samples.append(Sample(due, monotonic() - due, answer.status))
        queue.task_done()


async def whole_answer(reader: asyncio.StreamReader) -> Answer:
    """The one answer that is owed; ConnectionError when the connection ends without it."""
    received = b""
    while (answer := read_answer(received)) is None:
        more = await reader.read(65_536)
        if not more:
            raise ConnectionError("the service hung up")
        received += more
    return answer


async def until_told(work: Pace) -> list[Sample]:
    """Send until standard input ends."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    return await pace(work, stop)


def main() -> None:
    """Read a Pace from standard input, keep it and write the samples to standard output."""
    work = TypeAdapter(Pace).validate_json(sys.stdin.readline())
    # A collection in the generator would be charged to the service.
    gc.disable()
    sys.stdout.buffer.write(TypeAdapter(list[Sample]).dump_json(uvloop.run(until_told(work))))


if __name__ == "__main__":
    main()
