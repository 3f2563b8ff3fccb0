"""What a bank's statement says, month by month: the form in which a score takes what is known of an account."""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.features.lending.mapping import Currency, Kind, faults_of
from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument

_LONGEST_MONTH = 31

Balance = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
Turnover = Annotated[int, Field(ge=0, le=MAX_MINOR)]
Days = Annotated[int, Field(ge=0, le=_LONGEST_MONTH)]


class Movement(NamedTuple):
    """A line of a statement. The change is None if its direction is unknown; the balance is the bank's own after it."""

    day: date
    change_minor: int | None
    balance_minor: int | None
    kind: Kind


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Month(_Part):
    """A calendar month, or the part of it that is known, from `start` on. Balances are those at the ends of days.

    Days under and days overdrawn are among `days`; `penalties` counts charges of penalty interest. Income is what came
    in, without interest.
    """

    start: date
    days: Annotated[int, Field(ge=1, le=_LONGEST_MONTH)]
    days_under: Days
    days_overdrawn: Days
    lowest_minor: Balance
    average_minor: Balance
    income_minor: Turnover
    debt_service_minor: Turnover
    penalties: Annotated[int, Field(ge=0, le=1_000_000)]

    @model_validator(mode="after")
    def _fits_the_calendar(self) -> "Month":
        if self.days > _days_left(self.start):
            raise ValueError("has more days than are left of the month")
        if max(self.days_under, self.days_overdrawn) > self.days:
            raise ValueError("has more days with such a balance than days")
        if self.lowest_minor > self.average_minor:
            raise ValueError("has a lowest balance above the average")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether every day of the calendar month is known."""
        return self.start.day == 1 and self.days == _days_left(self.start)


class Summary(_Part):
    """Months in order, none twice. `under_minor` is the balance below which a day counts in `days_under`."""

    currency: Currency
    under_minor: Balance
    months: Annotated[Sequence[Month], Field(max_length=1_200)]

    @model_validator(mode="after")
    def _in_order(self) -> "Summary":
        if any(one.start.replace(day=1) >= next_.start.replace(day=1) for one, next_ in pairwise(self.months)):
            raise ValueError("months must be in order and none twice")
        return self


def read_summary(text: str) -> Summary:
    """Check the JSON text of a summary that somebody else made of transactions; refuses with all faults at once."""
    try:
        return Summary.model_validate_json(text)
    except ValidationError as error:
        raise InvalidArgument("summary", faults_of(error)) from error


def summarise(movements: Iterable[Movement], currency: str, under_minor: int) -> Summary:
    """From the first movement's day to the last one's; the order of movements within a day does not matter."""
    ordered = sorted(movements, key=lambda m: m.day)
    moved = {month: list(those) for month, those in groupby(ordered, key=lambda m: (m.day.year, m.day.month))}
    months = [
        _month(list(stretches), moved.get(month, []), under_minor)
        for month, stretches in groupby(_stretches(ordered), key=lambda s: (s.start.year, s.start.month))
    ]
    return Summary(currency=currency, under_minor=under_minor, months=months)


class _Stretch(NamedTuple):
    """Days of one month at whose ends the balance was the same."""

    start: date
    days: int
    balance_minor: int


def _month(stretches: Sequence[_Stretch], moved: Sequence[Movement], under_minor: int) -> Month:
    days = sum(s.days for s in stretches)
    came = sum(max(m.change_minor or 0, 0) for m in moved if m.kind == "other")
    served = sum(max(-(m.change_minor or 0), 0) for m in moved if m.kind == "debt_service")
    return Month(
        start=stretches[0].start,
        days=days,
        days_under=sum(s.days for s in stretches if s.balance_minor < under_minor),
        days_overdrawn=sum(s.days for s in stretches if s.balance_minor < 0),
        lowest_minor=min(s.balance_minor for s in stretches),
        average_minor=sum(s.days * s.balance_minor for s in stretches) // days,
        income_minor=min(came, MAX_MINOR),
        debt_service_minor=min(served, MAX_MINOR),
        penalties=sum(m.kind == "penalty_interest" for m in moved),
    )


def _stretches(ordered: Sequence[Movement]) -> Iterator[_Stretch]:
    ends = list(_day_ends(ordered))
    if ends:
        ends.append((ends[-1][0] + timedelta(days=1), 0))
    for (day, balance_minor), (until, _) in pairwise(ends):
        start = day
        while start < until:
            days = min(_days_left(start), (until - start).days)
            yield _Stretch(start, days, balance_minor)
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
        nearest = min(printed, key=lambda b: (abs(b - expected), b), default=expected)
        balance_minor = max(min(nearest, MAX_MINOR), -MAX_MINOR)
        yield day, balance_minor


def _days_left(start: date) -> int:
    """This day and those after it in its month."""
    return calendar.monthrange(start.year, start.month)[1] - start.day + 1
