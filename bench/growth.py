"""Whether transfers stay as fast with a thousand times the accounts, and after many entries, as they were at first."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString, NamedTuple

import psycopg
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import report
from bench.comparing import checkpoint, describe, measure_rounds, over_http, postgres
from bench.filling import fill
from bench.goals import Goal, ratio
from bench.mandates import EVERY_RULE, agents_under
from bench.page import Environment, Section
from bench.report import Round, Summaries, Summary, summarised
from bench.services import (
    DATABASE_URL,
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
SMALL: Final = "small"
LARGE: Final = "large"
# After a checkpoint the first change of each page puts the whole page into the log. There are so many pages that rounds
# right after one would measure little else; half an hour's work until the next has that once, at its beginning.
WARM_UP_SECONDS: Final = 30.0
WHOSE: Final = ("--operator", "bench")


class Loaded(NamedTuple):
    """What the large database held before it was measured, and how long it took to get there; its bytes at the end."""

    accounts: int
    entries: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured beside each other, and what was loaded before; as in `report.Report`."""

    environment: Environment
    seconds: float
    summaries: Summaries
    goals: list[Goal]
    violations: str | None
    rounds: list[Round]
    loaded: Loaded


def measure_growth(scratch: Path, accounts: int, entries: int, rounds: int, seconds: float) -> Report:
    """Serve a small database that is empty and a large one that is not, and measure both by turns."""
    with postgres(scratch) as (_, url):
        small, large = _own(url, "bench_small"), _own(url, "bench_large")
        with serving_bursar(small, scratch / "small") as young, serving_bursar(large, scratch / "large") as old:
            few = stocked(young, small, *WHOSE)
            many = tenant_of(old, large, *WHOSE)
            open_accounts(many, [SEED])
            post_all(many, many.path, [transfer_body(FUNDING, SEED, "1.00")])
            began = time.perf_counter()
            made = load(large[DATABASE_URL], accounts, entries)
            took = time.perf_counter() - began
            # A mandate names so many accounts at most, so an agent pays from these only.
            paying = any_of(accounts, len(ACCOUNTS))
            sides = {
                SMALL: over_http(few, workload=any_of(len(ACCOUNTS))),
                LARGE: over_http(many, workload=any_of(accounts)),
                f"{SMALL}, agent": over_http(agents_under(EVERY_RULE, few, small), workload=any_of(len(ACCOUNTS))),
                f"{LARGE}, agent": over_http(agents_under(EVERY_RULE, many, large, ()), workload=paying),
            }
            checkpoint(url)
            measured = list(
                measure_rounds({WORKLOAD: sides}, url, rounds, seconds, warm_up=WARM_UP_SECONDS, checkpoints=False)
            )
        seen = summarised(measured)
        wrong = [said for said in (violations(small), violations(large)) if said]
        loaded = Loaded(accounts, made, took, size_of(large[DATABASE_URL]))
        goals = goals_of(seen[WORKLOAD])
        return Report(describe(url), seconds, seen, goals, "\n".join(wrong) or None, measured, loaded)


def goals_of(seen: Mapping[str, Summary]) -> list[Goal]:
    """What is to be left of a rate where the database is large, and where a mandate has every rule."""
    small, large, small_agent, large_agent = (summary.rate for summary in seen.values())
    return [
        Goal("operator, large ÷ small", ratio(large, small), 0.85),
        Goal("agent, large ÷ small", ratio(large_agent, small_agent), 0.85),
        Goal("large, agent ÷ operator", ratio(large_agent, large), 0.8),
    ]


def load(url: str, accounts: int, entries: int) -> int:
    """Fill the database, and show how far it is; returns how many entries there are."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Loading entries", total=entries)
        return fill(url, accounts, entries, lambda done: progress.update(task, completed=done))


def _own(url: str, name: LiteralString) -> Place:
    return {DATABASE_URL: empty_database(url, name)}


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
    held = seen.loaded
    loaded.add_row(f"{held.accounts:,}", f"{held.entries:,}", f"{held.seconds:,.0f}", f"{held.bytes / 1e9:.1f}")
    return Section([*tables, loaded])
