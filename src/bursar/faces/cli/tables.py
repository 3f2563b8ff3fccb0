"""What a command found, printed: a table to read, CSV or JSON, all of the same shapes as at the door."""

import re
import sys
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from bursar.api.tables import csv_of
from bursar.faces.cli.keys import print_json

Form = Literal["table", "csv", "json"]
_WIDE = 1_000
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What is only of use to a program: it is in the JSON.
_LEFT_OUT = frozenset(
    {"application_id", "made_by", "decider", "event_id", "transfer_id", "account_id", "next_cursor", "created_at"}
)


def form_of(*, json: bool, csv: bool = False) -> Form:
    """How it is printed."""
    return "json" if json else "csv" if csv else "table"


def print_rows(rows: Sequence[BaseModel], form: Form) -> None:
    """A list."""
    if form == "json":
        print_json([row.model_dump(mode="json") for row in rows])
    elif form == "csv":
        sys.stdout.write(csv_of(type(rows[0]), rows) if rows else "")
    else:
        _print_table(rows)


def print_list(found: BaseModel, name: str, form: Form) -> None:
    """What has one list of that name and says more beside it."""
    if form == "csv":
        print_rows(getattr(found, name), form)
        return
    if form == "json":
        print_json(found.model_dump(mode="json"))
        return
    _print_table(getattr(found, name))
    rest = {key: text for key, text in _shown(found).items() if key != name}
    _console().print(", ".join(f"{_title(key)}: {text}" for key, text in rest.items()))


def print_one(found: BaseModel, form: Form) -> None:
    """One thing: a name and what it is on each line."""
    if form == "json":
        print_json(found.model_dump(mode="json"))
        return
    table = Table.grid(padding=(0, 2))
    for key, text in _shown(found).items():
        table.add_row(_title(key), text)
    _console().print(table)


def _print_table(rows: Sequence[BaseModel]) -> None:
    texts = [_shown(row) for row in rows]
    # A column in which nobody has anything says nothing.
    names = [name for name in (texts[0] if texts else {}) if any(row[name] for row in texts)]
    table = Table()
    for name in names:
        is_number = all(_NUMBER.fullmatch(row[name]) for row in texts if row[name])
        table.add_column(_title(name), justify="right" if is_number else "left")
    for row in texts:
        table.add_row(*(row[name] for name in names))
    if rows:
        _console().print(table)
    else:
        _console().print("There are none.")


def _shown(row: BaseModel) -> dict[str, str]:
    return {key: _text(value) for key, value in row.model_dump(mode="json").items() if key not in _LEFT_OUT}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _title(name: str) -> str:
    return name.replace("_", " ")


def _console() -> Console:
    # Whatever reads a file or a pipe wants each row on a line.
    width = None if sys.stdout.isatty() else _WIDE
    return Console(highlight=False, soft_wrap=True, markup=False, width=width)
