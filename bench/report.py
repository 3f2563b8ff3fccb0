"""What a benchmark run says at its end, as a table for people and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.table import Table

from bench.load import Measurement


@dataclass(frozen=True, slots=True)
class Environment:
    """What the figures depend on besides the code; `machine` is its processor, memory and kernel."""

    machine: str
    cores: int
    python: str
    postgresql: str
    fsync: str
    synchronous_commit: str

    def __str__(self) -> str:
        """In one line."""
        commits = f"fsync {self.fsync}, synchronous_commit {self.synchronous_commit}"
        return f"{self.cores} cores of {self.machine}; Python {self.python}, {self.postgresql}, {commits}"


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement and what it belongs to."""

    workload: str
    service: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Summary:
    """The medians of a service's rounds, in requests per second and milliseconds, and all of their errors."""

    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class Pair:
    """What two sides did under one workload, and the second one's rate as a multiple of the first one's."""

    workload: str
    names: tuple[str, str]
    sides: tuple[Summary, Summary]
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run; `violations` is what `bursar verify` said when it was not satisfied."""

    environment: Environment
    seconds: float
    pairs: list[Pair]
    violations: str | None
    rounds: list[Round]


def pair(workload: str, names: tuple[str, str], rounds: Sequence[Round]) -> Pair:
    """Summarise what two sides did under a workload."""
    first, second = (
        summarise([each.measurement for each in rounds if (each.workload, each.service) == (workload, name)])
        for name in names
    )
    return Pair(workload, names, (first, second), ratio=second.rate / first.rate if first.rate else None)


def summarise(measurements: Sequence[Measurement]) -> Summary:
    """The medians of several rounds of one service under one workload."""
    latencies = [seen.latency for seen in measurements if seen.latency]
    return Summary(
        rate=median(seen.rate for seen in measurements),
        p50=median(latency.p50 for latency in latencies) if latencies else None,
        p95=median(latency.p95 for latency in latencies) if latencies else None,
        p99=median(latency.p99 for latency in latencies) if latencies else None,
        requests=sum(seen.requests for seen in measurements),
        errors=sum(seen.errors for seen in measurements),
    )


def as_table(report: Report) -> Table:
    """Two lines per workload, one for each side."""
    table = Table(title=f"Medians of rounds of {report.seconds:g} s", box=box.SIMPLE_HEAD)
    table.add_column("workload")
    table.add_column("side")
    for heading in ("per second", "ratio", "p50 ms", "p95 ms", "p99 ms", "errors"):
        table.add_column(heading, justify="right")
    for each in report.pairs:
        (first, second), (before, after) = each.names, each.sides
        table.add_row(each.workload, first, *figures(before, None))
        table.add_row("", second, *figures(after, each.ratio), end_section=True)
    return table


def figures(summary: Summary, ratio: float | None) -> tuple[str, ...]:
    """A service's cells, ready to be shown."""
    factor = "" if ratio is None else f"{ratio:.2f}"
    latencies = ("–" if value is None else f"{value:,.1f}" for value in (summary.p50, summary.p95, summary.p99))
    return f"{summary.rate:,.0f}", factor, *latencies, f"{summary.errors:,}"
