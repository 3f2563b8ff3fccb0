"""`bursar verify`: ask the books every question that has only one good answer, and replay what has facts."""

import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bursar.faces.cli.place import VERIFIER, opened
from bursar.features.lending import checking
from bursar.features.verification import service as verification
from bursar.features.verification.model import Invariant, Replay, Violation

REPLAYS = (
    Replay("I79", "A loan is what its facts make of it", "loans", checking.check_loans),
    Replay("I80", "A decision on an application comes out as it did", "loan decisions", checking.check_decisions),
)


async def verify(data: Path | None, *, as_json: bool) -> int:
    """Verify all tenants in one snapshot and print what was found; returns the exit code, 1 when anything is broken."""
    async with opened(data, role=VERIFIER) as place, place.database.transaction(read_only=True) as tx:
        rows = await verification.count_rows(tx)
        found = await verification.verify(tx, told=_tell_asked)
        found += await verification.replayed(tx, REPLAYS, functools.partial(_tell_replayed, rows))
    _tell("")
    if as_json:
        _print_json(found, rows)
    else:
        _print_table(found, rows)
    return 1 if found else 0


def _tell(text: str) -> None:
    """Say to whoever waits at a terminal what is being done, over what was said before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}\r")
        sys.stderr.flush()


def _tell_asked(number: int, invariant: Invariant) -> None:
    _tell(f"{number} of {len(verification.invariants())}: {invariant.name} {invariant.claim}")


def _tell_replayed(rows: dict[str, int], replay: Replay, looked_at: int) -> None:
    rows[replay.kind] = looked_at
    _tell(f"{looked_at:,} {replay.kind} replayed")


def _print_json(found: Sequence[Violation], rows: dict[str, int]) -> None:
    invariants = [
        {"name": i.name, "claim": i.claim, "violations": [v.facts for v in found if v.invariant == i.name]}
        for i in (*verification.invariants(), *REPLAYS)
    ]
    json.dump({"ok": not found, "looked_at": rows, "invariants": invariants}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _print_table(found: Sequence[Violation], rows: dict[str, int]) -> None:
    table = Table(
        "", "Invariant", "Result", caption="Looked at " + ", ".join(f"{n:,} {kind}" for kind, n in rows.items())
    )
    claims = (*verification.invariants(), *REPLAYS)
    for invariant in claims:
        broken = sum(violation.invariant == invariant.name for violation in found)
        table.add_row(invariant.name, invariant.claim, _result(broken))
    console = Console()
    console.print(table)
    for violation in found:
        # Account numbers are the callers' text: nothing in them is markup.
        console.print(Text(str(violation)), soft_wrap=True)
    broken = len({violation.invariant for violation in found})
    console.print(f"{broken} of {len(claims)} invariants are broken." if broken else "All is in order.")


def _result(broken: int) -> Text:
    if not broken:
        return Text("ok", "green")
    shown = f"at least {broken}" if broken == verification.MOST_ROWS_A_QUERY else str(broken)
    return Text(f"{shown} broken", "bold red")
