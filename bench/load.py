"""Drives one service over a fixed number of keep-alive connections and tells truthfully what came back."""

import asyncio
import gc
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter, process_time
from typing import Final, Literal, cast

import uvloop
from pydantic import TypeAdapter

from bench.wire import Answer, Endpoint, read_answer
from bench.workloads import BATCH, batches, payments, transfers

# A request still unanswered this long after the time is up is given up and counted as an error.
GRACE_SECONDS: Final = 10.0
RECONNECT_PAUSE_SECONDS: Final = 0.05
PROCESS_SECONDS: Final = 30.0
SAMPLES: Final = 3
MOST_OF_A_SAMPLE: Final = 1_000

Mode = Literal["each", "all_or_nothing"]


@dataclass(frozen=True, slots=True)
class Load:
    """What a generator process is told, on its standard input; it ends after `most` requests if that is given.

    With a `mode`, transfers are asked for in batches.
    """

    endpoint: Endpoint
    workload: str
    seed: int
    seconds: float
    connections: int = 64
    most: int | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from sending a request to having its whole answer, over every answer, good or bad."""

    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run saw: `rate` is what was done per second by good answers that came in time, `transfers` all of it.

    An answer is good when its status is 2xx and, to a batch, when it says that all of it was posted. `errors` are the
    requests without a good answer; `cpu_seconds` is what the generator itself used.
    """

    rate: float
    transfers: int
    requests: int
    errors: int
    cpu_seconds: float
    statuses: dict[int, int]
    broken: dict[str, int]
    latency: Latency | None
    samples: list[str]


@dataclass(slots=True)
class Run:
    """What the connections of a run share: the requests still to send, the time that is left and the tally.

    `batch` is how many transfers each request asks for.
    """

    requests: Iterator[bytes]
    started_at: float
    deadline: float
    batch: int = 1
    all_sent: bool = False
    good: int = 0
    in_time: int = 0
    cpu_before: float = field(default_factory=process_time)
    statuses: Counter[int] = field(default_factory=Counter[int])
    broken: Counter[str] = field(default_factory=Counter[str])
    latencies: list[float] = field(default_factory=list[float])
    samples: list[str] = field(default_factory=list[str])

    def is_over(self) -> bool:
        """Whether no further request may be sent."""
        return self.all_sent or perf_counter() >= self.deadline

    def take(self) -> bytes | None:
        """The next request to send, or None when time or requests have run out."""
        request = None if self.is_over() else next(self.requests, None)
        self.all_sent = request is None
        return request

    def count(self, answer: Answer, sent_at: float) -> None:
        """Tally an answer that is complete now."""
        now = perf_counter()
        self.latencies.append(now - sent_at)
        self.statuses[answer.status] += 1
        if not self.is_good(answer):
            self.keep_sample(answer)
            return
        self.good += 1
        self.in_time += now <= self.deadline

    def is_good(self, answer: Answer) -> bool:
        """Whether the service did all that it was asked."""
        done = self.batch == 1 or b'"posted":%d,' % self.batch in answer.body
        return 200 <= answer.status < 300 and done

    def keep_sample(self, answer: Answer) -> None:
        """Keep the first few refusals for the report."""
        if len(self.samples) < SAMPLES:
            self.samples.append(f"{answer.status} {answer.body[:MOST_OF_A_SAMPLE].decode(errors='replace')}")

    def measured(self) -> Measurement:
        """The tally, summed up when the last connection is done."""
        elapsed = min(perf_counter(), self.deadline) - self.started_at
        requests = self.statuses.total() + self.broken.total()
        return Measurement(
            rate=self.in_time * self.batch / elapsed,
            transfers=self.good * self.batch,
            requests=requests,
            errors=requests - self.good,
            cpu_seconds=process_time() - self.cpu_before,
            statuses=dict(self.statuses),
            broken=dict(self.broken),
            latency=summarise(self.latencies),
            samples=self.samples,
        )


class Caller(asyncio.Protocol):
    """One connection, which sends its next request as soon as the last one is answered."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self._sent_at: float | None = None
        self._transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first question."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is complete; anything else than an answer ends the connection."""
        self._received += data
        try:
            answer = read_answer(self._received)
        except ValueError:
            self.break_off("malformed answer")
        else:
            if answer:
                self._answered(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that ends while an answer is owed has failed its request."""
        self.break_off("connection lost")
        if not self.gone.done():
            self.gone.set_result(None)

    def break_off(self, why: str) -> None:
        """Drop the connection at once; a request that is still owed its answer counts as broken."""
        if self._sent_at is not None:
            self._run.broken[why] += 1
            self._sent_at = None
        if self._transport:
            self._transport.abort()

    def _answered(self, answer: Answer) -> None:
        assert self._sent_at is not None
        self._run.count(answer, self._sent_at)
        self._received, self._sent_at = b"", None
        if answer.closes:
            self._hang_up()
        else:
            self._ask()

    def _ask(self) -> None:
        request = self._run.take()
        if request is None:
            self._hang_up()
        else:
            assert self._transport
            self._sent_at = perf_counter()
            self._transport.write(request)

    def _hang_up(self) -> None:
        assert self._transport
        self._transport.close()


async def drive(
    endpoint: Endpoint,
    requests: Iterator[bytes],
    *,
    seconds: float,
    connections: int,
    grace: float = GRACE_SECONDS,
    batch: int = 1,
) -> Measurement:
    """Send `requests` in a closed loop until they or the time run out, then wait `grace` seconds for what is owed."""
    now = perf_counter()
    run = Run(requests, started_at=now, deadline=now + seconds, batch=batch)
    lanes = [asyncio.create_task(keep_calling(run, endpoint)) for _ in range(connections)]
    _, late = await asyncio.wait(lanes, timeout=seconds + grace)
    for lane in late:
        lane.cancel()
    outcomes = await asyncio.gather(*lanes, return_exceptions=True)
    for bug in (outcome for outcome in outcomes if isinstance(outcome, Exception)):
        raise bug
    return run.measured()


async def keep_calling(run: Run, endpoint: Endpoint) -> None:
    """Keep one connection open for as long as there is something to ask."""
    loop = asyncio.get_running_loop()
    while not run.is_over():
        try:
            _, caller = await loop.create_connection(lambda: Caller(run), endpoint.host, endpoint.port)
        except OSError:
            run.broken["not connected"] += 1
            await asyncio.sleep(RECONNECT_PAUSE_SECONDS)
        else:
            await caller_gone(caller)


async def caller_gone(caller: Caller) -> None:
    """Wait until a connection has ended; being cancelled means that its answer comes too late."""
    try:
        await caller.gone
    finally:
        caller.break_off("unanswered")


def summarise(seconds: Sequence[float]) -> Latency | None:
    """The nearest-rank percentiles, in milliseconds; None when nothing was answered."""
    if not seconds:
        return None
    ranked = sorted(seconds)
    p50, p95, p99 = (ranked[math.ceil(q * len(ranked)) - 1] * 1_000 for q in (0.50, 0.95, 0.99))
    return Latency(p50, p95, p99, ranked[-1] * 1_000)


def measure(load: Load) -> Measurement:
    """Have a process of its own carry out a load."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=TypeAdapter(Load).dump_json(load),
        stdout=subprocess.PIPE,
        timeout=load.seconds + GRACE_SECONDS + PROCESS_SECONDS,
        check=True,
    )
    return TypeAdapter(Measurement).validate_json(done.stdout)


def asked_for(load: Load) -> Iterator[bytes]:
    """The endless requests of a load."""
    if load.endpoint.pays_by:
        return payments(load.endpoint)
    if load.mode:
        return batches(load.endpoint, load.workload, load.seed, load.mode)
    return transfers(load.endpoint, load.workload, load.seed)


def main() -> None:
    """Read a Load from standard input, carry it out and write the Measurement to standard output."""
    load = TypeAdapter(Load).validate_json(sys.stdin.read())
    requests, batch = islice(asked_for(load), load.most), BATCH if load.mode else 1
    # A collection in the generator would be charged to the service; a bounded run makes little garbage in cycles.
    gc.disable()
    measurement = uvloop.run(
        drive(load.endpoint, requests, seconds=load.seconds, connections=load.connections, batch=batch)
    )
    sys.stdout.buffer.write(TypeAdapter(Measurement).dump_json(measurement))


if __name__ == "__main__":
    main()
