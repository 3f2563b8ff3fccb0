"""`bursar reconcile import|run|report|accept`: three ways compared from the machine that holds the database."""

import csv
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import orjson
from rich.console import Console
from rich.table import Table

from bursar.api.provider_books import list_transactions
from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.faces.cli.place import opened
from bursar.faces.cli.providers import connected
from bursar.features.cases import service as cases
from bursar.features.cases.model import Case
from bursar.features.reconciliation import filing, running
from bursar.features.reconciliation import settling_breaks as breaks
from bursar.features.reconciliation.filing import Filing
from bursar.features.reconciliation.finding_store import Found
from bursar.features.reconciliation.legs import Scope
from bursar.features.reconciliation.line_mappings import find_line_mapping
from bursar.features.reconciliation.lines import MOST_BYTES, Format
from bursar.features.reconciliation.model import CannotReadFile
from bursar.features.reconciliation.parsing import read_statements
from bursar.features.reconciliation.provider import read_transactions
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.money import show_minor
from bursar.kernel.settings import Settings

_MOST_LISTED = 100_000
Form = Literal["table", "csv", "json"]
_COLUMNS = ("id", "kind", "day", "difference", "currency", "state", "owner", "age_days", "case", "left", "right", "why")


async def import_statement(
    file: Path,
    source: str,
    format: Format,
    mapping: str | None,
    account: str | None,
    operator: str,
    tenant: str | None,
    data: Path | None,
) -> dict[str, Any]:
    """File a bank's statement."""
    read_by = find_line_mapping(mapping) if mapping else None
    statements = read_statements(_content(file), format, read_by, account)
    return await _file(
        operator, "import_bank_statement", tenant, data,
        lambda tx, actor: filing.file_statements(tx, actor, source, format, statements),
    )  # fmt: skip


async def import_provider(
    file: Path, provider: str, operator: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Keep a provider's balance transactions."""
    found = read_transactions(_content(file))
    return await _file(
        operator, "import_provider_transactions", tenant, data,
        lambda tx, _: filing.file_transactions(tx, provider, found),
    )  # fmt: skip


async def fetch_provider(
    provider: str, first: date, last: date, operator: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Ask a provider for its balance transactions, and keep them."""
    async with opened(data, tenant) as place, connected(place, Settings()) as providers:
        found = await list_transactions(providers, place.tenant_id, provider, first, last)
    return await _file(
        operator, "fetch_provider_transactions", tenant, data,
        lambda tx, _: filing.file_transactions(tx, provider, found),
    )  # fmt: skip


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            # One byte more tells that it is too large, without reading all of it.
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CannotReadFile(error.strerror or "unknown error") from error


async def _file(
    operator: str,
    action: str,
    tenant: str | None,
    data: Path | None,
    verb: Callable[[Tx, Actor], Awaitable[tuple[Filing, Happening]]],
) -> dict[str, Any]:
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        filed, happening = await verb(tx, actor)
        _record(tx, actor, action, happening)
    return {"statements": filed.statements, "lines": filed.lines, "new": filed.new, "accounts": list(filed.accounts)}


async def run_all(
    scope: Scope, operator: str, owner: str | None, form: Form, tenant: str | None, data: Path | None
) -> int:
    """Compare and print what was found; 1 when there are breaks, else 0."""
    async with opened(data, tenant) as place:
        async with place.database.transaction(place.tenant_id, read_only=True) as tx:
            gathered = await running.gather(tx, scope)
        compared = await running.compare(gathered)
        async with place.database.transaction(place.tenant_id) as tx:
            actor = await approvals.acting(tx, operator)
            run, happening = await running.keep(tx, actor, gathered, compared, owner)
            _record(tx, actor, "run_reconciliation", happening)
    return await report(show("rec", run.id), form, tenant, data)


async def report(run_id: str, form: Form, tenant: str | None, data: Path | None) -> int:
    """Print what a run found, with each break's case as it stands now; 1 when a break is open, else 0."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        run = await breaks.find_run(tx, read("rec", run_id))
        found = await breaks.list_breaks(tx, None, None, run.id, None, _MOST_LISTED)
        now = await reading.clock(tx)
        of_break = {b.id: await cases.find(tx, b.case_id) for b in found if b.case_id}
    rows = [_row(b, of_break.get(b.id), (now - b.found_at).days) for b in found]
    counts = {
        "id": run_id, "scope": orjson.loads(run.scope), "matched": run.matched, "broken": run.broken,
        "settled": run.settled, "cleared": run.cleared,
    }  # fmt: skip
    _print(counts, rows, form)
    return 1 if any(b.state == "open" for b in found) else 0


def _row(found: Found, case: Case | None, age_days: int) -> dict[str, Any]:
    items = orjson.loads(found.items)
    return {
        "id": show("brk", found.id),
        "kind": found.kind,
        "day": found.day.isoformat(),
        "difference": show_minor(found.difference_minor, found.currency),
        "currency": found.currency,
        "state": found.state,
        "owner": case.owner if case else None,
        "age_days": age_days,
        "case": show("case", case.id) if case else None,
        "left": items["left"],
        "right": items["right"],
        "why": found.why,
    }


def _print(counts: dict[str, Any], rows: Sequence[dict[str, Any]], form: Form) -> None:
    if form == "json":
        json.dump({**counts, "breaks": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([_cell(row[column]) for column in _COLUMNS] for row in rows)
    else:
        _print_table(counts, rows)


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: what a bank printed may begin like one."""
    # Of a list we know that it holds texts: what matched, by its names.
    text = " ".join(value) if isinstance(value, list) else str(value if value is not None else "")  # pyright: ignore[reportUnknownArgumentType] -- see above
    looks_like_one = text[:1] in ("=", "+", "@", "-") and not text.lstrip("-").replace(".", "", 1).isdecimal()
    return f"'{text}" if looks_like_one else text


def _print_table(counts: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if rows:
        table = Table("Kind", "Day")
        table.add_column("Difference", justify="right")
        for title in ("State", "Owner", "Why"):
            table.add_column(title)
        for row in rows:
            table.add_row(
                row["kind"], row["day"], row["difference"], row["state"], row["owner"] or "", row["why"]
            )  # fmt: skip
        console.print(table)
    console.print(
        f"{counts['matched']:,} matches, {counts['broken']:,} breaks; {counts['settled']:,} items were settled before,"
        f" {counts['cleared']:,} breaks are none any more."
    )
    console.print(f"The run is {counts['id']}.")


async def accept(
    operator: str, break_id: str, reason: str, note: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Leave the books as they are, and say why."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        found, happening = await breaks.accept(tx, actor, read("brk", break_id), reason, note)
        _record(tx, actor, "accept_reconciliation_break", happening)
        return {"id": break_id, "kind": found.kind, "state": found.state, "reason": found.reason}


def _record(tx: Tx, actor: Actor, action: str, happening: Happening) -> None:
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", action, told)])
