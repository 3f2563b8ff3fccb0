"""What part of a year lies between two days, as the conventions of the trade count it, in whole numbers."""

from datetime import date
from typing import Literal, TypeAlias, get_args

# 30/360 is the US (bond basis) rule, 30E/360 the European one; actual/actual is ISDA's.
DayCount: TypeAlias = Literal["30/360", "30E/360", "actual/360", "actual/365", "actual/actual"]
DAY_COUNTS: tuple[DayCount, ...] = get_args(DayCount)

# Units in a year. A common year's day and a leap year's day are both whole when a year has 365 × 366 of them.
BASIS: dict[DayCount, int] = {
    "30/360": 360,
    "30E/360": 360,
    "actual/360": 360,
    "actual/365": 365,
    "actual/actual": 365 * 366,
}


def units(convention: DayCount, start: date, end: date) -> int:
    """The units of the convention's year from `start` to `end`, which is not before it; `BASIS` of them are a year."""
    match convention:
        case "actual/360" | "actual/365":
            return end.toordinal() - start.toordinal()
        case "actual/actual":
            return _isda(end) - _isda(start)
        case "30E/360":
            return _thirty(start, min(start.day, 30), end, min(end.day, 30))
        case "30/360":
            return _us_thirty(start, end)


def _thirty(start: date, first: int, end: date, last: int) -> int:
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def _us_thirty(start: date, end: date) -> int:
    first, last = start.day, end.day
    if ends_february(start):
        last = 30 if ends_february(end) else last
        first = 30
    first = min(first, 30)
    return _thirty(start, first, end, 30 if last == 31 and first == 30 else last)


def ends_february(day: date) -> bool:
    """Whether it is the last day of a February."""
    return day.month == 2 and day.day == (29 if is_leap(day.year) else 28)


def is_leap(year: int) -> bool:
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _isda(day: date) -> int:
    """Units since the year 1: whole years, and this year's days as parts of it."""
    passed = day.toordinal() - date(day.year, 1, 1).toordinal()
    return (365 * 366) * day.year + passed * (365 if is_leap(day.year) else 366)
