"""The nouns of reconciliation: movements, lines that are none, reports, breaks; and the pure comparison."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from operator import itemgetter
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from bursar.kernel.money import Money, read_amount
from bursar.kernel.refusal import Invalid, InvalidArgument, Retry

Direction = Literal["credit", "debit"]

_ZERO = re.compile(r"0(?:\.0{1,4})?")


class Movement(NamedTuple):
    """One line of a statement. A credit comes to `account` from the world account, a debit goes to it from there."""

    line: int
    reference: str
    account: str
    day: date
    direction: Direction
    money: Money
    world: str
    description: str | None
    balance_minor: int | None

    @property
    def effective_at(self) -> datetime:
        """The moment its day begins (UTC), so that a balance at the end of a day holds all of the day."""
        return datetime.combine(self.day, time.min, UTC)

    @property
    def source(self) -> str:
        """Where the money comes from."""
        return self.world if self.direction == "credit" else self.account

    @property
    def target(self) -> str:
        """Where the money goes to."""
        return self.account if self.direction == "credit" else self.world


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out, counted from 1 with the header, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `lines` counts those that are not blank; `credits` and `debits` are of the new movements."""

    lines: int
    new: int
    already_there: int
    accounts_opened: int
    credits: Money
    debits: Money
    bad_lines: Sequence[BadLine]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: what it committed so far, and the bytes of the file it read for that."""

    bytes_read: int
    bytes_in_all: int
    new: int
    already_there: int
    bad_lines: int


@dataclass(frozen=True, slots=True)
class Break:
    """A day of an account that does not agree. `bank` is that printed balance of the day which is nearest."""

    account: str
    day: date
    bank: Money
    ledger: Money

    @property
    def difference(self) -> Money:
        """What the ledger lacks: above zero when the bank has more."""
        return Money(self.bank.minor - self.ledger.minor, self.bank.currency)


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds from statements on some accounts in some days."""

    movements: int
    accounts: int
    credits_minor: int
    debits_minor: int


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """The comparison of a statement with the ledger; `bad_lines` could not be read, so nothing is said about them."""

    movements: int
    accounts: int
    credits: Money
    debits: Money
    account_days: int
    breaks: Sequence[Break]
    bad_lines: Sequence[BadLine]


def total(movements: Iterable[Movement], direction: Direction, currency: str) -> Money:
    """The sum of the movements of one direction."""
    return Money(sum(m.money.minor for m in movements if m.direction == direction), currency)


# Per account and day, the balances the bank printed, in minor units.
PrintedBalances: TypeAlias = Mapping[str, Mapping[date, Sequence[int]]]
# Per account, the ledger's balance at the end of each day on which it changed, in order of days.
DayEnds: TypeAlias = Mapping[str, Sequence[tuple[date, int]]]


def compare(printed: PrintedBalances, ledger: DayEnds, currency: str, tolerance_minor: int) -> list[Break]:
    """The days that do not agree, in order of days.

    Banks do not print the movements of a day in the order they happened, so a day agrees when the ledger's balance at
    its end is within the tolerance of any balance printed that day.
    """
    breaks: list[Break] = []
    for account, days in printed.items():
        ends = ledger.get(account, ())
        for day, balances in days.items():
            held = _balance_on(ends, day)
            bank = min(balances, key=lambda minor: (abs(minor - held), minor))
            if abs(bank - held) > tolerance_minor:
                breaks.append(Break(account, day, Money(bank, currency), Money(held, currency)))
    return sorted(breaks, key=lambda b: (b.day, b.account))


def _balance_on(ends: Sequence[tuple[date, int]], day: date) -> int:
    later = bisect_right(ends, day, key=itemgetter(0))
    return ends[later - 1][1] if later else 0


def read_balance(text: str, currency: str, argument: str = "balance") -> int:
    """A balance in minor units: like an amount, but it may be zero or below."""
    digits = text.removeprefix("-")
    minor = 0 if _ZERO.fullmatch(digits) else read_amount(digits, currency, argument).minor
    return -minor if digits != text else minor


def read_tolerance(text: str, currency: str) -> int:
    """How far two balances may be apart and still agree, in minor units."""
    minor = read_balance(text, currency, "tolerance")
    if minor < 0:
        raise InvalidArgument("tolerance", "must not be below 0")
    return minor


class CannotReadFile(Invalid):
    """The file cannot be read."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Check the path and that you may read the file."

    def __init__(self, reason: str) -> None:
        """`reason` is the operating system's."""
        super().__init__(reason)
        self.reason = reason

    @property
    def detail(self) -> str:
        """The reason."""
        return f"The file cannot be read: {self.reason}."


class UnknownMapping(Invalid):
    """There is no such mapping."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Name a mapping that comes with Bursar, or give the path of a TOML file."

    def __init__(self, known: Sequence[str]) -> None:
        """The names of the mappings that come with Bursar."""
        super().__init__(*known)
        self.known = known

    @property
    def detail(self) -> str:
        """The mappings there are."""
        return f"No mapping and no file has this name. Mappings that come with Bursar: {', '.join(self.known)}."


class BadMapping(Invalid):
    """The mapping is not valid."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Correct the mapping; the one named berka is an example."

    def __init__(self, faults: Sequence[str]) -> None:
        """What is wrong, a phrase each."""
        super().__init__(*faults)
        self.faults = faults

    @property
    def detail(self) -> str:
        """All that is wrong."""
        return f"The mapping is not valid: {'; '.join(self.faults)}."


class WrongHeader(Invalid):
    """The first line of the file is not the header that the mapping expects."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Choose the mapping that fits this file."

    def __init__(self, mapping: str, missing: Sequence[str]) -> None:
        """The mapping's name, and its columns that the header lacks or has twice."""
        super().__init__(mapping, *missing)
        self.mapping = mapping
        self.missing = missing

    @property
    def detail(self) -> str:
        """The columns."""
        return f"The mapping {self.mapping} needs each of these columns once: {', '.join(self.missing)}."
