"""`make bench`: what Bursar's guarantees cost, or save, against the service a tutorial would have written."""

import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import cyclopts
import psycopg
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.load import GRACE_SECONDS, Load, Measurement
from bench.mandates import MANDATES, agent_under
from bench.report import Environment, Report, Round, as_table, pair
from bench.services import ServiceFailed, bursar, running_baseline, running_bursar
from bench.wire import Endpoint
from bench.workloads import ANY_TWO, WORKLOADS
from bursar.kernel.embedded import EmbeddedPostgres, PostgresUnavailable

WARM_UP_SECONDS: Final = 2.0
PROCESS_SECONDS: Final = 30.0

app = cyclopts.App(name="bench", help=__doc__)


@app.default
def bench(
    *, rounds: int = 5, seconds: float = 5.0, json_file: Annotated[Path | None, cyclopts.Parameter("--json")] = None
) -> None:
    """Measure both services in alternating rounds and print a table.

    Parameters
    ----------
    rounds: How often each service is measured under each workload.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    """
    show(lambda scratch: against_baseline(scratch, rounds, seconds), json_file)


@app.command
def mandate(
    *, rounds: int = 5, seconds: float = 5.0, json_file: Annotated[Path | None, cyclopts.Parameter("--json")] = None
) -> None:
    """Measure what mandates cost: an operator's transfers against those of agents, in alternating rounds.

    Parameters
    ----------
    rounds: How often each side is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    """
    show(lambda scratch: with_mandates(scratch, rounds, seconds), json_file)


def show(measure_all: Callable[[Path], Report], json_file: Path | None) -> None:
    """Carry a benchmark out, print its table, and exit with an error when an invariant is violated."""
    # Whoever ends the benchmark ends what it started.
    signal.signal(signal.SIGTERM, exit_on_signal)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as scratch:
        try:
            report = measure_all(Path(scratch))
        except (ServiceFailed, PostgresUnavailable) as failure:
            sys.exit(str(failure))
    console.print(as_table(report))
    if json_file:
        json_file.write_bytes(TypeAdapter(Report).dump_json(report, indent=2))
    console.print("No invariant is violated." if report.violations is None else report.violations, markup=False)
    sys.exit(report.violations is not None)


def exit_on_signal(number: int, _: FrameType | None) -> None:
    """Turn a signal into an orderly exit."""
    sys.exit(128 + number)


def against_baseline(scratch: Path, rounds: int, seconds: float) -> Report:
    """Bursar against the tutorial-style service, under every workload."""
    with postgres(scratch) as (data, url):
        with running_baseline(url, scratch) as plain, running_bursar(data, scratch) as ours:
            sides = {"baseline": plain, "Bursar": ours}
            measured = list(measure_rounds(sides, WORKLOADS, url, rounds, seconds))
        pairs = [pair(workload, ("baseline", "Bursar"), measured) for workload in WORKLOADS]
        return Report(describe(url), seconds, pairs, violations(data), measured)


def with_mandates(scratch: Path, rounds: int, seconds: float) -> Report:
    """An operator, whom no mandate limits, against agents under the widest mandate and under one of every rule."""
    with postgres(scratch) as (data, url):
        with running_bursar(data, scratch) as operator:
            sides = {"operator": operator} | {name: agent_under(name, operator, data) for name in MANDATES}
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
    return Environment(os.cpu_count() or 1, platform.python_version(), *row)


def violations(data: Path) -> str | None:
    """What `bursar verify` complains about; None when every invariant holds."""
    try:
        bursar("verify", "--data", str(data))
    except ServiceFailed as failure:
        return str(failure)
    return None


if __name__ == "__main__":
    app()
