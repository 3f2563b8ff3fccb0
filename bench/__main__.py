"""`make bench`: what Bursar's guarantees cost, or save, against the service a tutorial would have written."""

import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import cyclopts
import psycopg
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.load import GRACE_SECONDS, Load, Measurement
from bench.report import Environment, Report, Round, as_table, pair
from bench.services import ServiceFailed, bursar, running_baseline, running_bursar
from bench.wire import Endpoint
from bench.workloads import WORKLOADS
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
    # Whoever ends the benchmark ends what it started.
    signal.signal(signal.SIGTERM, exit_on_signal)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as scratch:
        try:
            report = measure_all(Path(scratch), rounds, seconds)
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


def measure_all(scratch: Path, rounds: int, seconds: float) -> Report:
    """Start PostgreSQL and both services, measure them and have Bursar verify its ledger."""
    data = scratch / "data"
    postgres = EmbeddedPostgres(data)
    url = postgres.start()
    try:
        with running_baseline(url, scratch) as plain, running_bursar(data, scratch) as ours:
            measured = list(measure_rounds({"baseline": plain, "bursar": ours}, url, rounds, seconds))
        pairs = [pair(workload, measured) for workload in WORKLOADS]
        return Report(describe(url), seconds, pairs, violations(data), measured)
    finally:
        postgres.stop()


def measure_rounds(services: Mapping[str, Endpoint], url: str, rounds: int, seconds: float) -> Iterator[Round]:
    """Every measurement of the run; round 0 of each workload warms up, and the order turns with every round."""
    plan = [
        (workload, number, name)
        for workload in WORKLOADS
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
