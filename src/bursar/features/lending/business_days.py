"""Which days banks are open, by the public holidays of a country, and the one near a day that is not."""

from datetime import date, timedelta
from functools import cache
from typing import Literal, TypeAlias

import holidays

from bursar.kernel.refusal import InvalidArgument

BusinessDay: TypeAlias = Literal["none", "following", "modified_following", "preceding"]
ONE_DAY = timedelta(days=1)


def business_day(day: date, rule: BusinessDay, calendar: str | None) -> date:
    """The day itself, or the business day near it that the rule names."""
    if rule == "none":
        return day
    if rule == "preceding":
        return _open_day(day, -ONE_DAY, calendar)
    later = _open_day(day, ONE_DAY, calendar)
    if rule == "modified_following" and later.month != day.month:
        return _open_day(day, -ONE_DAY, calendar)
    return later


def _open_day(day: date, way: timedelta, calendar: str | None) -> date:
    while not is_business_day(day, calendar):
        day += way
    return day


def is_business_day(day: date, calendar: str | None) -> bool:
    """Whether banks are open: a weekday that is no holiday of the calendar."""
    if calendar is None:
        return day.weekday() < 5
    return holidays_of(calendar).is_working_day(day)


@cache
def holidays_of(calendar: str) -> holidays.HolidayBase:
    """The public holidays of a country, or of a part of it after a hyphen; refuses one that is not known."""
    country, _, part = calendar.partition("-")
    if country not in _countries() or part not in ("", *_countries()[country]):
        raise InvalidArgument("calendar", "is no country or part of one whose holidays are known")
    return holidays.country_holidays(country, subdiv=part or None)


@cache
def _countries() -> dict[str, list[str]]:
    return holidays.list_supported_countries()
