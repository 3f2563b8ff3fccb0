"""A mapping says how one bank writes its statements: a TOML file, checked strictly before a line is read with it."""

import codecs
import tomllib
from collections.abc import Mapping as Table
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.features.reconciliation.model import BadMapping, CannotReadFile, UnknownMapping
from bursar.kernel.money import EXPONENTS

_SAMPLE = datetime(1998, 12, 31, tzinfo=UTC)


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("is not an ISO 4217 currency code")
    return code


def _line_by_line(encoding: str) -> str:
    """Lines are cut before they are decoded, so one bad byte spoils one line only."""
    try:
        fits = "\n".encode(encoding) == b"\n" and codecs.lookup(encoding).name != "utf-8-sig"
    except (LookupError, UnicodeError):
        fits = False
    if not fits:
        raise ValueError("must be a text encoding whose line ends are one byte, such as utf-8, ascii or cp1250")
    return encoding


def _whole_date(form: str) -> str:
    try:
        same = datetime.strptime(_SAMPLE.strftime(form), form).replace(tzinfo=UTC) == _SAMPLE
    except ValueError:
        same = False
    if not same:
        raise ValueError("must name day, month and year once, such as %Y-%m-%d")
    return form


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Character = Annotated[str, Field(pattern=r"^[^\r\n\x00]$")]
Column = Annotated[str, Field(min_length=1)]
Values = Annotated[list[str], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Columns(_Part):
    """The header's name of each column; `balance` is the bank's own after the movement."""

    reference: Column
    account: Column
    date: Column
    type: Column
    amount: Column
    balance: Column
    description: list[Column] = []


class World(_Part):
    """A world account, and the values of columns that lead to it; without any it takes what is left."""

    name: Name
    when: dict[Column, Values] = {}


class Mapping(_Part):
    """How one bank writes its statements."""

    name: Name
    currency: Annotated[str, AfterValidator(_known_currency)]
    delimiter: Character
    quote: Character
    encoding: Annotated[str, AfterValidator(_line_by_line)]
    date_format: Annotated[str, AfterValidator(_whole_date)]
    credit: Values
    debit: Values
    columns: Columns
    world: Annotated[list[World], Field(min_length=1)]

    @model_validator(mode="after")
    def _unambiguous(self) -> "Mapping":
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same character")
        if set(self.credit) & set(self.debit):
            raise ValueError("a type means both credit and debit")
        return self

    @property
    def needed_columns(self) -> list[str]:
        """Every column it reads, each once."""
        columns = self.columns
        single = [columns.reference, columns.account, columns.date, columns.type, columns.amount, columns.balance]
        ruled = [column for world in self.world for column in world.when]
        return list(dict.fromkeys([*single, *columns.description, *ruled]))


def find_mapping(name: str) -> Mapping:
    """The mapping of a built-in name such as `berka`, or of the TOML file at that path."""
    built_in = _built_in()
    if name in built_in:
        return read_mapping(built_in[name])
    path = Path(name)
    if not path.is_file():
        raise UnknownMapping(sorted(built_in))
    try:
        return read_mapping(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotReadFile(str(error)) from error


def _built_in() -> Table[str, str]:
    folder = files("bursar.features.reconciliation") / "mappings"
    return {p.name.removesuffix(".toml"): p.read_text(encoding="utf-8") for p in folder.iterdir()}


def read_mapping(text: str) -> Mapping:
    """Check a mapping's text; refuses with all faults at once."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping([str(error)]) from error
    except ValidationError as error:
        raise BadMapping([_fault(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]) from error


def _fault(place: str, message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return f"{place} {reason}" if place else reason
