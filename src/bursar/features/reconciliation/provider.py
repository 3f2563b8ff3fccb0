"""A provider's balance transactions, and the CSV that they may come in."""

import csv
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from bursar.features.reconciliation.lines import (
    decoded,
    exact_minor,
    known_currency,
    refuse,
    refuse_too_many,
    text_of,
)

_COLUMNS = ("id", "kind", "day", "currency", "amount", "fee", "reference")


class ProviderTransaction(NamedTuple):
    """One change of the balance that a provider holds for us: `amount_minor` less `fee_minor`. A payout is below zero.

    `reference` is what it is about: the provider's id of a payment, a refund, a payout.
    """

    id: str
    kind: str
    day: date
    currency: str
    amount_minor: int
    fee_minor: int
    reference: str | None


def read_transactions(content: bytes) -> list[ProviderTransaction]:
    """Balance transactions as CSV with the header id,kind,day,currency,amount,fee,reference; amounts in major units."""
    reader = csv.reader(decoded(content).splitlines(), strict=True)
    found: list[ProviderTransaction] = []
    try:
        if tuple(next(reader, list[str]())) != _COLUMNS:
            raise refuse(f"the header must be {','.join(_COLUMNS)}", 1)
        for cells in reader:
            refuse_too_many(len(found))
            if any(cells):
                found.append(_read(cells, reader.line_num))
    except csv.Error as error:
        raise refuse(f"is not CSV ({error})", reader.line_num) from None
    return found


def _read(cells: Sequence[str], line: int) -> ProviderTransaction:
    if len(cells) != len(_COLUMNS):
        raise refuse(f"has {len(cells)} columns where the header has {len(_COLUMNS)}", line)
    id, kind, day, currency, amount, fee, reference = cells
    known_currency(currency, line)
    if not 0 < len(id) <= 200 or not id.isprintable() or not 0 < len(kind) <= 64 or not kind.isprintable():
        raise refuse("id and kind must be printable text of 1 to 200 and 1 to 64 characters", line)
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise refuse("the day is not written as YYYY-MM-DD", line) from None
    minor, fee_minor = exact_minor(amount, currency, line), exact_minor(fee or "0", currency, line)
    return ProviderTransaction(id, kind, on, currency, minor, fee_minor, text_of(reference, line))
