"""What happens to a loan: dated facts, from which its state is made at any time and in the same way."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument

# What a partial prepayment leaves as it was: the size of the installments, so that there are fewer, or their number.
Keeps: TypeAlias = Literal["installment", "term"]


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact counts from the day `on`; `seq` is unique in the loan and puts facts of one day in order."""

    on: date
    seq: int


@dataclass(frozen=True, slots=True)
class Sum(Happened):
    """A fact about a sum, in minor units above 0."""

    minor: int

    def __post_init__(self) -> None:
        """Refuse what is no sum."""
        if not 0 < self.minor <= MAX_MINOR:
            raise InvalidArgument("minor", f"must be from 1 to {MAX_MINOR}")


@dataclass(frozen=True, slots=True)
class Disbursed(Happened):
    """The loan was paid out, less the fee that is kept of it."""


@dataclass(frozen=True, slots=True)
class Repaid(Sum):
    """Money came from the borrower; after a charge-off or write-off that is a recovery."""


@dataclass(frozen=True, slots=True)
class Prepaid(Sum):
    """Money came that pays what is due and then principal that is not, and the rest of the schedule is made anew."""

    keeps: Keeps


@dataclass(frozen=True, slots=True)
class Reversed(Happened):
    """The repayment or prepayment with that `seq` is taken back: from its own day on it has not been."""

    repayment: int


@dataclass(frozen=True, slots=True)
class Returned(Sum):
    """Credit was paid back to the borrower."""


@dataclass(frozen=True, slots=True)
class Waived(Sum):
    """So much of what is due and unpaid of a part is forgiven, or all there is of it."""

    part: Literal["penalty", "fee", "interest"]


@dataclass(frozen=True, slots=True)
class FeeCharged(Sum):
    """A fee, due the same day."""


@dataclass(frozen=True, slots=True)
class Rescheduled(Happened):
    """All principal that is unpaid, due or not, is spread anew; other amounts that are due stay due."""

    installments: int
    first_due: date | None = None
    rate_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Paused(Happened):
    """Days past due stand still and cost nothing; interest of the schedule goes on."""


@dataclass(frozen=True, slots=True)
class Resumed(Happened):
    """Days past due go on from where they stood."""


@dataclass(frozen=True, slots=True)
class ChargedOff(Happened):
    """What is owed is no asset any more, though the borrower still owes it; interest ends."""


@dataclass(frozen=True, slots=True)
class WrittenOff(Happened):
    """What is owed is given up."""


Event: TypeAlias = (
    Disbursed | Repaid | Prepaid | Reversed | Returned | Waived | FeeCharged | Rescheduled
    | Paused | Resumed | ChargedOff | WrittenOff
)  # fmt: skip
