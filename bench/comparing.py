"""Compares sides under the same load, in alternating rounds of one run."""

import os
import platform
import re
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.load import Load, measure
from bench.mandates import MANDATES, agents_under
from bench.report import Environment, Report, Round, pair
from bench.services import running_baseline, running_bursar, violations
from bench.wire import Endpoint
from bench.workloads import ANY_TWO, COMPARED
from bursar.kernel.embedded import EmbeddedPostgres

WARM_UP_SECONDS: Final = 2.0


def against_baseline(scratch: Path, rounds: int, seconds: float) -> Report:
    """Bursar against the tutorial-style service, under every workload."""
    with postgres(scratch) as (data, url):
        with running_baseline(url, scratch) as plain, running_bursar(data, scratch) as ours:
            sides = {"baseline": plain, "Bursar": ours}
            measured = list(measure_rounds(sides, COMPARED, url, rounds, seconds))
        pairs = [pair(workload, ("baseline", "Bursar"), measured) for workload in COMPARED]
        return Report(describe(url), seconds, pairs, violations(data), measured)


def with_mandates(scratch: Path, rounds: int, seconds: float) -> Report:
    """An operator, whom no mandate limits, against agents under the widest mandate and under one of every rule."""
    with postgres(scratch) as (data, url):
        with running_bursar(data, scratch) as operator:
            sides = {"operator": operator} | {name: agents_under(name, operator, data) for name in MANDATES}
            measured = list(measure_rounds(sides, [ANY_TWO], url, rounds, seconds))
        pairs = [pair(ANY_TWO, ("operator", name), measured) for name in MANDATES]
        return Report(describe(url), seconds, pairs, violations(data), measured)


@contextmanager
def postgres(scratch: Path) -> Generator[tuple[Path, str]]:
    """A PostgreSQL of the benchmark's own: its data directory and its URL."""
    data = scratch / "data"
    server = EmbeddedPostgres(data)
    url = server.start()
    try:
        yield data, url
    finally:
        server.stop()


def measure_rounds(
    services: Mapping[str, Endpoint], workloads: Collection[str], url: str, rounds: int, seconds: float
) -> Iterator[Round]:
    """Every measurement of the run; round 0 of each workload warms up, and the order turns with every round."""
    plan = [
        (workload, number, name)
        for workload in workloads
        for number in range(rounds + 1)
        for name in sorted(services, reverse=number % 2 == 0)
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for workload, number, name in progress.track(plan, description="Measuring"):
            checkpoint(url)
            length = seconds if number else WARM_UP_SECONDS
            seen = measure(Load(services[name], workload, seed=number, seconds=length))
            what = f"round {number}" if number else "warm-up"
            progress.console.print(f"{workload}, {name}, {what}: {seen.rate:,.0f}/s, {seen.errors} errors")
            if number:
                yield Round(workload, name, seen)


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
    return Environment(machine(), os.cpu_count() or 1, platform.python_version(), *row)


def machine() -> str:
    """The processor, the memory and the kernel."""
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = re.match(r"\d+\.\d+", platform.release())
    return f"{named[1] if named else platform.machine()}, {memory:.0f} GiB, Linux {kernel[0] if kernel else ''}".strip()
