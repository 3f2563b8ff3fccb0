"""How many jobs a second three agents do together over HTTP, from their initiation to their reconciliation."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from bench.services import HOST, CreatedKey, bursar, serving_bursar, violations
from bursar.client import Bursar
from bursar.kernel.ids import new_id
from bursar.wire.jobs import WantedShare

AGENTS: Final = ("ann", "bob", "cat")
SHARES: Final = [WantedShare(source="ACC10001", target="ACC20002")]


@dataclass(frozen=True, slots=True)
class Report:
    """What was done in how many seconds; `violations` is what verification found, None when nothing."""

    jobs: int
    seconds: float
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

    def count(self) -> None:
        """One more is done."""
        self.done += 1
        self.ended = time.perf_counter()


def measure_jobs(scratch: Path, jobs: int, lanes: int) -> Report:
    """Have three agents, each over so many lanes, initiate and do so many checkouts of one cent on a fresh sandbox."""
    data = scratch / "data"
    with serving_bursar(data, scratch) as port:
        made = [bursar("key", "create", "--data", str(data), "--agent", agent, "--json") for agent in AGENTS]
        keys = [CreatedKey.model_validate_json(text).key for text in made]
        tally = asyncio.run(_drive(f"http://{HOST}:{port}", keys, jobs, lanes))
        return Report(jobs, tally.ended - tally.began, violations(data))


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
                await client.create_job(definition="checkout", amount="0.01", currency="USD", shares=SHARES)
            claimed = await client.claim_step(wait=1)
            if claimed.job is None or claimed.token is None:
                continue
            done = await client.complete_step(claimed.job.id, token=claimed.token, idempotency_key=new_id().hex)
            if done.status == "done":
                tally.count()


def as_table(report: Report) -> Table:
    """One row: jobs, and the steps that they are made of."""
    table = Table(title="Checkouts by three agents")
    rates = [report.jobs_per_second, 6 * report.jobs_per_second]
    for head in ("jobs", "seconds", "jobs per second", "steps per second"):
        table.add_column(head, justify="right")
    table.add_row(str(report.jobs), *(f"{value:.1f}" for value in (report.seconds, *rates)))
    return table
