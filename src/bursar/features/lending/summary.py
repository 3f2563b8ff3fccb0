"""What a statement says, month by month: the form in which a score takes what is known of an account."""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from bursar.features.lending.mapping import Kind


class Movement(NamedTuple):
    """A line of a statement. The change is None if its direction is unknown; the balance is the bank's own after it."""

    day: date
    change_minor: int | None
    balance_minor: int | None
    kind: Kind


@dataclass(slots=True)
class Month:
    """A calendar month, or the part of it that is known. Balances are those at the ends of days.

    `balance_days_minor` is their sum over the days. Income is what came in but interest.
    """

    start: date
    lowest_minor: int
    days: int = 0
    days_under: int = 0
    days_overdrawn: int = 0
    balance_days_minor: int = 0
    income_minor: int = 0
    debt_service_minor: int = 0
    penalties: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every day of the calendar month is known."""
        return self.days == calendar.monthrange(self.start.year, self.start.month)[1]


@dataclass(frozen=True, slots=True)
class Summary:
    """Months in order. `under_minor` is what days were compared with for `days_under`."""

    currency: str
    under_minor: int
    months: Sequence[Month]


def summarise(movements: Iterable[Movement], currency: str, under_minor: int) -> Summary:
    """From the first movement's day to the last one's; the order of movements within a day does not matter."""
    ordered = sorted(movements, key=lambda m: m.day)
    months: dict[tuple[int, int], Month] = {}
    for start, days, balance_minor in _stretches(ordered):
        month = months.setdefault((start.year, start.month), Month(start, balance_minor))
        month.days += days
        month.lowest_minor = min(month.lowest_minor, balance_minor)
        month.days_under += days * (balance_minor < under_minor)
        month.days_overdrawn += days * (balance_minor < 0)
        month.balance_days_minor += days * balance_minor
    for movement in ordered:
        _count(months[movement.day.year, movement.day.month], movement)
    return Summary(currency, under_minor, list(months.values()))


def _count(month: Month, movement: Movement) -> None:
    change_minor = movement.change_minor or 0
    month.penalties += movement.kind == "penalty_interest"
    if movement.kind == "debt_service":
        month.debt_service_minor += max(-change_minor, 0)
    elif movement.kind == "other":
        month.income_minor += max(change_minor, 0)


def _stretches(ordered: Sequence[Movement]) -> Iterator[tuple[date, int, int]]:
    """First day, number of days, balance: days of one month at whose ends the balance was the same."""
    ends = list(_day_ends(ordered))
    if ends:
        ends.append((ends[-1][0] + timedelta(days=1), 0))
    for (day, balance_minor), (until, _) in pairwise(ends):
        start = day
        while start < until:
            left = calendar.monthrange(start.year, start.month)[1] - start.day + 1
            days = min(left, (until - start).days)
            yield start, days, balance_minor
            start += timedelta(days=days)


def _day_ends(ordered: Sequence[Movement]) -> Iterator[tuple[date, int]]:
    """The balance at the end of each day with movements.

    A file need not keep the bank's order within a day, so the day's last balance may stand anywhere in it: of those
    printed that day it is the one that is nearest to what the movements make of the day before.
    """
    balance_minor = 0
    for day, group in groupby(ordered, key=lambda m: m.day):
        movements = list(group)
        expected = balance_minor + sum(m.change_minor or 0 for m in movements)
        printed = [m.balance_minor for m in movements if m.balance_minor is not None]
        balance_minor = min(printed, key=lambda b: (abs(b - expected), b), default=expected)
        yield day, balance_minor
