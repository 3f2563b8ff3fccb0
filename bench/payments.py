"""How many payments a second the sandbox's provider takes over HTTP: three commits each, and a hot clearing account."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich import box
from rich.table import Table

from bench.comparing import describe, measure_rounds, postgres
from bench.report import Environment, Round, Summary, figures, summarise
from bench.services import HOST, CreatedKey, bursar, serving_bursar, violations
from bench.wire import Endpoint
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
    with postgres(scratch) as (data, url), serving_bursar(data, scratch) as port:
        created = bursar("key", "create", "--data", str(data), "--operator", "bench", "--json")
        key = CreatedKey.model_validate_json(created).key
        method = asyncio.run(_method(port, key))
        endpoint = Endpoint(HOST, port, "/v1/payments", key, pays_by=method)
        measured = list(measure_rounds({"Bursar": endpoint}, [WORKLOAD], url, rounds, seconds))
        taken = summarise([each.measurement for each in measured])
        return Report(describe(url), seconds, taken, violations(data), measured)


async def _method(port: int, key: str) -> str:
    async with Bursar(f"http://{HOST}:{port}", key) as client:
        return (await client.create_payment_method(reference="sandbox_ok", kind="card")).id


def as_table(report: Report) -> Table:
    """One row."""
    table = Table(title=f"Medians of rounds of {report.seconds:g} s", box=box.SIMPLE_HEAD)
    table.add_column("what")
    for heading in ("per second", "p50 ms", "p95 ms", "p99 ms", "errors"):
        table.add_column(heading, justify="right")
    rate, _, *others = figures(report.taken, None)
    table.add_row("payments", rate, *others)
    return table
