"""A mapping says how one bank writes its statements and loans: a TOML file, checked strictly before a line is read."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.kernel.money import EXPONENTS
from bursar.kernel.refusal import InvalidArgument

Kind = Literal["penalty_interest", "interest", "debt_service", "other"]


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("is not an ISO 4217 currency code")
    return code


Currency = Annotated[str, AfterValidator(_known_currency)]
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


class KindRule(_Part):
    """What a movement is when columns have one of these values each; the first rule that fits counts."""

    name: Kind
    when: Annotated[dict[Column, Values], Field(min_length=1)]


class LoanColumns(_Part):
    """How past loans are written: the account, the day of the loan, and which outcomes were good or bad."""

    account: Column
    date: Column
    outcome: Column
    good: Values
    bad: Values


class Mapping(_Part):
    """How one bank writes its statements, and its loans if it says so."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    currency: Currency
    delimiter: Annotated[str, Field(pattern=r"^[^\r\n\x00\"]$")]
    date_format: Annotated[str, Field(min_length=2, max_length=30)]
    credit: Values
    debit: Values
    columns: Columns
    kinds: list[KindRule] = []
    loans: LoanColumns | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> "Mapping":
        if set(self.credit) & set(self.debit):
            raise ValueError("a type means both credit and debit")
        if self.loans and set(self.loans.good) & set(self.loans.bad):
            raise ValueError("an outcome is both good and bad")
        return self


def find_mapping(name: str) -> Mapping:
    """The mapping of a built-in name such as `berka`, or of the TOML file at that path."""
    built_in = {p.name.removesuffix(".toml"): p for p in (files("bursar.features.lending") / "mappings").iterdir()}
    try:
        text = (built_in.get(name) or Path(name)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(built_in))
        raise InvalidArgument("mapping", f"is neither built in ({known}) nor a file that can be read") from error
    return read_mapping(text)


def read_mapping(text: str) -> Mapping:
    """Check a mapping's text; refuses with all faults at once."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgument("mapping", f"is not TOML: {error}") from error
    except ValidationError as error:
        raise InvalidArgument("mapping", faults_of(error)) from error


def faults_of(error: ValidationError) -> str:
    """What is wrong with data, a phrase for each fault, with its place."""
    phrases = [(".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")) for e in error.errors()]
    return "; ".join(f"{place} {message}" if place else message for place, message in phrases)[:1_000]
