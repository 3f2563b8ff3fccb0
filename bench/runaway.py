"""What a runaway client of one tenant costs another: the latencies of one that works at a steady pace beside it."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich import box
from rich.progress import track
from rich.table import Table

from bench.comparing import describe, postgres
from bench.load import Latency, Load, Measurement, measure, summarise
from bench.pace import Pace, Sample, pacing, told
from bench.page import Environment
from bench.services import HOST, ServiceFailed, serving_bursar, stocked, violations
from bench.wire import Endpoint
from bench.workloads import ONE_DOLLAR
from bursar.client import Bursar
from bursar.wire.mandates import CounterpartyRule, LimitWindow, MandateTerms

CALLS: Final = 20_000
CONNECTIONS: Final = 32
# What each runaway may pay, in dollars; each call asks for one.
CAP: Final = 5_000
NEIGHBOURS_CAP: Final = 1_000_000
PER_SECOND: Final = 100.0
MOST_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of time, on the machine's monotonic clock, and the runaway of it if there was one."""

    start: float
    end: float
    runaway: Measurement | None


@dataclass(frozen=True, slots=True)
class Report:
    """The neighbour's latencies and their number, without and with a runaway; what the runaways came to."""

    environment: Environment
    quiet: Latency
    loud: Latency
    quiet_samples: int
    loud_samples: int
    ratio: float
    turns: list[Turn]
    violations: str | None


def measure_runaway(scratch: Path, rounds: int, seconds: float) -> Report:
    """Serve two tenants; one works at a steady pace, and an agent of the other runs away in every second turn."""
    with postgres(scratch) as (place, url), serving_bursar(place, scratch) as service:
        neighbour = with_agent(stocked(service, place, "--tenant", "neighbour", "--operator", "boss"), NEIGHBOURS_CAP)
        boss = stocked(service, place, "--tenant", "runaway", "--operator", "boss")
        with pacing(Pace(neighbour, ONE_DOLLAR, 1, PER_SECOND)) as process:
            rest(2.0)
            turns: list[Turn] = []
            for number in track(range(rounds), description="Measuring"):
                turns += [rest(seconds), run_away(with_agent(boss, CAP), number)]
            samples = told(process).samples
        return report_of(describe(url), samples, turns, violations(place))


def with_agent(boss: Endpoint, cap: int) -> Endpoint:
    """A new agent under a mandate of that many dollars a month, as it reaches the service."""
    return asyncio.run(_with_agent(boss, cap))


async def _with_agent(boss: Endpoint, cap: int) -> Endpoint:
    window = LimitWindow(period="month", currency="USD", max_amount=f"{cap}.00")
    terms = MandateTerms(
        actions=["create_transfer"], counterparties=CounterpartyRule(mode="any"), windows=[window]
    )  # fmt: skip
    name = f"agent-{secrets.token_hex(8)}"
    async with Bursar(f"http://{HOST}:{boss.port}", boss.key) as operator:
        await operator.create_agent(name=name)
        mandate = await operator.draft_mandate(name=name, agent=name, terms=terms)
        await operator.activate_mandate(mandate.id)
        return replace(boss, key=(await operator.create_key(agent=name)).key)


def rest(seconds: float) -> Turn:
    """A turn without a runaway."""
    start = time.monotonic()
    time.sleep(seconds)
    return Turn(start, time.monotonic(), None)


def run_away(agent: Endpoint, seed: int) -> Turn:
    """A turn in which an agent calls as often as it is answered, each time under a fresh key."""
    start = time.monotonic()
    seen = measure(Load(agent, ONE_DOLLAR, seed, MOST_SECONDS, CONNECTIONS, CALLS))
    if seen.requests != CALLS or seen.statuses.get(201) != CAP:
        raise ServiceFailed(f"{seen.statuses} of {seen.requests} requests, {seen.broken}: the cap is {CAP}")
    return Turn(start, time.monotonic(), seen)


def report_of(where: Environment, samples: Sequence[Sample], turns: list[Turn], wrong: str | None) -> Report:
    """Put each sample to the turn in which it was due."""
    failed = [sample for sample in samples if sample.status != 201]
    if failed:
        raise ServiceFailed(f"{len(failed)} of the neighbour's {len(samples)} requests failed, such as {failed[0]}")
    quiet, loud = (
        [s.seconds for s in samples for t in turns if t.start <= s.due < t.end and bool(t.runaway) == is_loud]
        for is_loud in (False, True)
    )
    without, beside = summarise(quiet), summarise(loud)
    assert without
    assert beside
    return Report(where, without, beside, len(quiet), len(loud), beside.p99 / without.p99, turns, wrong)


def as_table(report: Report) -> Table:
    """The neighbour's latencies, a line for each kind of turn."""
    runs = [(turn.runaway.requests, turn.end - turn.start) for turn in report.turns if turn.runaway]
    rates = ", ".join(f"{requests / seconds:,.0f}" for requests, seconds in runs)
    title = f"{PER_SECOND:,.0f} requests a second beside {CALLS:,} calls of another tenant, {CONNECTIONS} at once"
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("turns")
    for heading in ("samples", "p50 ms", "p95 ms", "p99 ms", "p99 ratio", "its calls per second"):
        table.add_column(heading, justify="right")
    table.add_row("quiet", *figures(report.quiet, report.quiet_samples))
    table.add_row("loud", *figures(report.loud, report.loud_samples), f"{report.ratio:.2f}", rates)
    return table


def figures(seen: Latency, number: int) -> tuple[str, ...]:
    """The cells of a kind of turn."""
    return f"{number:,}", f"{seen.p50:,.1f}", f"{seen.p95:,.1f}", f"{seen.p99:,.1f}"
