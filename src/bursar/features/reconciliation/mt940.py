"""Statements as MT940 (SWIFT): the library finds the fields; what they must be together is checked here."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import mt940
from mt940.options import Options

from bursar.features.reconciliation.lines import (
    Statement,
    StatementLine,
    decoded,
    exact_minor,
    known_currency,
    refuse,
    refuse_too_many,
    text_of,
)

# Each of these begins a field; a line of a statement is the first of field 61.
_LINE = re.compile(r"^:61:", re.MULTILINE)
_STATEMENT = re.compile(r"^(?=:20:)", re.MULTILINE)
_LONGEST_LINE = 4_000


def read_mt940(content: bytes) -> list[Statement]:
    """The statements of a file, each from its field 20 on."""
    text = decoded(content, "utf-8" if _is_utf8(content) else "latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE:
            raise refuse(f"is longer than {_LONGEST_LINE} characters", number)
    blocks = [block for block in _STATEMENT.split(text) if block.startswith(":20:")]
    if not blocks:
        raise refuse("is no MT940 file: no line begins with :20:")
    return [_statement(block, text.count("\n", 0, text.index(block)) + 1) for block in blocks]


def _is_utf8(content: bytes) -> bool:
    """Banks write SWIFT's letters, which are ASCII, or what their country adds to them."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _statement(block: str, first: int) -> Statement:
    """One statement; `first` is the line of the file on which it begins."""
    found = _LINE.findall(block)
    refuse_too_many(len(found))
    try:
        read = mt940.models.Transactions(options=Options.all())
        read.parse(block)
    # The library raises whatever the text makes it stumble on: a field that is not of its form, a day of no calendar.
    except Exception as error:  # noqa: BLE001 -- see above
        raise refuse(f"a field is not of its form ({type(error).__name__})", first) from None
    data: Mapping[str, Any] = read.data
    opening = _balance(data, "final_opening_balance", "intermediate_opening_balance")
    closing = _balance(data, "final_closing_balance", "intermediate_closing_balance")
    account = text_of(data.get("account_identification"))
    if account is None or len(account) > 64 or opening is None or closing is None:
        raise refuse("a statement lacks its account (:25:) or a balance (:60F:, :62F:); the file may be cut off", first)
    currency = known_currency(str(opening.amount.currency))
    places = [first + block.count("\n", 0, m.start()) for m in _LINE.finditer(block)]
    lines = [_line(t.data, place, currency) for t, place in zip(read.transactions, places, strict=False)]
    if len(read.transactions) != len(found):
        raise refuse("not every :61: could be read", first)
    number = text_of(str(data.get("statement_number") or "") or None)
    before, after = exact_minor(opening.amount.amount, currency), exact_minor(closing.amount.amount, currency)
    return Statement(account, currency, number, before, after, lines)


def _balance(data: Mapping[str, Any], *names: str) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _line(data: Mapping[str, Any], place: int, currency: str) -> StatementLine:
    amount: Decimal = data["amount"].amount
    booked = data.get("entry_date") or data["date"]
    counterparty = data.get("applicant_iban") or data.get("applicant_name")
    said = data.get("transaction_details") or data.get("purpose") or data.get("extra_details")
    reference = data.get("end_to_end_reference") or data.get("customer_reference")
    return StatementLine(
        place,
        date(booked.year, booked.month, booked.day),
        exact_minor(amount, currency, place),
        text_of(reference, place),
        text_of(data.get("bank_reference"), place),
        text_of(counterparty, place),
        text_of(said, place),
    )
