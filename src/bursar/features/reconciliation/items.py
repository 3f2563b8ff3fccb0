"""What is matched: items of two sides, the matches and breaks found between them, and the rules of the search."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from bursar.kernel.refusal import InvalidArgument

Side = Literal["ledger", "provider", "bank"]
BreakKind = Literal[
    "missing_in_ledger", "missing_at_provider", "missing_at_bank", "amount_differs", "date_differs", "duplicate"
]
How = Literal["reference", "amount_and_date", "references_together", "amounts_together"]

MISSING: dict[Side, BreakKind] = {
    "ledger": "missing_in_ledger",
    "provider": "missing_at_provider",
    "bank": "missing_at_bank",
}
# What banks print where there is no reference.
_NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "NOTPROV", "NOREF", "NONE"})
_NOISE = re.compile(r"[^0-9A-Z]")
_BETWEEN = re.compile(r"[\s,;]+")
_WORD = re.compile(r"[0-9].*[A-Za-z]|[A-Za-z].*[0-9]")


class Item(NamedTuple):
    """One line of one side: `change_minor` is above zero for what came in. `id` is unique on its side.

    `references` and `counterparty` are already plain (see `plain`), so that equal ones are equal text.
    """

    id: str
    day: date
    change_minor: int
    references: frozenset[str] = frozenset()
    counterparty: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """How far two items may lie apart and still be one: in minor units, and in days.

    Without a common reference only what both sides say decides: with `counterparty_decides`, two counterparties that
    both sides name and that differ are never one. `far_days` is how far a date may be off to be called a difference
    of dates of one counterparty's item and not two missing ones.
    """

    tolerance_minor: int = 0
    days: int = 3
    counterparty_decides: bool = False
    far_days: int = 14
    # The bounds of the search for groups: see `combining`.
    most_in_a_group: int = 6
    most_candidates: int = 24

    def __post_init__(self) -> None:
        """Refuse what would make everything match, or the search endless."""
        for argument, value, most in (
            ("tolerance_minor", self.tolerance_minor, 10**9),
            ("days", self.days, 31),
            ("far_days", self.far_days, 92),
        ):
            if not 0 <= value <= most:
                raise InvalidArgument(argument, f"must lie between 0 and {most}")
        if self.far_days < self.days:
            raise InvalidArgument("far_days", "must not be less than days")


class Match(NamedTuple):
    """Items of both sides that are one: one on each, or one on a side and several on the other."""

    left: tuple[Item, ...]
    right: tuple[Item, ...]
    how: How
    why: str


class Break(NamedTuple):
    """Items that do not agree, and why; a side that has none lacks it. `difference_minor` is right less left."""

    kind: BreakKind
    left: tuple[Item, ...]
    right: tuple[Item, ...]
    why: str

    @property
    def difference_minor(self) -> int:
        """What the right side has and the left has not."""
        return total(self.right) - total(self.left)

    @property
    def day(self) -> date:
        """The earliest day of its items."""
        return min(item.day for item in (*self.left, *self.right))


class Findings(NamedTuple):
    """Everything that was compared, each item in exactly one match or break."""

    matches: Sequence[Match]
    breaks: Sequence[Break]


def total(items: Sequence[Item]) -> int:
    """The sum of their changes."""
    return sum(item.change_minor for item in items)


def plain(text: str | None) -> str | None:
    """A reference or name without what banks add, drop and fold: spaces, signs, case; None when nothing is left."""
    if text is None:
        return None
    bare = _NOISE.sub("", text.upper())
    return None if bare in _NO_REFERENCE else bare


def plain_all(*texts: str | None) -> frozenset[str]:
    """Likewise for all references of an item: each text, and each word in it that has letters and digits.

    A word of digits alone may be a year or a day, which is no reference.
    """
    words = (word for text in texts if text for word in _BETWEEN.split(text) if _WORD.search(word))
    return frozenset(bare for text in (*texts, *words) if (bare := plain(text)))


def canonical_order(item: Item) -> tuple[date, int, str]:
    """The order in which items are looked at, whatever the order in which they came."""
    return item.day, item.change_minor, item.id


def days_apart(one: Item, other: Item) -> int:
    """The distance of their days."""
    return abs((one.day - other.day).days)
