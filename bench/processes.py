"""Whether several API processes, or a pooler between them and PostgreSQL, cost anything."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.bouncer import bouncing, program
from bench.comparing import Side, describe, measure_rounds, over_http, postgres
from bench.page import Section
from bench.report import Report, summarised
from bench.report import section_of as report_section
from bench.services import DATABASE_URL, Place, empty_database, serving_bursar, stocked, violations
from bench.workloads import ANY_TWO

ONE: Final = "1 process"
TWO: Final = "2 processes"
POOLED: Final = "1 process, PgBouncer"


def section_of(report: Report) -> Section:
    """The usual tables; where PgBouncer is not installed, the first says so."""
    section = report_section(report, (ONE,))
    if POOLED not in report.summaries[ANY_TWO]:
        first = section.tables[0]
        first.add_row("", POOLED, "not installed", *[""] * (len(first.columns) - 3))
    return section


def measure_processes(scratch: Path, rounds: int, seconds: float) -> Report:
    """One process, two of them, and one behind PgBouncer if there is one: all on one database."""
    with postgres(scratch) as (_, url):
        place: Place = {DATABASE_URL: empty_database(url, "bench_processes")}
        with ExitStack() as running:
            one = running.enter_context(serving_bursar(place, scratch / "one"))
            operator = stocked(one, place, "--operator", "bench")
            two = running.enter_context(serving_bursar(place, scratch / "two", "--workers", "2"))
            endpoints = {ONE: one, TWO: two}
            if program():
                through = running.enter_context(bouncing(place[DATABASE_URL], scratch))
                pooled: Place = {DATABASE_URL: through, "BURSAR_POOLED": "true"}
                endpoints[POOLED] = running.enter_context(serving_bursar(pooled, scratch / "pooled"))
            sides: dict[str, Side] = {
                name: over_http(replace(endpoint, key=operator.key)) for name, endpoint in endpoints.items()
            }
            measured = list(measure_rounds({ANY_TWO: sides}, url, rounds, seconds))
        return Report(describe(url), seconds, summarised(measured), [], violations(place), measured)
