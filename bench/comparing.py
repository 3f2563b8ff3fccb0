"""Measures sides in alternating rounds of one run, and what each of them costs the machine."""

import os
import platform
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import costs
from bench.load import Load, Measurement, Mode, measure
from bench.page import Environment
from bench.report import Round
from bench.services import Place
from bench.wire import Endpoint
from bursar.kernel.embedded import EmbeddedPostgres

WARM_UP_SECONDS: Final = 2.0
# What the figures depend on besides Python and PostgreSQL.
LIBRARIES: Final = {"fastapi": "FastAPI", "uvicorn": "uvicorn", "uvloop": "uvloop", "asyncpg": "asyncpg"}


class Side(NamedTuple):
    """What is measured: `measure` does, by workload, seed and seconds; `pid` is the service's, if there is one."""

    measure: Callable[[str, int, float], Measurement]
    pid: int | None = None


def over_http(endpoint: Endpoint, connections: int = 64, mode: Mode | None = None, workload: str | None = None) -> Side:
    """A side that is asked over so many connections, each sending its next request when the last one is answered.

    With a `workload` of its own it is measured under that one.
    """

    def measured(plans: str, seed: int, seconds: float) -> Measurement:
        return measure(Load(endpoint, workload or plans, seed, seconds, connections, mode=mode))

    return Side(measured, endpoint.pid)


@contextmanager
def postgres(scratch: Path) -> Generator[tuple[Place, str]]:
    """A PostgreSQL of the benchmark's own: where Bursar's data is on it, and its URL."""
    data = scratch / "data"
    server = EmbeddedPostgres(data)
    url = server.start()
    try:
        yield {"BURSAR_DATA": str(data)}, url
    finally:
        server.stop()


def measure_rounds(
    plan: Mapping[str, Mapping[str, Side]],
    url: str,
    rounds: int,
    seconds: float,
    *,
    warm_up: float = WARM_UP_SECONDS,
    checkpoints: bool = True,
) -> Iterator[Round]:
    """Every measurement of the run: the sides of each workload, by turns, and in turned order in every second round.

    A round goes through all workloads, so that a machine that is slow for a while is so for each of them. Round 0
    warms up. Without `checkpoints` before each, they come as PostgreSQL makes them.
    """
    steps = [
        (workload, number, name)
        for number in range(rounds + 1)
        for workload, sides in plan.items()
        for name in list(sides)[:: 1 if number % 2 else -1]
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for workload, number, name in progress.track(steps, description="Measuring"):
            side = plan[workload][name]
            if checkpoints:
                checkpoint(url)
            before = costs.read(url, side.pid)
            seen = side.measure(workload, number, seconds if number else warm_up)
            cost = costs.between(before, costs.read(url, side.pid), seen.cpu_seconds, seen.transfers)
            what = f"round {number}" if number else "warm-up"
            progress.console.print(f"{workload}, {name}, {what}: {seen.rate:,.0f}/s, {seen.errors} errors")
            if seen.errors:
                progress.console.print(f"{seen.statuses} {seen.broken}", *seen.samples, markup=False, soft_wrap=True)
            if number:
                yield Round(workload, name, seen, cost)


def checkpoint(url: str) -> None:
    """Write out what the last measurement left dirty, so that the next service does not pay for it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def describe(url: str) -> Environment:
    """Where and on what the benchmark runs."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT split_part(version(), ' on ', 1), current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()
    assert row
    libraries = ", ".join(f"{shown} {version(name)}" for name, shown in LIBRARIES.items())
    return Environment(machine(), os.cpu_count() or 1, platform.python_version(), libraries, *row)


def machine() -> str:
    """The processor, the memory and the kernel."""
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = re.match(r"\d+\.\d+", platform.release())
    return f"{named[1] if named else platform.machine()}, {memory:.0f} GiB, Linux {kernel[0] if kernel else ''}".strip()
