"""How much of the service's CPU time each stage of a transfer takes."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from rich import box
from rich.table import Table

from bench import costs
from bench.comparing import WARM_UP_SECONDS, checkpoint, describe, postgres
from bench.load import Load, Measurement, measure
from bench.mandates import EVERY_RULE, agents_under
from bench.page import Environment
from bench.profiling import OUTPUT
from bench.services import START_SECONDS, ServiceFailed, running, stocked, violations
from bench.wire import Endpoint
from bench.workloads import ANY_TWO


@dataclass(frozen=True, slots=True)
class Report:
    """CPU microseconds of the service for a transfer, by who asks and stage; the rates are those under observation."""

    environment: Environment
    stages: dict[str, dict[str, float]]
    measurements: dict[str, Measurement]
    violations: str | None


def measure_stages(scratch: Path, seconds: float) -> Report:
    """Look at the service while it is asked over 64 connections, by an operator and by an agent."""
    output = scratch / "looks.json"
    with postgres(scratch) as (place, url):
        command, told = ("bench.profiling", "serve", "--port", "0"), {**place, OUTPUT: str(output)}
        with running(*command, log=scratch / "bursar.log", path="/v1/transfers", place=told) as service:
            operator = stocked(service, place, "--operator", "bench")
            askers = {"operator": operator, "agent": agents_under(EVERY_RULE, operator, place)}
            stages: dict[str, dict[str, float]] = {}
            measurements: dict[str, Measurement] = {}
            for who, endpoint in askers.items():
                measure(Load(endpoint, ANY_TWO, 0, WARM_UP_SECONDS))
                checkpoint(url)
                stages[who], measurements[who] = looked_at(endpoint, url, seconds, output)
        return Report(describe(url), stages, measurements, violations(place))


def looked_at(endpoint: Endpoint, url: str, seconds: float, output: Path) -> tuple[dict[str, float], Measurement]:
    """One measurement: the microseconds of each stage, and what else was seen."""
    assert endpoint.pid
    counts_of(endpoint.pid, output)
    before = costs.read(url, endpoint.pid)
    seen = measure(Load(endpoint, ANY_TWO, 1, seconds))
    spent = costs.between(before, costs.read(url, endpoint.pid), seen.cpu_seconds, seen.transfers)
    counts = counts_of(endpoint.pid, output)
    if not spent or not counts:
        raise ServiceFailed(f"nothing was done: {seen.statuses} {seen.broken} {seen.samples}")
    return shared_out(counts, spent.service), seen


def shared_out(counts: Mapping[str, int], whole: float) -> dict[str, float]:
    """The whole in the proportions of the counts, the largest first."""
    total = sum(counts.values())
    return {stage: whole * count / total for stage, count in sorted(counts.items(), key=lambda item: -item[1])}


def counts_of(pid: int, output: Path) -> dict[str, int]:
    """What the process has counted since it was last asked."""
    output.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    give_up_at = time.monotonic() + START_SECONDS
    while not output.exists():
        if time.monotonic() > give_up_at:
            raise ServiceFailed("the service under observation does not tell what was seen")
        time.sleep(0.01)
    return TypeAdapter(dict[str, int]).validate_json(output.read_bytes())


def as_table(report: Report) -> Table:
    """A line for each stage, and one for all of them."""
    table = Table(title="CPU µs of the service for a transfer", box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for who in report.stages:
        table.add_column(who, justify="right")
    stages = dict.fromkeys(stage for of_one in report.stages.values() for stage in of_one)
    for stage in stages:
        table.add_row(stage, *(f"{of_one.get(stage, 0.0):,.0f}" for of_one in report.stages.values()))
    table.add_row("all", *(f"{sum(of_one.values()):,.0f}" for of_one in report.stages.values()))
    return table
