"""Sends requests at a steady pace, whatever becomes of them; each is timed from the moment it was due."""

import asyncio
import gc
import math
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic, process_time
from typing import Final, cast

import uvloop
from pydantic import TypeAdapter

from bench.comparing import Side
from bench.load import Load, Measurement, measure, summarise
from bench.wire import Endpoint, read_answer
from bench.workloads import ANY_TWO, transfers

# As many as the other measurements have; a request that finds none free waits, and that counts as its own time.
CONNECTIONS: Final = 64
# What is due in less is sent together: the loop's clock counts milliseconds.
TICK_SECONDS: Final = 0.001
STOP_SECONDS: Final = 600.0
# Seeds above these are of other requests.
MOST_ROUNDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What a pacing process is told, in the first line of its standard input.

    It ends after so many seconds; if none are given, with the input.
    """

    endpoint: Endpoint
    workload: str
    seed: int
    per_second: float
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """When a request was due, on the machine's monotonic clock, the seconds until its answer was there, its status."""

    due: float
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Paced:
    """What a pacing process saw, and the CPU seconds that it used itself."""

    samples: list[Sample]
    cpu_seconds: float


class Queue:
    """What is due and not sent, the connections that are free, and what was answered.

    It is `over` when the last request is answered after its end, or with the exception that ended the measurement.
    """

    def __init__(self) -> None:
        self.due: deque[tuple[float, bytes]] = deque()
        # The one that has been free for longest is next: the service hangs up on those that nobody uses.
        self.free: deque[Connection] = deque()
        self.samples: list[Sample] = []
        self.sent = 0
        self.has_ended = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self) -> None:
        """Send what is due over the connections that are free."""
        while self.due and self.free:
            self.sent += 1
            self.free.popleft().send(*self.due.popleft())
        if self.has_ended and self.sent == len(self.samples) and not self.over.done():
            self.over.set_result(None)

    def end(self) -> None:
        """Nothing more comes due."""
        self.has_ended = True
        self.send()

    def fail(self, why: Exception) -> None:
        """End the measurement: not every request will be answered."""
        if not self.over.done():
            self.over.set_exception(why)


class Connection(asyncio.Protocol):
    """Sends one request at a time."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._received = b""
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be there for what is due."""
        self._transport = cast("asyncio.Transport", transport)
        self._queue.free.append(self)

    def send(self, due: float, request: bytes) -> None:
        """Send a request that was due then."""
        assert self._transport
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note the answer once it is complete, and send what is due next."""
        self._received += data
        try:
            answer = read_answer(self._received)
        except ValueError as error:
            self._queue.fail(error)
            return
        if answer:
            assert self._due is not None
            self._queue.samples.append(Sample(self._due, monotonic() - self._due, answer.status))
            self._received, self._due = b"", None
            self._queue.free.append(self)
            self._queue.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """A service does not hang up while it is asked."""
        self._queue.fail(exc or ConnectionError("the service hung up"))


async def pace(work: Pace, stop: asyncio.Event) -> list[Sample]:
    """Send until told to stop, and wait for what is owed; whatever goes wrong on the way is raised."""
    queue, loop = Queue(), asyncio.get_running_loop()
    endpoint = work.endpoint
    transports = [
        (await loop.create_connection(lambda: Connection(queue), endpoint.host, endpoint.port))[0]
        for _ in range(CONNECTIONS)
    ]
    sending = asyncio.create_task(keep_sending(queue, work, transfers(endpoint, work.workload, work.seed), stop))
    try:
        await asyncio.gather(sending, queue.over)
    finally:
        sending.cancel()
        for transport in transports:
            transport.close()
    return queue.samples


async def keep_sending(queue: Queue, work: Pace, requests: Iterator[bytes], stop: asyncio.Event) -> None:
    """Send each request when it is due; what is due after the end is not sent."""
    due = monotonic()
    end = math.inf if work.seconds is None else due + work.seconds
    while due < end and not stop.is_set():
        now = monotonic()
        while due <= now and due < end:
            queue.due.append((due, next(requests)))
            due += 1 / work.per_second
        queue.send()
        await asyncio.sleep(max(due - now, TICK_SECONDS))
    queue.end()


def at_share(endpoint: Endpoint, share: float) -> Side:
    """A side that is asked as often as it can answer, and then that many times this share a second.

    The highest rate is measured just before: a moment later the machine may be another. What a transfer costs is of
    both, the rest of the second.
    """

    def measured(workload: str, seed: int, seconds: float) -> Measurement:
        most = measure(Load(endpoint, ANY_TWO, seed, seconds))
        paced = at_pace(endpoint, share * most.rate).measure(workload, seed + MOST_ROUNDS, seconds)
        transfers, cpu_seconds = most.transfers + paced.transfers, most.cpu_seconds + paced.cpu_seconds
        return replace(paced, transfers=transfers, cpu_seconds=cpu_seconds)

    return Side(measured, endpoint.pid)


def at_pace(endpoint: Endpoint, per_second: float) -> Side:
    """A side that is asked so many times a second."""

    def measured(_: str, seed: int, seconds: float) -> Measurement:
        with pacing(Pace(endpoint, ANY_TWO, seed, per_second, seconds)) as process:
            seen = told(process)
        statuses = Counter(sample.status for sample in seen.samples)
        took = max(sample.due + sample.seconds for sample in seen.samples) - min(sample.due for sample in seen.samples)
        return Measurement(
            rate=statuses[201] / took,
            transfers=statuses[201],
            requests=statuses.total(),
            errors=statuses.total() - statuses[201],
            cpu_seconds=seen.cpu_seconds,
            statuses=dict(statuses),
            broken={},
            latency=summarise([sample.seconds for sample in seen.samples]),
            samples=[],
        )

    return Side(measured, endpoint.pid)


@contextmanager
def pacing(pace: Pace) -> Generator[subprocess.Popen[bytes]]:
    """A process that keeps a pace until it is told to stop."""
    command = [sys.executable, "-m", "bench.pace"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdin
            process.stdin.write(TypeAdapter(Pace).dump_json(pace) + b"\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[bytes]) -> Paced:
    """Tell it that nothing more comes, and what it saw."""
    out, _ = process.communicate(timeout=STOP_SECONDS)
    return TypeAdapter(Paced).validate_json(out)


async def until_told(work: Pace) -> Paced:
    """Send until the time is up, or until standard input ends."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    if work.seconds is None:
        loop.add_reader(sys.stdin, stop.set)
    before = process_time()
    samples = await pace(work, stop)
    return Paced(samples, process_time() - before)


def main() -> None:
    """Read a Pace from standard input, keep it and write what was seen to standard output."""
    work = TypeAdapter(Pace).validate_json(sys.stdin.readline())
    # A collection in the generator would be charged to the service.
    gc.disable()
    sys.stdout.buffer.write(TypeAdapter(Paced).dump_json(uvloop.run(until_told(work))))


if __name__ == "__main__":
    main()
