"""Statements as CSV, read through a mapping: which column is what, and how the bank writes dates, amounts and signs."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
from bursar.kernel.refusal import InvalidArgument

_LONGEST_CELL = 64 * 1024
_ENCODINGS = Literal["utf-8", "ascii", "latin-1", "cp1250", "cp1252"]
Column = Annotated[str, Field(min_length=1, max_length=100)]
Character = Annotated[str, Field(pattern=r"^[^\r\n\x00]$")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CsvColumns(_Part):
    """The header's name of each column: the amount as one column, or as one for what came in and one for what went."""

    date: Column
    amount: Column | None = None
    credit: Column | None = None
    debit: Column | None = None
    direction: Column | None = None
    account: Column | None = None
    reference: Column | None = None
    bank_reference: Column | None = None
    counterparty: list[Column] = []
    description: list[Column] = []
    balance: Column | None = None


class CsvMapping(_Part):
    """How one bank writes its CSV. `negative` says which direction, or which sign, is money that went."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    columns: CsvColumns
    delimiter: Character = ","
    quote: Character = '"'
    encoding: _ENCODINGS = "utf-8"
    date_format: Annotated[str, Field(min_length=2, max_length=30)] = "%Y-%m-%d"
    decimal: Literal[".", ","] = "."
    # What direction cells say of money that went; every other says that it came.
    outgoing: list[str] = []
    # Where amounts are signed: whether a minus means that money came in, as on some card statements.
    reversed: bool = False
    # Lines that are not about this are passed over: column and the values it may have.
    only: dict[Column, list[str]] = {}

    @model_validator(mode="after")
    def _says_one_amount(self) -> "CsvMapping":
        columns = self.columns
        if (columns.amount is None) == (columns.credit is None or columns.debit is None):
            raise ValueError("needs the column amount, or both credit and debit")
        if (columns.direction is None) != (not self.outgoing):
            raise ValueError("needs both a column direction and what outgoing ones say, or neither")
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same character")
        return self


def read_mapping(value: Any) -> CsvMapping:
    """A mapping from data; refuses with all faults."""
    try:
        return CsvMapping.model_validate(value)
    except ValidationError as error:
        faults = [".".join(map(str, e["loc"])) or "it" for e in error.errors()]
        reasons = [e["msg"].removeprefix("Value error, ") for e in error.errors()]
        said = "; ".join(f"{place}: {why}" for place, why in zip(faults, reasons, strict=True))
        raise InvalidArgument("mapping", said[:500]) from None


def read_csv(content: bytes, mapping: CsvMapping, account: str | None) -> list[Statement]:
    """The statements of a CSV, one for each account; `account` names it where no column does."""
    known_currency(mapping.currency)
    text = decoded(content, mapping.encoding)
    reader = csv.reader(
        text.splitlines(keepends=True), delimiter=mapping.delimiter, quotechar=mapping.quote, strict=True
    )
    csv.field_size_limit(_LONGEST_CELL)
    lines: dict[str, list[tuple[StatementLine, str | None]]] = {}
    try:
        header = next(reader, list[str]())
        columns = _Columns(header, mapping, account)
        for count, cells in enumerate(reader):
            refuse_too_many(count)
            if any(cells):
                columns.read(reader.line_num, cells, lines)
    except csv.Error as error:
        raise refuse(f"is not CSV of this mapping ({error})", reader.line_num) from None
    return [_statement(name, found, mapping) for name, found in lines.items()]


def _statement(account: str, found: Sequence[tuple[StatementLine, str | None]], mapping: CsvMapping) -> Statement:
    """With a column of balances, the first and the last are checked against the lines."""
    opening = closing = None
    if mapping.columns.balance and found:
        first, last = found[0], found[-1]
        opening = _amount(first[1] or "", mapping, first[0].place) - first[0].change_minor
        closing = _amount(last[1] or "", mapping, last[0].place)
    return Statement(account, mapping.currency, None, opening, closing, [line for line, _ in found])


def _amount(text: str, mapping: CsvMapping, line: int) -> int:
    bare = text.strip().replace("\u00a0", "").replace(" ", "")
    thousands = "," if mapping.decimal == "." else "."
    whole, _, decimals = bare.partition(mapping.decimal)
    bare = whole.replace(thousands, "") + (f".{decimals}" if decimals else "")
    if not bare.lstrip("+-").replace(".", "", 1).isdecimal() or not bare.isascii():
        raise refuse("an amount is not a decimal number", line)
    return exact_minor(bare, mapping.currency, line)


def _named(mapping: CsvMapping) -> Iterator[tuple[str, str]]:
    """Each column that the mapping names, by the part that names it."""
    columns = mapping.columns
    for part, name in (
        ("date", columns.date), ("amount", columns.amount), ("credit", columns.credit), ("debit", columns.debit),
        ("direction", columns.direction), ("account", columns.account), ("reference", columns.reference),
        ("bank_reference", columns.bank_reference), ("balance", columns.balance),
    ):  # fmt: skip
        if name:
            yield part, name
    yield from (("counterparty", name) for name in columns.counterparty)
    yield from (("description", name) for name in columns.description)
    yield from (("only", name) for name in mapping.only)


class _Columns:
    """Reads the rows of one file: knows where its header puts each column."""

    def __init__(self, header: Sequence[str], mapping: CsvMapping, account: str | None) -> None:
        names = [name.strip() for name in header]
        columns = mapping.columns
        missing = [part for part, name in _named(mapping) if names.count(name) != 1]
        if missing:
            # The parts of the mapping, not its words: those may be anybody's.
            raise refuse(f"the header must have the columns for {', '.join(missing)} once each", 1)
        if columns.account is None and account is None:
            raise InvalidArgument("account", "must be named where the mapping has no column for it")
        self._at = {name: index for index, name in enumerate(names)}
        self._width, self._mapping, self._account = len(names), mapping, account

    def read(self, number: int, cells: Sequence[str], lines: dict[str, list[tuple[StatementLine, str | None]]]) -> None:
        if len(cells) != self._width:
            raise refuse(f"has {len(cells)} columns where the header has {self._width}", number)
        if any(self._cell(cells, column) not in values for column, values in self._mapping.only.items()):
            return
        columns = self._mapping.columns
        account = self._cell(cells, columns.account) if columns.account else self._account
        if not account or len(account) > 64:
            raise refuse("the account must have 1 to 64 characters", number)
        line = StatementLine(
            number,
            self._day(self._cell(cells, columns.date) or "", number),
            self._change(cells, number),
            text_of(self._cell(cells, columns.reference), number),
            text_of(self._cell(cells, columns.bank_reference), number),
            text_of(" ".join(self._cell(cells, c) or "" for c in columns.counterparty), number),
            text_of(" ".join(self._cell(cells, c) or "" for c in columns.description), number),
        )
        if line.change_minor == 0:
            raise refuse("the amount is zero", number)
        lines.setdefault(account, []).append((line, self._cell(cells, columns.balance)))

    def _cell(self, cells: Sequence[str], column: str | None) -> str | None:
        return cells[self._at[column]].strip() if column else None

    def _day(self, text: str, number: int) -> date:
        form = self._mapping.date_format
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            raise refuse("the date is not written as date_format says", number) from None

    def _change(self, cells: Sequence[str], number: int) -> int:
        columns, mapping = self._mapping.columns, self._mapping
        if columns.amount is None:
            came, went = self._cell(cells, columns.credit), self._cell(cells, columns.debit)
            if bool(came) == bool(went):
                raise refuse("one of credit and debit must be given", number)
            return abs(_amount(came, mapping, number)) if came else -abs(_amount(went or "", mapping, number))
        amount = _amount(self._cell(cells, columns.amount) or "", mapping, number)
        if columns.direction:
            amount = -abs(amount) if self._cell(cells, columns.direction) in mapping.outgoing else abs(amount)
        return -amount if mapping.reversed else amount
