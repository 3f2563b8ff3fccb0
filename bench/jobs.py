"""How many jobs a second three agents do together over HTTP, from their initiation to their reconciliation."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich import box
from rich.table import Table

from bench.comparing import describe, postgres
from bench.load import Latency, summarise
from bench.page import Environment
from bench.services import HOST, new_key, serving_bursar, violations
from bursar.client import Bursar
from bursar.kernel.ids import new_id
from bursar.wire.jobs import WantedShare

AGENTS: Final = ("ann", "bob", "cat")
SHARES: Final = [WantedShare(source="ACC10001", target="ACC20002")]


@dataclass(frozen=True, slots=True)
class Report:
    """What was done in how many seconds; `violations` is what verification found, None when nothing.

    `whole` is how long jobs took from being initiated to being done, `steps` how long it took to do a claimed step.
    """

    environment: Environment
    jobs: int
    seconds: float
    whole: Latency | None
    steps: Latency | None
    violations: str | None

    @property
    def jobs_per_second(self) -> float:
        """Whole jobs, each of six steps."""
        return self.jobs / self.seconds


class _Tally:
    """What the lanes share: how many jobs are yet to be initiated, and how many are done, since when and until when."""

    def __init__(self, jobs: int) -> None:
        self.jobs = self.to_initiate = jobs
        self.done = 0
        self.began = self.ended = time.perf_counter()
        self.initiated: dict[str, float] = {}
        self.whole: list[float] = []
        self.steps: list[float] = []

    def count(self, job: str) -> None:
        """One more is done."""
        self.done += 1
        self.ended = time.perf_counter()
        self.whole.append(self.ended - self.initiated[job])


def measure_jobs(scratch: Path, jobs: int, lanes: int) -> Report:
    """Have three agents, each over so many lanes, initiate and do so many checkouts of one cent on a fresh sandbox."""
    with postgres(scratch) as (place, url), serving_bursar(place, scratch) as service:
        keys = [new_key(place, "--agent", agent) for agent in AGENTS]
        tally = asyncio.run(_drive(f"http://{HOST}:{service.port}", keys, jobs, lanes))
        seconds, whole, steps = tally.ended - tally.began, summarise(tally.whole), summarise(tally.steps)
        return Report(describe(url), jobs, seconds, whole, steps, violations(place))


async def _drive(address: str, keys: list[str], jobs: int, lanes: int) -> _Tally:
    tally = _Tally(jobs)
    async with asyncio.TaskGroup() as group:
        for key in keys:
            for _ in range(lanes):
                group.create_task(_work(address, key, tally))
    return tally


async def _work(address: str, key: str, tally: _Tally) -> None:
    """Initiate as long as there is something to, and do whatever step there is."""
    async with Bursar(address, key) as client:
        while tally.done < tally.jobs:
            if tally.to_initiate:
                tally.to_initiate -= 1
                began = time.perf_counter()
                made = await client.create_job(definition="checkout", amount="0.01", currency="USD", shares=SHARES)
                tally.initiated[made.id] = began
            claimed = await client.claim_step(wait=1)
            if claimed.job is None or claimed.token is None:
                continue
            began = time.perf_counter()
            done = await client.complete_step(claimed.job.id, token=claimed.token, idempotency_key=new_id().hex)
            tally.steps.append(time.perf_counter() - began)
            if done.status == "done":
                tally.count(done.id)


def as_table(report: Report) -> Table:
    """A row for jobs and one for the steps that they are made of. Any error ends the measurement."""
    table = Table(title=f"{report.jobs:,} checkouts by three agents in {report.seconds:.1f} s", box=box.SIMPLE_HEAD)
    table.add_column("what")
    for head in ("per second", "p50 ms", "p95 ms", "p99 ms", "errors"):
        table.add_column(head, justify="right")
    rows = (("jobs", 1, report.whole), ("steps", 6, report.steps))
    for what, times, seen in rows:
        assert seen
        latencies = (f"{value:,.1f}" for value in (seen.p50, seen.p95, seen.p99))
        table.add_row(what, f"{times * report.jobs_per_second:,.0f}", *latencies, "0")
    return table
