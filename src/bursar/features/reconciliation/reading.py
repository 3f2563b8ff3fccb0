"""A statement's text as movements, one line at a time: a line that cannot be read spoils no other."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import BinaryIO

from bursar.features.reconciliation.mapping import Mapping
from bursar.features.reconciliation.model import BadLine, Direction, Movement, WrongHeader, read_balance
from bursar.kernel.money import read_amount
from bursar.kernel.refusal import InvalidArgument

_LONGEST_LINE = 64 * 1024
_NO_DAY = date(1970, 1, 1)
_ACCOUNT = re.compile(r"(?!world:)[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")


def read_statement(file: BinaryIO, mapping: Mapping) -> Iterator[Movement | BadLine]:
    """The lines after the header; refuses a file whose header lacks a column of the mapping. Blank lines do not count.

    A line end always ends a record, also within quotes, so that a quote that nobody closed costs one line.
    """
    lines = _lines(file)
    reader = _Reader(mapping, _header(next(lines, (1, b""))[1], mapping))
    for number, raw in lines:
        if raw.strip():
            yield reader.read(number, raw)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of one that is too long only the beginning, which the reader refuses."""
    number = 0
    while raw := file.readline(_LONGEST_LINE):
        number += 1
        yield number, raw
        while not raw.endswith(b"\n") and (raw := file.readline(_LONGEST_LINE)):
            pass


def _header(raw: bytes, mapping: Mapping) -> list[str]:
    try:
        header = _cells(raw.removeprefix(codecs.BOM_UTF8), mapping)
    except InvalidArgument:
        header = []
    missing = [column for column in mapping.needed_columns if header.count(column) != 1]
    if missing:
        raise WrongHeader(mapping.name, missing)
    return header


def _cells(raw: bytes, mapping: Mapping) -> list[str]:
    if len(raw) == _LONGEST_LINE:
        raise InvalidArgument("line", f"is longer than {_LONGEST_LINE} bytes")
    try:
        text = raw.decode(mapping.encoding).rstrip("\r\n")
        rows = csv.reader([text], delimiter=mapping.delimiter, quotechar=mapping.quote, strict=True)
        return next(rows, list[str]())
    except UnicodeDecodeError:
        raise InvalidArgument("line", f"is not {mapping.encoding} text") from None
    except csv.Error:
        raise InvalidArgument("line", "has a quote that is not closed, or text after a closing quote") from None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of lines, no reference twice among its movements."""

    movements: list[Movement] = field(default_factory=list[Movement])
    bad_lines: list[BadLine] = field(default_factory=list[BadLine])


def chunks(lines: Iterable[Movement | BadLine], size: int) -> Iterator[Chunk]:
    """Cut into chunks of at most `size` movements; a reference seen before waits for the next one."""
    chunk = Chunk()
    references: set[str] = set()
    for line in lines:
        if isinstance(line, BadLine):
            chunk.bad_lines.append(line)
            continue
        if line.reference in references or len(chunk.movements) == size:
            yield chunk
            chunk, references = Chunk(), set[str]()
        chunk.movements.append(line)
        references.add(line.reference)
    yield chunk


@dataclass(frozen=True, slots=True)
class Printed:
    """The balances a statement printed, its first and last day, and the lines that could not be read."""

    balances: dict[str, dict[date, list[int]]]
    first: date
    last: date
    bad_lines: list[BadLine]


def read_printed(file: BinaryIO, mapping: Mapping) -> Printed:
    """Read a statement for its balances; a movement without one still counts its account and day in."""
    balances: dict[str, dict[date, list[int]]] = {}
    days: set[date] = set()
    bad_lines: list[BadLine] = []
    for line in read_statement(file, mapping):
        if isinstance(line, BadLine):
            bad_lines.append(line)
            continue
        days.add(line.day)
        of_account = balances.setdefault(line.account, {})
        if line.balance_minor is not None:
            of_account.setdefault(line.day, []).append(line.balance_minor)
    return Printed(balances, min(days, default=_NO_DAY), max(days, default=_NO_DAY), bad_lines)


class _Reader:
    """Reads the lines of one file: knows where its header puts each column."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        at = {name: index for index, name in enumerate(header)}
        columns = mapping.columns
        self._mapping = mapping
        self._width = len(header)
        self._single = [
            at[c]
            for c in (columns.reference, columns.account, columns.date, columns.type, columns.amount, columns.balance)
        ]
        self._description = [at[c] for c in columns.description]
        self._directions: dict[str, Direction] = dict.fromkeys(mapping.credit, "credit")
        self._directions |= dict.fromkeys(mapping.debit, "debit")
        self._worlds = [
            (f"world:{world.name}:{mapping.currency}", [(at[c], frozenset(values)) for c, values in world.when.items()])
            for world in mapping.world
        ]
        # A day is printed on many lines, and reading one is the dearest step.
        self._days: dict[str, date] = {}

    def read(self, line: int, raw: bytes) -> Movement | BadLine:
        try:
            return self._movement(line, _cells(raw, self._mapping))
        except InvalidArgument as refusal:
            return BadLine(line, refusal.detail)

    def _movement(self, line: int, cells: Sequence[str]) -> Movement:
        if len(cells) != self._width:
            raise InvalidArgument("line", f"has {len(cells)} columns where the header has {self._width}")
        reference, account, day, kind, amount, balance = [cells[i] for i in self._single]
        currency = self._mapping.currency
        return Movement(
            line,
            _reference(reference),
            _account(account),
            self._day(day),
            self._direction(kind),
            read_amount(amount, currency),
            self._world(cells),
            self._describe(cells),
            read_balance(balance, currency) if balance else None,
        )

    def _day(self, text: str) -> date:
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = _date(text, self._mapping.date_format)
        return day

    def _direction(self, text: str) -> Direction:
        direction = self._directions.get(text)
        if direction is None:
            raise InvalidArgument("type", "is neither a credit nor a debit in this mapping")
        return direction

    def _world(self, cells: Sequence[str]) -> str:
        for number, when in self._worlds:
            if all(cells[index].strip() in values for index, values in when):
                return number
        raise InvalidArgument("line", "fits no world account of this mapping")

    def _describe(self, cells: Sequence[str]) -> str | None:
        text = ", ".join(words for i in self._description if (words := cells[i].strip()))
        if len(text) > 500 or not text.isprintable():
            raise InvalidArgument("description", "must be printable text of at most 500 characters")
        return text or None


def _reference(text: str) -> str:
    if not 0 < len(text) <= 100 or not text.isprintable():
        raise InvalidArgument("reference", "must be printable text of 1 to 100 characters")
    return text


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise InvalidArgument("account", "must be 1 to 64 letters, digits and : . _ - and not name a world account")
    return text


def _date(text: str, form: str) -> date:
    """Exactly as the form writes it: strptime alone would also take days and months of one digit."""
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or moment.strftime(form) != text:
        raise InvalidArgument("date", f"must be a date written as {form}")
    return moment.date()
