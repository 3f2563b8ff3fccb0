"""`bursar import statement` and `bursar reconcile`: a bank's file against the book, from the machine that has both."""

import json
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bursar.core.identity import service as identity
from bursar.faces.cli.place import opened
from bursar.features.reconciliation import model, service
from bursar.features.reconciliation.mapping import find_mapping
from bursar.features.reconciliation.model import BadLine, ImportReport, ReconciliationReport, read_tolerance
from bursar.kernel.canonical import Json

LEFT_OUT = 2


async def import_statement_command(
    file: Path, mapping: str, tenant: str | None, data: Path | None, *, as_json: bool
) -> int:
    """Import a statement and print what came of it; returns the exit code, 2 when lines were left out."""
    known = find_mapping(mapping)
    async with opened(data, tenant) as place:
        async with place.database.transaction(place.tenant_id) as tx:
            await identity.create_tenant(tx, place.tenant)
        began = time.perf_counter()
        with _progress(file.name) as show:
            report = await service.import_statement(place.database, place.tenant_id, file, known, show)
        seconds = time.perf_counter() - began
    if as_json:
        _print_json(_import_facts(report, seconds))
    else:
        _print_import(report, seconds)
    return LEFT_OUT if report.bad_lines else 0


@contextmanager
def _progress(name: str) -> Generator[Callable[[model.Progress], None]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[counts]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(f"Importing {name}", total=None, counts="")

        def show(progress: model.Progress) -> None:
            counts = f"{progress.new:,} new, {progress.already_there:,} already there, {progress.bad_lines:,} left out"
            bar.update(task, completed=progress.bytes_read, total=progress.bytes_in_all, counts=counts)

        yield show


def _import_facts(report: ImportReport, seconds: float) -> dict[str, Json]:
    return {
        "lines": report.lines,
        "new": report.new,
        "already_there": report.already_there,
        "accounts_opened": report.accounts_opened,
        "currency": report.credits.currency,
        "credits": str(report.credits),
        "debits": str(report.debits),
        "bad_lines": _bad_line_facts(report.bad_lines),
        "milliseconds": round(seconds * 1000),
    }


def _bad_line_facts(bad_lines: Sequence[BadLine]) -> list[Json]:
    return [{"line": bad.line, "reason": bad.reason} for bad in bad_lines]


def _print_import(report: ImportReport, seconds: float) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table(show_header=False)
    table.add_row("New movements", f"{report.new:,}")
    table.add_row("Their credits", f"{report.credits} {report.credits.currency}")
    table.add_row("Their debits", f"{report.debits} {report.debits.currency}")
    table.add_row("Accounts opened", f"{report.accounts_opened:,}")
    table.add_row("Already there", f"{report.already_there:,}")
    table.add_row("Left out", f"{len(report.bad_lines):,}")
    console.print(table)
    _print_bad_lines(console, report.bad_lines)
    console.print(
        f"{report.new} new, {report.already_there} already there, {len(report.bad_lines)} left out"
        f" in {seconds:.1f} s: {report.lines / seconds:,.0f} lines a second."
    )


def _print_bad_lines(console: Console, bad_lines: Sequence[BadLine]) -> None:
    for bad in bad_lines:
        console.print(f"Line {bad.line} was left out: {bad.reason}.")


async def reconcile_command(
    file: Path, mapping: str, tolerance: str, tenant: str | None, data: Path | None, *, as_json: bool
) -> int:
    """Compare a statement with the book and print the breaks; returns the exit code.

    0: all days agree; 1: there are breaks; 2: there are none, but some lines could not be read.
    """
    known = find_mapping(mapping)
    tolerance_minor = read_tolerance(tolerance, known.currency)
    async with opened(data, tenant) as place:
        report = await service.reconcile(place.database, place.tenant_id, file, known, tolerance_minor)
    _print_bad_lines(Console(stderr=True, highlight=False, soft_wrap=True, markup=False), report.bad_lines)
    if as_json:
        _print_json(_reconciliation_facts(report))
    else:
        _print_reconciliation(report)
    if report.breaks:
        return 1
    return LEFT_OUT if report.bad_lines else 0


def _reconciliation_facts(report: ReconciliationReport) -> dict[str, Json]:
    return {
        "movements": report.movements,
        "accounts": report.accounts,
        "credits": str(report.credits),
        "debits": str(report.debits),
        "account_days": report.account_days,
        "breaks": [
            {
                "account": b.account,
                "date": b.day.isoformat(),
                "bank": str(b.bank),
                "ledger": str(b.ledger),
                "difference": str(b.difference),
            }
            for b in report.breaks
        ],
    }


def _print_reconciliation(report: ReconciliationReport) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if report.breaks:
        table = Table("Account", "Date")
        for title in ("Bank", "Ledger", "Difference"):
            table.add_column(title, justify="right")
        for b in report.breaks:
            table.add_row(b.account, b.day.isoformat(), str(b.bank), str(b.ledger), str(b.difference))
        console.print(table)
    console.print(
        f"{report.movements:,} movements on {report.accounts:,} accounts are in the ledger:"
        f" credits {report.credits}, debits {report.debits} {report.credits.currency}."
    )
    console.print(f"{len(report.breaks):,} of {report.account_days:,} account-days do not agree.")


def _print_json(facts: Mapping[str, Json]) -> None:
    json.dump(facts, sys.stdout, indent=2)
    sys.stdout.write("\n")
