"""Windows of time: which pieces of it a window counts now, and when it has room again."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from bursar.core.authority.mandate import DAYS, Period, Velocity, Window, zone_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PIECES = 60
_SECONDS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}


class Span(NamedTuple):
    """The piece of time that counts what happens now, the first piece that still counts, and when room comes back."""

    bucket: datetime
    since: datetime
    resets_at: datetime | None


# The orders of a batch share their moment.
@lru_cache(maxsize=64)
def local_at(now: datetime, time_zone: str) -> tuple[str, time]:
    """A moment as the clocks of a zone show it: the day of the week and the time."""
    local = now.astimezone(zone_of(time_zone))
    return DAYS[local.weekday()], local.time()


def span_of(window: Window, now: datetime) -> Span:
    """Where a window stands at a moment."""
    if window.period == "lifetime":
        return Span(EPOCH, EPOCH, None)
    if window.kind == "rolling":
        return _rolling(_SECONDS[window.period], now)
    return _calendar(window.period, window.time_zone, now.replace(microsecond=0))


def span_of_velocity(velocity: Velocity, now: datetime) -> Span:
    """Where a velocity limit stands at a moment."""
    return _rolling(velocity.seconds, now)


def _rolling(seconds: int, now: datetime) -> Span:
    """Pieces of a sixtieth; the oldest that reaches into the stretch counts whole, so the limit is never exceeded."""
    # Rounded up to a microsecond, so that the pieces reach back over the whole stretch.
    piece = -(timedelta(seconds=-seconds) // PIECES)
    bucket = EPOCH + (now - EPOCH) // piece * piece
    return Span(bucket, bucket - PIECES * piece, bucket + piece)


# Every clock of the world is set on whole seconds, so what holds at the beginning of a second holds all through it.
@lru_cache(maxsize=256)
def _calendar(period: Period, time_zone: str, now: datetime) -> Span:
    """The start and end of the period in this time zone, as moments; in autumn a day has 25 hours."""
    zone = zone_of(time_zone)
    local = now.astimezone(zone)
    if period == "hour":
        # Zones lie whole quarters of an hour apart. Winter time counts all year: one zone's summer is half an hour off.
        offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
        hour = timedelta(hours=1)
        start = EPOCH + (now - EPOCH + offset) // hour * hour - offset
        return Span(start, start, start + hour)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    match period:
        case "week":
            day -= timedelta(days=day.weekday())
            after = day + timedelta(days=7)
        case "month":
            day = day.replace(day=1)
            after = (day + timedelta(days=32)).replace(day=1)
        case _:
            after = day + timedelta(days=1)
    start = day.replace(tzinfo=zone).astimezone(UTC)
    return Span(start, start, after.replace(tzinfo=zone).astimezone(UTC))
