"""Transfers one at a time: Bursar beside a route that does nothing and a tutorial's service, and what mandates cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench import plots
from bench.comparing import Side, describe, measure_rounds, over_http, postgres
from bench.goals import Goal, ratio
from bench.mandates import EVERY_RULE, MANDATES, agents_under
from bench.pace import at_share
from bench.page import Picture, Section
from bench.plots import Bar, Group
from bench.report import Report, Summaries, Summary, summarised
from bench.report import section_of as report_section
from bench.services import empty_database, running_baseline, running_bursar, running_empty, violations
from bench.tpcb import PGBENCH, TPCB, pgbench
from bench.workloads import ANY_TWO, COMPARED, HOT, TWENTY

EMPTY: Final = "empty route"
BASELINE: Final = "tutorial"
OPERATOR: Final = "Bursar, operator"
AGENT: Final = "Bursar, agent"
OURS: Final = (OPERATOR, AGENT)
THROUGHPUT: Final = "Transfers per second"
LATENCIES: Final = "How long an answer takes: p50 / p95 / p99"
# Of the highest rate just measured.
SHARE: Final = 0.7
STEADY: Final = "at 70 % of the highest rate"


def measure_transfers(scratch: Path, rounds: int, seconds: float) -> Report:
    """Every side under every workload."""
    with postgres(scratch) as (place, url):
        with (
            running_empty(scratch) as empty,
            running_baseline(url, scratch) as plain,
            running_bursar(place, scratch) as ours,
        ):
            services = {EMPTY: empty, BASELINE: plain, OPERATOR: ours, AGENT: agents_under(EVERY_RULE, ours, place)}
            sides = {side: over_http(endpoint) for side, endpoint in services.items()}
            plan = dict.fromkeys(COMPARED, sides) | {
                TPCB: {PGBENCH: pgbench(empty_database(url, "bench_tpcb"), scratch)},
                STEADY: {side: at_share(services[side], SHARE) for side in (EMPTY, *OURS)},
            }
            measured = list(measure_rounds(plan, url, rounds, seconds))
        seen = summarised(measured)
        return Report(describe(url), seconds, seen, goals(seen), violations(place), measured)


def measure_mandates(scratch: Path, rounds: int, seconds: float) -> Report:
    """An operator, whom no mandate limits, beside agents under the widest mandate and under one of every rule."""
    with postgres(scratch) as (place, url):
        with running_bursar(place, scratch) as operator:
            agents = {name: over_http(agents_under(name, operator, place)) for name in MANDATES}
            plan: dict[str, Mapping[str, Side]] = {ANY_TWO: {"operator": over_http(operator)} | agents}
            measured = list(measure_rounds(plan, url, rounds, seconds))
        return Report(describe(url), seconds, summarised(measured), [], violations(place), measured)


def section_of(report: Report) -> Section:
    """Tables beside the empty route and the tutorial's service, and pictures of rates and latencies."""
    seen = report.summaries
    rates = [
        Group(workload, [Bar(side, (of_side.rate,), side in OURS) for side, of_side in sides.items()])
        for workload, sides in seen.items()
        if workload != STEADY
    ]
    waits = [Group(workload, _waits(seen[workload])) for workload in (ANY_TWO, HOT, STEADY)]
    over = f"64 connections, medians of rounds of {report.seconds:g} s"
    pictures = [
        Picture("throughput", THROUGHPUT, plots.picture(THROUGHPUT, over, rates, "{:,.0f}")),
        Picture("latency", LATENCIES, plots.picture(LATENCIES, f"{over}; milliseconds", waits, "{:,.1f}")),
    ]
    return Section(report_section(report, (EMPTY, BASELINE)).tables, pictures)


def _waits(sides: Mapping[str, Summary]) -> list[Bar]:
    """The percentiles of each side that answered."""
    latencies = ((side, of_side.latency) for side, of_side in sides.items())
    return [Bar(side, (seen.p50, seen.p95, seen.p99), side in OURS) for side, seen in latencies if seen]


def goals(seen: Summaries) -> list[Goal]:
    """What the sides are to reach beside each other."""
    any_two, hot, twenty = seen[ANY_TWO], seen[HOT], seen[TWENTY]
    found = [
        Goal("1,000 accounts, ÷ empty route", ratio(any_two[OPERATOR].rate, any_two[EMPTY].rate), 1.0),
        Goal("1,000 accounts, ÷ tutorial", ratio(any_two[OPERATOR].rate, any_two[BASELINE].rate), 6.0),
        Goal("one hot account, ÷ 1,000 accounts", ratio(hot[OPERATOR].rate, any_two[OPERATOR].rate), 0.9),
        Goal("one hot account, ÷ tutorial", ratio(hot[OPERATOR].rate, hot[BASELINE].rate), 8.0),
        Goal("20 accounts, ÷ tutorial", ratio(twenty[OPERATOR].rate, twenty[BASELINE].rate), 20.0),
        Goal("20 accounts, errors", twenty[OPERATOR].errors + twenty[AGENT].errors, 0, "{:,.0f}", at_most=True),
    ]
    for workload, sides in ((workload, seen[workload]) for workload in COMPARED):
        found.append(Goal(f"{workload}, agent ÷ operator", ratio(sides[AGENT].rate, sides[OPERATOR].rate), 0.8))
    for side in OURS:
        latency = any_two[side].latency
        spread = latency and ratio(latency.p99, latency.p50)
        found.append(Goal(f"1,000 accounts, {side}, p99 ÷ p50", spread, 2.5, at_most=True))
        steady = seen[STEADY][side].latency
        found.append(Goal(f"{STEADY}, {side}, p99", steady and steady.p99, 15.0, "{:.1f} ms", at_most=True))
    return found
