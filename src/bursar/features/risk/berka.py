"""Real payments to evaluate rules on: what went out of the accounts in a transaction file of the "Berka" data set."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from bursar.features.risk.model import Payment
from bursar.kernel.money import read_amount
from bursar.kernel.refusal import InvalidArgument

CURRENCY = "CZK"
OFFICE_OPENS, OFFICE_HOURS = time(8), 10

_COLUMNS = ("trans_id", "account_id", "date", "type", "operation", "amount", "k_symbol", "bank", "account")
_INCOMING = {"PRIJEM", "credit"}
# Fees and penalty interest, which the bank takes by itself.
_CHARGES = {"SLUZBY", "SANKC. UROK", "payment for statement", "sanction interest if negative balance"}


class Outgoing(NamedTuple):
    """A real payment, and whether the bank took it by itself."""

    payment: Payment
    is_charge: bool


def read_outgoing(file: Path, seed: int) -> list[Outgoing]:
    """Every outgoing movement in the order of time; refuses a file of another form.

    The file has dates only: each movement gets a second of its day's office hours (UTC), drawn from the seed.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return sorted(_outgoing(csv.DictReader(lines, delimiter=";"), seed), key=lambda o: o.payment.at)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidArgument("file", f"cannot be read: {error}") from error


def _outgoing(rows: "csv.DictReader[str]", seed: int) -> Iterator[Outgoing]:
    missing = set(_COLUMNS) - set(rows.fieldnames or ())
    if missing:
        raise InvalidArgument("file", f"lacks the columns {', '.join(sorted(missing))}")
    for row in rows:
        if row["type"] not in _INCOMING:
            yield _read(row, seed, f"file.{rows.line_num}")


def _read(row: Mapping[str, str | None], seed: int, place: str) -> Outgoing:
    cells = {column: row[column] or "" for column in _COLUMNS if row[column] is not None}
    if len(cells) < len(_COLUMNS):
        raise InvalidArgument(place, "has fewer cells than the header")
    return _made(cells, seed, place)


def _made(row: Mapping[str, str], seed: int, place: str) -> Outgoing:
    try:
        day = datetime.strptime(row["date"], "%y%m%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidArgument(f"{place}.date", "must be written YYMMDD") from None
    payment = Payment(
        in_office_hours(day, seed, row["trans_id"]),
        made_id("account", row["account_id"]),
        _target(row),
        CURRENCY,
        read_amount(row["amount"], CURRENCY, f"{place}.amount").minor,
    )
    return Outgoing(payment, row["k_symbol"] in _CHARGES)


def _target(row: Mapping[str, str]) -> UUID:
    """The account at the other bank; what goes to none, such as cash, goes to one target for each kind of operation."""
    if row["bank"]:
        return made_id("target", row["bank"], row["account"])
    return made_id("target", row["operation"].strip(), row["k_symbol"].strip())


def in_office_hours(day: datetime, seed: int, *label: str) -> datetime:
    """A second of that day's office hours."""
    opening = datetime.combine(day, OFFICE_OPENS, UTC)
    return opening + timedelta(seconds=draw(OFFICE_HOURS * 3600, seed, "second", *label))


def made_id(*label: str) -> UUID:
    """The same id for the same label, always."""
    return uuid5(NAMESPACE_OID, ";".join(label))


def draw(below: int, seed: int, *label: str) -> int:
    """A number from 0 to `below` - 1 that looks random and depends on nothing but the seed and the label."""
    text = ";".join((str(seed), *label))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % below
