"""The rules of contact: at which hours and how often a borrower may be reminded, and when next. No I/O."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursar.features.collections.model import ContactNotAllowed

# The rules for the loans of every product that has none of its own.
EVERY_PRODUCT = "*"
_DAY = timedelta(days=1)


class Rules(NamedTuple):
    """A version of the rules: hours as minutes of the borrower's day, and at most so many reminders in so many days.

    `time_zone` is that of borrowers of whom none is known. A promise may be for at most `promise_days` ahead.
    """

    product: str
    version: int
    start_minute: int
    end_minute: int
    time_zone: str
    most: int
    days: int
    promise_days: int


# Those of whoever has made none.
BUILT_IN = Rules(EVERY_PRODUCT, 0, 8 * 60, 20 * 60, "UTC", 3, 7, 30)


class History(NamedTuple):
    """What the rules look at: when the borrower was reminded, oldest first, and until when a promise is open."""

    sent: Sequence[datetime]
    promised: date | None


def refuse(rules: Rules, zone: str, history: History, now: datetime) -> None:
    """Refuse a reminder that the rules do not allow now: name the first that objects, and when none does."""
    objections: list[str] = []
    allowed = now
    if history.promised and now < (until := datetime.combine(history.promised + _DAY, time(), UTC)):
        objections.append(f"The borrower has promised to pay until {history.promised}.")
        allowed = until
    recent = [moment for moment in history.sent if moment > allowed - timedelta(days=rules.days)]
    if len(recent) >= rules.most:
        objections.append(f"The borrower is reminded at most {rules.most} times in {rules.days} days.")
        allowed = max(allowed, recent[-rules.most] + timedelta(days=rules.days))
    if (within := _within_hours(rules, zone, allowed)) != allowed:
        hours = f"{_clock(rules.start_minute)} to {_clock(rules.end_minute)}"
        objections.append(f"Borrowers are reminded from {hours}, {zone}.")
    if objections:
        raise ContactNotAllowed(objections[0], _whole_second(within))


def _within_hours(rules: Rules, zone: str, moment: datetime) -> datetime:
    """This moment, or the next at which the hours begin where the borrower is."""
    local = moment.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    if rules.start_minute <= minute < rules.end_minute:
        return moment
    day = local.date() if minute < rules.start_minute else local.date() + _DAY
    return datetime.combine(day, time(*divmod(rules.start_minute, 60)), ZoneInfo(zone)).astimezone(UTC)


def _whole_second(moment: datetime) -> datetime:
    """Not before the moment, as it is shown without fractions."""
    return moment.replace(microsecond=0) + timedelta(seconds=moment.microsecond > 0)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
