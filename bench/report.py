"""What a benchmark run says at its end, as tables for people and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import Final, TypeVar

from rich import box
from rich.table import Table

from bench import goals
from bench.costs import Costs
from bench.goals import Goal, ratio
from bench.load import Latency, Measurement
from bench.page import Environment, Section

Figures = TypeVar("Figures", Latency, Costs)

HEADS: Final = ("p50 ms", "p95 ms", "p99 ms", "max ms", "errors")
COSTS: Final = ("service CPU µs", "PostgreSQL CPU µs", "generator CPU µs", "WAL bytes")


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement, what it belongs to, and what a transfer of it cost."""

    workload: str
    side: str
    measurement: Measurement
    costs: Costs | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A side under a workload: medians of its rounds, transfers per second and milliseconds, and all of its errors.

    `max` is the longest of all rounds.
    """

    rate: float
    latency: Latency | None
    requests: int
    errors: int
    costs: Costs | None


Summaries = dict[str, dict[str, Summary]]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run, by workload and side; `violations` is what `bursar verify` said when it was not satisfied."""

    environment: Environment
    seconds: float
    summaries: Summaries
    goals: list[Goal]
    violations: str | None
    rounds: list[Round]


def summarised(rounds: Sequence[Round]) -> Summaries:
    """The medians of each side's rounds under each workload, in the order in which they come first."""
    places: dict[str, dict[str, list[Round]]] = {}
    for each in rounds:
        places.setdefault(each.workload, {}).setdefault(each.side, []).append(each)
    return {
        workload: {side: summarise(of_side) for side, of_side in sides.items()} for workload, sides in places.items()
    }


def summarise(rounds: Sequence[Round]) -> Summary:
    """The medians of several rounds of one side under one workload."""
    measurements = [each.measurement for each in rounds]
    return Summary(
        rate=median(seen.rate for seen in measurements),
        latency=typical([seen.latency for seen in measurements if seen.latency]),
        requests=sum(seen.requests for seen in measurements),
        errors=sum(seen.errors for seen in measurements),
        costs=_middle(Costs, [each.costs for each in rounds if each.costs]),
    )


def typical(latencies: Sequence[Latency]) -> Latency | None:
    """The median of each percentile, and the longest."""
    middle = _middle(Latency, latencies)
    return middle and Latency(middle.p50, middle.p95, middle.p99, max(latency.max for latency in latencies))


def _middle(kind: type[Figures], many: Sequence[Figures]) -> Figures | None:
    return kind(*map(median, zip(*map(astuple, many), strict=True))) if many else None


def section_of(report: Report, against: Sequence[str] = ()) -> Section:
    """Rates, each also as a multiple of those it is held `against`, latencies, costs, and what is to be reached."""
    title = f"Medians of rounds of {report.seconds:g} s"
    heads = ("per second", *(f"÷ {side}" for side in against), *HEADS)
    rates, costs = headed(title, heads), headed("What a transfer costs", COSTS)
    for workload, sides in report.summaries.items():
        first = workload
        for side, seen in sides.items():
            ratios = (ratio(seen.rate, sides[other].rate) if other in sides else None for other in against)
            rate, *others = figures(seen)
            rates.add_row(first, side, rate, *map(shown_ratio, ratios), *others)
            costs.add_row(first, side, *cells(seen.costs))
            first = ""
    return Section([rates, costs, *([goals.as_table(report.goals)] if report.goals else [])])


def headed(title: str, heads: Sequence[str]) -> Table:
    """A table with a line for each side of each workload."""
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("workload")
    table.add_column("side")
    for heading in heads:
        table.add_column(heading, justify="right")
    return table


def shown_ratio(value: float | None) -> str:
    """A ratio's cell."""
    return "–" if value is None else f"{value:.2f}"


def figures(summary: Summary) -> tuple[str, ...]:
    """A side's cells: its rate, and those under HEADS."""
    seen = summary.latency
    latencies = (seen.p50, seen.p95, seen.p99, seen.max) if seen else (None,) * 4
    shown = ("–" if value is None else f"{value:,.1f}" for value in latencies)
    return f"{summary.rate:,.0f}", *shown, f"{summary.errors:,}"


def cells(costs: Costs | None) -> tuple[str, ...]:
    """The cells under COSTS."""
    if costs is None:
        return ("–",) * len(COSTS)
    return tuple(f"{value:,.0f}" for value in (costs.service, costs.postgres, costs.generator, costs.wal))
