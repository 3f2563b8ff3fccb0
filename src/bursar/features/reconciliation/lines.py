"""Bank statements as they are read from a file: exact minor units, days, references, balances that were checked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Literal, NamedTuple

from bursar.kernel.canonical import canonical
from bursar.kernel.money import EXPONENTS, MAX_MINOR, exponent_of, show_minor
from bursar.kernel.refusal import InvalidArgument

Format = Literal["csv", "camt053", "mt940"]

# What a file may hold at most, whatever its format; more is several files.
MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 200_000
LONGEST_TEXT = 500


class StatementLine(NamedTuple):
    """One line: `change_minor` is above zero for what came in. `place` is where in the file it stands, from 1."""

    place: int
    day: date
    change_minor: int
    reference: str | None = None
    bank_reference: str | None = None
    counterparty: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of one account between two balances, where the bank prints them."""

    account: str
    currency: str
    number: str | None
    opening_minor: int | None
    closing_minor: int | None
    lines: Sequence[StatementLine]

    def __post_init__(self) -> None:
        """Refuse balances that the lines do not explain: the file is truncated, or was read wrongly."""
        if self.opening_minor is None or self.closing_minor is None:
            return
        reached = self.opening_minor + sum(line.change_minor for line in self.lines)
        if reached != self.closing_minor:
            said, came = show_minor(self.closing_minor, self.currency), show_minor(reached, self.currency)
            raise refuse(f"the lines come to {came} where the closing balance is {said} {self.currency}")


def refuse(reason: str, line: int | None = None) -> InvalidArgument:
    """The refusal of a file, with the line that decided it where there is one."""
    return InvalidArgument("content", f"line {line}: {reason}" if line else reason)


def known_currency(text: str, line: int | None = None) -> str:
    """An ISO 4217 code."""
    if text not in EXPONENTS:
        raise refuse("the currency is not an ISO 4217 code", line)
    return text


def exact_minor(amount: Decimal | str, currency: str, line: int | None = None) -> int:
    """An amount in minor units; refuses more decimals than the currency has, and what is no amount of this world."""
    try:
        value = Decimal(amount)
        if not value.is_finite() or abs(value) > MAX_MINOR:
            raise refuse("an amount is not a number that money can be", line)
        minor = value.scaleb(exponent_of(currency))
    except InvalidOperation:
        raise refuse("an amount is not a decimal number", line) from None
    if minor != minor.to_integral_value() or abs(minor) > MAX_MINOR:
        raise refuse(f"an amount has more decimals or digits than {currency} takes", line)
    return int(minor)


def text_of(text: str | None, line: int | None = None) -> str | None:
    """Text of a line on one row, shortened to what is kept; refuses characters that hide or reorder."""
    bare = " ".join((text or "").split())
    if not bare.isprintable():
        raise refuse("a text has characters that cannot be printed", line)
    return bare[:LONGEST_TEXT] or None


def identities(statement: Statement) -> list[bytes]:
    """What each line is known by, in any file of the account: all that the bank says of it, counted where it repeats.

    A bank prints a day in one file, so the second of two equal lines is the second in every file that has both.
    """
    seen: Counter[bytes] = Counter()
    found: list[bytes] = []
    for line in statement.lines:
        said = sha256(canonical([line.day.isoformat(), line.change_minor, *line[3:]]).encode()).digest()
        seen[said] += 1
        found.append(sha256(said + seen[said].to_bytes(4)).digest())
    return found


def decoded(content: bytes, encoding: str = "utf-8") -> str:
    """The text of a file; refuses what is too large, or not in this encoding, with the line."""
    if len(content) > MOST_BYTES:
        raise refuse(f"the file is larger than {MOST_BYTES} bytes")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise refuse(f"is not {encoding} text", content.count(b"\n", 0, error.start) + 1) from None
    if "\x00" in text:
        raise refuse("has a NUL character", text.count("\n", 0, text.index("\x00")) + 1)
    return text.removeprefix("\ufeff")


def refuse_too_many(count: int) -> None:
    """Refuse a file of more lines than are taken at once."""
    if count > MOST_LINES:
        raise refuse(f"has more than {MOST_LINES} lines")
