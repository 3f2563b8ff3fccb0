"""The Berka standing orders as a year of outgoing payments, and the bank's own lines about them."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bursar.features.reconciliation.csv_statement import CsvMapping
from bursar.features.reconciliation.line_mappings import find_line_mapping
from bursar.features.reconciliation.lines import Statement, exact_minor
from bursar.features.reconciliation.parsing import read_statements

BERKA: CsvMapping = find_line_mapping("berka")
SAMPLE = Path(str(files("bursar.features.reconciliation") / "sample"))
LAST = date(1994, 3, 31)


class Payment(NamedTuple):
    """A standing order carried out."""

    order: str
    account: str
    payee: str
    day: date
    change_minor: int


def statements_of(transactions: Path) -> list[Statement]:
    """What the bank printed of payments to other banks."""
    return read_statements(transactions.read_bytes(), "csv", BERKA, None)


def payments_of(orders: Path, statements: Sequence[Statement]) -> Iterator[Payment]:
    """Every order on its day of each month, from the month in which the bank first carried it out.

    The orders do not say their day: it is that of the first time. Every other day follows from it.
    """
    first: dict[tuple[str, str, int], date] = {}
    for statement in statements:
        for line in statement.lines:
            of_order = statement.account, line.counterparty or "", line.change_minor
            first[of_order] = min(line.day, first.get(of_order, line.day))
    with orders.open() as file:
        for row in csv.DictReader(file, delimiter=";"):
            payee, change = f"{row['bank_to']} {row['account_to']}", -exact_minor(row["amount"], "CZK")
            begun = first.get((row["account_id"], payee, change))
            for day in _monthly(begun) if begun else ():
                yield Payment(row["order_id"], row["account_id"], payee, day, change)


def _monthly(first: date) -> Iterator[date]:
    day = first
    while day <= LAST:
        yield day
        day = date(day.year + day.month // 12, day.month % 12 + 1, day.day)
