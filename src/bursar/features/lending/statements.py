"""Statements and past loans as CSV: every account is found, and a line that cannot be read spoils no other."""

import csv
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from bursar.features.lending.mapping import Kind, Mapping
from bursar.features.lending.summary import Movement
from bursar.kernel.money import EXPONENTS, MAX_MINOR
from bursar.kernel.refusal import InvalidArgument

# Longer names of accounts are cut, so that they cannot flood the answer.
_LONGEST_NAME = 64
# A line of another day is not read: a hundred years of months is the most that a summary takes.
_FIRST, _LAST = date(1950, 1, 1), date(2049, 12, 31)


@dataclass(slots=True)
class Statement:
    """What a file says of one account; `left_out` counts the lines of it that could not be read or came twice."""

    movements: list[Movement] = field(default_factory=list[Movement])
    left_out: int = 0


class Loan(NamedTuple):
    """A past loan: the day it was granted, and whether it went bad."""

    day: date
    is_bad: bool


def read_statements(file: Path, mapping: Mapping) -> dict[str, Statement]:
    """The statement of each account, in the order in which the file names them first.

    A line whose type is unknown keeps its day and its balance. InvalidArgument if the file is not of this form at all.
    """
    columns = mapping.columns
    needed = {columns.reference, columns.account, columns.date, columns.type, columns.amount, columns.balance}
    needed |= {column for rule in mapping.kinds for column in rule.when}
    found: dict[str, Statement] = {}
    seen: set[tuple[str, str]] = set()
    for row in _rows(file, mapping.delimiter, needed, "statements"):
        account, reference = row[columns.account][:_LONGEST_NAME], row[columns.reference]
        if not account:
            continue
        statement = found.setdefault(account, Statement())
        movement = None if (account, reference) in seen else _movement(row, mapping)
        if movement is None:
            statement.left_out += 1
            continue
        statement.movements.append(movement)
        if reference:
            seen.add((account, reference))
    return found


def read_loans(file: Path, mapping: Mapping) -> dict[str, Loan]:
    """The first loan of each account whose outcome is known to be good or bad."""
    columns = mapping.loans
    if columns is None:
        raise InvalidArgument("mapping", "does not say how loans are written")
    found: dict[str, Loan] = {}
    for row in _rows(file, mapping.delimiter, {columns.account, columns.date, columns.outcome}, "loans"):
        account, day = row[columns.account], _day(row[columns.date], mapping)
        if day is None or row[columns.outcome] not in {*columns.good, *columns.bad}:
            continue
        if account not in found or day < found[account].day:
            found[account] = Loan(day, row[columns.outcome] in columns.bad)
    return found


def _rows(file: Path, delimiter: str, needed: set[str], argument: str) -> Iterator[dict[str, str]]:
    """Each line by the names of the header, without blanks around its cells; what a short line lacks is empty."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            names = _cells(next(lines, ""), delimiter)
            if missing := sorted(needed - set(names)):
                raise InvalidArgument(argument, f"lacks the columns {', '.join(missing)}")
            for text in lines:
                yield dict.fromkeys(names, "") | dict(zip(names, _cells(text, delimiter), strict=False))
    except OSError as error:
        raise InvalidArgument(argument, f"cannot be read: {error}") from error


def _cells(text: str, delimiter: str) -> list[str]:
    """Each line is read by itself, so that a quote that is never closed swallows no other; none if it is no CSV."""
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), list[str]())]
    except csv.Error:
        return []


def _movement(row: Table[str, str], mapping: Mapping) -> Movement | None:
    """None when neither what moved nor the balance can be read, or the day cannot."""
    columns = mapping.columns
    day = _day(row[columns.date], mapping)
    amount, balance = (_minor(row[column], mapping.currency) for column in (columns.amount, columns.balance))
    change = None if amount is None else _signed(abs(amount), row[columns.type], mapping)
    if day is None or (change is None and balance is None):
        return None
    return Movement(day, change, balance, _kind(row, mapping))


def _signed(amount_minor: int, type_: str, mapping: Mapping) -> int | None:
    if type_ in mapping.credit:
        return amount_minor
    return -amount_minor if type_ in mapping.debit else None


def _kind(row: Table[str, str], mapping: Mapping) -> Kind:
    for rule in mapping.kinds:
        if all(row[column] in values for column, values in rule.when.items()):
            return rule.name
    return "other"


def _day(text: str, mapping: Mapping) -> date | None:
    try:
        day = datetime.strptime(text, mapping.date_format).replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None


def _minor(text: str, currency: str) -> int | None:
    """Minor units of a plain decimal number, which may be negative; what is below a minor unit is cut off."""
    whole, _, decimals = text.removeprefix("-").partition(".")
    if not (whole + decimals).isdecimal() or not text.isascii() or len(text) > 20:
        return None
    minor = int(Decimal(text).scaleb(EXPONENTS[currency]))
    return minor if abs(minor) <= MAX_MINOR else None


def before(statement: Statement, day: date) -> Sequence[Movement]:
    """What was known the day before: a score that learns from what came after its loan would know the outcome."""
    return [m for m in statement.movements if m.day < day]
