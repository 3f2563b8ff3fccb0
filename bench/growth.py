"""Whether transfers stay as fast with a thousand times the accounts, and after many entries, as they were at first."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import report
from bench.comparing import describe, measure_rounds, over_http, postgres
from bench.filling import fill
from bench.goals import Goal, ratio
from bench.page import Environment, Section
from bench.report import Round, Summaries, summarised
from bench.services import (
    FUNDING,
    Place,
    empty_database,
    open_accounts,
    post_all,
    serving_bursar,
    stocked,
    tenant_of,
    violations,
)
from bench.workloads import ACCOUNTS, any_of, transfer_body

WORKLOAD: Final = "any two accounts"
SEED: Final = "SEED"
LEAST: Final = 0.85


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured beside each other, and what was loaded before; as in `report.Report`."""

    environment: Environment
    seconds: float
    summaries: Summaries
    goals: list[Goal]
    violations: str | None
    rounds: list[Round]
    accounts: int
    entries: int
    loading_seconds: float
    bytes: int


def measure_growth(scratch: Path, accounts: int, entries: int, rounds: int, seconds: float) -> Report:
    """Serve a small database that is empty and a large one that is not, and measure both by turns."""
    with postgres(scratch) as (_, url):
        small, large = _own(url, "bench_small"), _own(url, "bench_large")
        with serving_bursar(small, scratch / "small") as young, serving_bursar(large, scratch / "large") as old:
            whose = ("--tenant", "bench", "--operator", "bench")
            first = stocked(young, small, *whose)
            second = tenant_of(old, large, *whose)
            open_accounts(second, [SEED])
            post_all(second, second.path, [transfer_body(FUNDING, SEED, "1.00")])
            began = time.perf_counter()
            made = load(large["BURSAR_DATABASE_URL"], accounts, entries)
            took = time.perf_counter() - began
            before, after = any_of(len(ACCOUNTS)), f"{any_of(accounts)}, {made:,} entries"
            sides = {
                before: over_http(first, workload=any_of(len(ACCOUNTS))),
                after: over_http(second, workload=any_of(accounts)),
            }
            measured = list(measure_rounds({WORKLOAD: sides}, url, rounds, seconds))
        seen = summarised(measured)
        kept = ratio(seen[WORKLOAD][after].rate, seen[WORKLOAD][before].rate)
        goals = [Goal(f"{after}, ÷ {before} and no entries", kept, LEAST)]
        wrong = [said for said in (violations(small), violations(large)) if said]
        size = size_of(large["BURSAR_DATABASE_URL"])
        return Report(
            describe(url), seconds, seen, goals, "\n".join(wrong) or None, measured, accounts, made, took, size
        )


def load(url: str, accounts: int, entries: int) -> int:
    """Fill the database, and show how far it is; returns how many entries there are."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Loading entries", total=entries)
        return fill(url, accounts, entries, lambda done: progress.update(task, completed=done))


def _own(url: str, name: LiteralString) -> Place:
    return {"BURSAR_DATABASE_URL": empty_database(url, name)}


def size_of(url: str) -> int:
    """The bytes that a database takes on disk, without the write-ahead log."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row
    return row[0]


def section_of(seen: Report) -> Section:
    """The usual tables, and what was loaded."""
    tables = report.section_of(
        report.Report(seen.environment, seen.seconds, seen.summaries, seen.goals, seen.violations, seen.rounds)
    ).tables
    loaded = Table(title="What was loaded", box=box.SIMPLE_HEAD)
    for heading in ("accounts", "entries", "seconds", "GB in the end"):
        loaded.add_column(heading, justify="right")
    size = f"{seen.bytes / 1e9:.1f}"
    loaded.add_row(f"{seen.accounts:,}", f"{seen.entries:,}", f"{seen.loading_seconds:,.0f}", size)
    return Section([*tables, loaded])
