"""`make bench`: what Bursar's guarantees cost, or save, and how much of each thing it does in a second."""

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, TypeVar

import cyclopts
from pydantic import TypeAdapter
from rich.console import Console

from bench import batches, growth, jobs, lending, page, payments, processes, report, runaway, single, stages
from bench.page import Section
from bench.services import ServiceFailed
from bursar.kernel.embedded import PostgresUnavailable

app = cyclopts.App(name="bench", help=__doc__)

JsonFile = Annotated[Path | None, cyclopts.Parameter("--json")]
Write = Annotated[bool, cyclopts.Parameter("--write", negative=())]
Measured = TypeVar(
    "Measured",
    report.Report,
    runaway.Report,
    jobs.Report,
    payments.Report,
    lending.Report,
    growth.Report,
    stages.Report,
)


@app.default
@app.command(name="transfers")
def bench(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure transfers beside an empty route and a tutorial's service, in alternating rounds.

    Parameters
    ----------
    rounds: How often each side is measured under each workload.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "transfers",
        lambda scratch: single.measure_transfers(scratch, rounds, seconds),
        single.section_of,
        json_file,
        write=write,
    )


@app.command
def mandate(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure what mandates cost: an operator's transfers against those of agents, in alternating rounds.

    Parameters
    ----------
    rounds: How often each side is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "mandate",
        lambda scratch: single.measure_mandates(scratch, rounds, seconds),
        lambda seen: report.section_of(seen, ("operator",)),
        json_file,
        write=write,
    )


@app.command(name="batches")
def batch(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure transfers in batches: over HTTP and in process, as an operator and as an agent.

    Parameters
    ----------
    rounds: How often each side is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "batches",
        lambda scratch: batches.measure_batches(scratch, rounds, seconds),
        report.section_of,
        json_file,
        write=write,
    )


@app.command(name="runaway")
def run_away(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure what a runaway client of one tenant costs another, with and without it by turns.

    Parameters
    ----------
    rounds: How often an agent runs away.
    seconds: How long the quiet turn before it takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "runaway",
        lambda scratch: runaway.measure_runaway(scratch, rounds, seconds),
        lambda seen: Section([runaway.as_table(seen)]),
        json_file,
        write=write,
    )


@app.command(name="jobs")
def do_jobs(*, count: int = 1000, lanes: int = 8, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure how many jobs a second three agents do together, from initiation to reconciliation.

    Parameters
    ----------
    count: How many jobs are done.
    lanes: How many requests each agent has under way at once.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "jobs",
        lambda scratch: jobs.measure_jobs(scratch, count, lanes),
        lambda seen: Section([jobs.as_table(seen)]),
        json_file,
        write=write,
    )


@app.command(name="payments")
def pay(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure how many payments a second the sandbox's provider takes over HTTP.

    Parameters
    ----------
    rounds: How often it is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "payments",
        lambda scratch: payments.measure_payments(scratch, rounds, seconds),
        lambda seen: Section([payments.as_table(seen)]),
        json_file,
        write=write,
    )


@app.command(name="lending")
def pass_night(*, loans: int = 100_000, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure a night: interest, installments that fall due, buckets, and their entries.

    Parameters
    ----------
    loans: How many loans have their night.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "lending",
        lambda scratch: lending.measure_night(scratch, loans),
        lambda seen: Section([lending.as_table(seen)]),
        json_file,
        write=write,
    )


@app.command(name="processes")
def process(*, rounds: int = 5, seconds: float = 5.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Measure transfers by one API process, by two, and by one behind PgBouncer.

    Parameters
    ----------
    rounds: How often each is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "processes",
        lambda scratch: processes.measure_processes(scratch, rounds, seconds),
        processes.section_of,
        json_file,
        write=write,
    )


@app.command(name="profile")
def look(*, seconds: float = 10.0, json_file: JsonFile = None, write: Write = False) -> None:
    """Show where the service's CPU time goes while it is asked over 64 connections.

    Parameters
    ----------
    seconds: How long each measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "profile",
        lambda scratch: stages.measure_stages(scratch, seconds),
        lambda seen: Section([stages.as_table(seen)]),
        json_file,
        write=write,
    )


@app.command(name="growth")
def grow(
    *,
    accounts: int = 1_000_000,
    entries: int = 10_000_000,
    rounds: int = 5,
    seconds: float = 5.0,
    json_file: JsonFile = None,
    write: Write = False,
) -> None:
    """Measure transfers in a large database beside a small one; to load and to verify it takes long.

    Parameters
    ----------
    accounts: How many accounts the large one has.
    entries: How many entries are loaded into it.
    rounds: How often each is measured.
    seconds: How long one measurement takes.
    json_file: Where to write everything that was measured.
    write: Put the figures into docs/performance.md.
    """
    show(
        "growth",
        lambda scratch: growth.measure_growth(scratch, accounts, entries, rounds, seconds),
        growth.section_of,
        json_file,
        write=write,
    )


@app.command(name="all")
def everything() -> None:
    """Carry out every benchmark but `growth`, which takes longer than all the others, and write docs/performance.md."""
    for one in (bench, batch, look, do_jobs, pass_night):
        one(write=True)
    # What is no goal is measured for a shorter time, so that all of it ends in twenty minutes.
    for one in (mandate, run_away, pay, process):
        one(seconds=3.0, write=True)


def show(
    name: str,
    measure_all: Callable[[Path], Measured],
    as_section: Callable[[Measured], Section],
    json_file: Path | None,
    *,
    write: bool,
) -> None:
    """Carry a benchmark out, print its tables, and exit with an error when an invariant is violated."""
    # Whoever ends the benchmark ends what it started.
    signal.signal(signal.SIGTERM, exit_on_signal)
    # A table that is cut off for want of a terminal tells nothing.
    console = Console()
    console.width = max(console.width, 140)
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as scratch:
        try:
            seen = measure_all(Path(scratch))
        except (ServiceFailed, PostgresUnavailable) as failure:
            sys.exit(str(failure))
    section = as_section(seen)
    console.print(str(seen.environment), *section.tables)
    if json_file:
        json_file.write_bytes(TypeAdapter(type(seen)).dump_json(seen, indent=2))
    if seen.violations:
        sys.exit(seen.violations)
    console.print("No invariant is violated.")
    if write:
        page.write(page.PAGE, name, seen.environment, section)


def exit_on_signal(number: int, _: FrameType | None) -> None:
    """Turn a signal into an orderly exit."""
    sys.exit(128 + number)


if __name__ == "__main__":
    app()
