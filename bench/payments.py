"""How many payments a second the sandbox's provider takes over HTTP: three commits each, and a hot clearing account."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich import box
from rich.table import Table

from bench.comparing import describe, measure_rounds, over_http, postgres
from bench.page import Environment
from bench.report import HEADS, Round, Summary, figures, summarise
from bench.services import HOST, new_key, serving_bursar, violations
from bursar.client import Bursar

WORKLOAD: Final = "sandbox payments"


@dataclass(frozen=True, slots=True)
class Report:
    """The medians of all rounds; `violations` is what verification found afterwards, None when nothing.

    Verification holds the clearing account against the provider's own books.
    """

    environment: Environment
    seconds: float
    taken: Summary
    violations: str | None
    rounds: list[Round]


def measure_payments(scratch: Path, rounds: int, seconds: float) -> Report:
    """Have an operator take payments of a dollar over 64 connections, as fast as they are answered."""
    with postgres(scratch) as (place, url), serving_bursar(place, scratch) as service:
        key = new_key(place, "--operator", "bench")
        method = asyncio.run(_method(service.port, key))
        endpoint = replace(service, path="/v1/payments", key=key, pays_by=method)
        measured = list(measure_rounds({WORKLOAD: {"Bursar": over_http(endpoint)}}, url, rounds, seconds))
        taken = summarise(measured)
        return Report(describe(url), seconds, taken, violations(place), measured)


async def _method(port: int, key: str) -> str:
    async with Bursar(f"http://{HOST}:{port}", key) as client:
        return (await client.create_payment_method(reference="sandbox_ok", kind="card")).id


def as_table(report: Report) -> Table:
    """One row."""
    table = Table(title=f"Medians of rounds of {report.seconds:g} s", box=box.SIMPLE_HEAD)
    table.add_column("what")
    for heading in ("per second", *HEADS):
        table.add_column(heading, justify="right")
    table.add_row("payments", *figures(report.taken))
    return table
