"""Windows of time lie end to end in every time zone, and a rolling one never lets more through than it says."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.core.authority.mandate import Period, Velocity, Window
from bursar.core.authority.periods import EPOCH, Span, span_of, span_of_velocity

CALENDAR: tuple[Period, ...] = ("hour", "day", "week", "month")
TICK = timedelta(microseconds=1)
# Zones, each with moments at which its clocks were or will be turned.
TURNS = {
    "UTC": ["2026-06-30T23:59"],
    "Europe/Prague": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "Asia/Kathmandu": ["2026-06-30T18:15"],
    # Midnight was missing in spring, and the hour before it came twice in autumn.
    "America/Sao_Paulo": ["2018-11-04T03:00", "2018-02-18T02:00", "2012-10-21T03:00"],
    "America/Havana": ["2026-03-08T05:00", "2026-11-01T05:00"],
    # 30 December 2011 did not happen.
    "Pacific/Apia": ["2011-12-30T10:00", "2012-03-31T14:00"],
    "Pacific/Chatham": ["2026-09-26T14:00", "2027-04-03T14:00"],
    # Its clocks are turned by half an hour.
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ANYWHEN = st.timedeltas(timedelta(0), timedelta(days=24 * 365)).map(lambda later: _at("2012-01-01") + later)


def _window(period: Period, zone: str = "UTC", kind: str = "calendar") -> Window:
    return Window("rolling" if kind == "rolling" else "calendar", period, zone, max_count=1)


def _ends(span: Span) -> tuple[str, str]:
    assert span.resets_at
    return span.bucket.strftime("%Y-%m-%d %H:%M"), span.resets_at.strftime("%Y-%m-%d %H:%M")


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment near the turn of its clocks or anywhere."""
    zone = draw(st.sampled_from(sorted(TURNS)))
    if draw(st.booleans()):
        return zone, draw(ANYWHEN)
    turn = _at(draw(st.sampled_from(TURNS[zone])))
    quarters = st.sampled_from([timedelta(minutes=n) for n in range(-120, 121, 15)])
    return zone, turn + draw(quarters | st.just(-TICK) | st.timedeltas(timedelta(hours=-26), timedelta(hours=26)))


@given(moments(), st.sampled_from(CALENDAR))
def test_calendar_spans_lie_end_to_end_and_hold_their_moment(at: tuple[str, datetime], period: Period) -> None:
    zone, now = at
    window = _window(period, zone)
    span = span_of(window, now)
    assert span.resets_at
    assert span.since == span.bucket <= now < span.resets_at
    assert span_of(window, span.bucket) == span_of(window, span.resets_at - TICK) == span
    assert span_of(window, span.resets_at).bucket == span.resets_at
    assert span_of(window, span.bucket - TICK).resets_at == span.bucket


@given(moments(), st.sampled_from(["day", "week", "month"]))
def test_a_calendar_span_is_what_the_wall_calendar_says(at: tuple[str, datetime], period: Period) -> None:
    zone, now = at
    span = span_of(_window(period, zone), now)
    assert span.resets_at
    first, here, last = (m.astimezone(ZoneInfo(zone)).date() for m in (span.bucket, now, span.resets_at - TICK))
    if period == "day":
        assert first == here == last
    elif period == "week":
        assert first.isocalendar()[:2] == here.isocalendar()[:2] == last.isocalendar()[:2]
        assert first.isoweekday() == 1
    else:
        assert (first.year, first.month) == (here.year, here.month) == (last.year, last.month)
        assert first.day == 1


@given(moments())
def test_an_hour_is_sixty_minutes_and_full_by_the_winter_clock(at: tuple[str, datetime]) -> None:
    zone, now = at
    span = span_of(_window("hour", zone), now)
    assert span.resets_at == span.bucket + timedelta(hours=1)
    local = span.bucket.astimezone(ZoneInfo(zone))
    assert (local - (local.dst() or timedelta())).minute == 0


@pytest.mark.parametrize(
    ("period", "zone", "now", "begins", "ends"),
    [
        ("hour", "UTC", "2026-11-20T12:34:56", "2026-11-20 12:00", "2026-11-20 13:00"),
        ("hour", "Asia/Kathmandu", "2026-11-20T12:14", "2026-11-20 11:15", "2026-11-20 12:15"),
        ("day", "Asia/Kathmandu", "2026-11-20T18:14", "2026-11-19 18:15", "2026-11-20 18:15"),
        ("day", "Europe/Prague", "2026-03-29T12:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        ("day", "Europe/Prague", "2026-10-25T12:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        ("hour", "Europe/Prague", "2026-10-25T00:30", "2026-10-25 00:00", "2026-10-25 01:00"),
        ("hour", "Europe/Prague", "2026-10-25T01:30", "2026-10-25 01:00", "2026-10-25 02:00"),
        ("week", "Europe/Prague", "2026-03-29T12:00", "2026-03-22 23:00", "2026-03-29 22:00"),
        ("month", "Europe/Prague", "2026-10-31T22:59", "2026-09-30 22:00", "2026-10-31 23:00"),
        ("day", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04 03:00", "2018-11-05 02:00"),
        ("day", "America/Sao_Paulo", "2018-02-18T02:30", "2018-02-17 02:00", "2018-02-18 03:00"),
        ("day", "America/Havana", "2026-11-01T05:30", "2026-11-01 04:00", "2026-11-02 05:00"),
        ("day", "Pacific/Apia", "2011-12-30T09:59", "2011-12-29 10:00", "2011-12-30 10:00"),
        ("day", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30 10:00", "2011-12-31 10:00"),
        ("week", "Pacific/Apia", "2011-12-30T10:00", "2011-12-26 10:00", "2012-01-01 10:00"),
        ("month", "UTC", "2026-01-31T23:59:59", "2026-01-01 00:00", "2026-02-01 00:00"),
        ("month", "UTC", "2028-02-29T00:00", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("month", "UTC", "2026-12-31T00:00", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("week", "UTC", "2027-01-01T00:00", "2026-12-28 00:00", "2027-01-04 00:00"),
    ],
)
def test_a_calendar_span_begins_and_ends_at(period: Period, zone: str, now: str, begins: str, ends: str) -> None:
    assert _ends(span_of(_window(period, zone), _at(now))) == (begins, ends)


@pytest.mark.parametrize("period", CALENDAR)
@pytest.mark.parametrize("kind", ["calendar", "rolling"])
def test_a_span_is_the_same_in_whatever_zone_its_moment_is_written(period: Period, kind: str) -> None:
    now = _at("2026-11-20T12:34:56.789")
    window = _window(period, "America/Sao_Paulo", kind)
    elsewhere = now.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert span_of(window, elsewhere) == span_of(window, now)


def test_a_lifetime_is_one_span_without_end() -> None:
    assert span_of(_window("lifetime"), _at("2026-11-20T12:00")) == Span(EPOCH, EPOCH, None)


@given(moments(), st.sampled_from(CALENDAR))
def test_a_rolling_window_reaches_back_over_its_period_and_at_most_a_sixtieth_more(
    at: tuple[str, datetime], period: Period
) -> None:
    now = at[1]
    length = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(7), "month": timedelta(30)}[
        period
    ]
    window = _window(period, kind="rolling")
    span = span_of(window, now)
    assert span.resets_at
    assert span.since <= span.bucket <= now < span.resets_at
    assert span_of(window, now - length).bucket >= span.since
    assert span_of(window, now - length * 61 / 60).bucket < span.since
    assert span_of(window, span.resets_at).bucket == span.resets_at
    assert span_of(window, span.resets_at - TICK) == span


@given(st.integers(1, 100_000), ANYWHEN)
def test_a_velocity_limit_reaches_back_over_all_its_seconds(seconds: int, now: datetime) -> None:
    velocity = Velocity(1, seconds)
    span = span_of_velocity(velocity, now)
    assert span.resets_at
    assert span.since <= span.bucket <= now < span.resets_at
    assert timedelta(seconds=seconds) <= span.bucket - span.since < timedelta(seconds=seconds) + 60 * TICK
    assert span_of_velocity(velocity, now - timedelta(seconds=seconds)).bucket >= span.since


@given(
    st.sampled_from([1, 7, 11, 60, 3600]),
    st.lists(st.tuples(st.timedeltas(timedelta(0), timedelta(seconds=40)), st.integers(1, 60)), max_size=60),
)
def test_no_stretch_of_a_stream_comes_to_more_than_the_maximum(
    seconds: int, steps: list[tuple[timedelta, int]]
) -> None:
    velocity, most, now = Velocity(1, seconds), 100, _at("2026-11-20T12:00")
    length = timedelta(seconds=seconds)
    admitted: list[tuple[datetime, int]] = []
    counts: dict[datetime, int] = {}
    for step, amount in steps:
        now += step
        span = span_of_velocity(velocity, now)
        counted = sum(sum_ for bucket, sum_ in counts.items() if bucket >= span.since)
        plain = sum(paid for at, paid in admitted if at >= now - length)
        late = sum(paid for at, paid in admitted if at >= now - length * 61 / 60 - 61 * TICK)
        assert plain <= counted <= late
        if counted + amount <= most:
            counts[span.bucket] = counts.get(span.bucket, 0) + amount
            admitted.append((now, amount))
    for at, _ in admitted:
        assert sum(paid for other, paid in admitted if at <= other <= at + length) <= most


def test_the_pieces_of_a_rolling_window_lie_end_to_end() -> None:
    window, now = _window("hour", kind="rolling"), _at("2026-11-20T12:00:30")
    spans = [span_of(window, now + timedelta(minutes=n)) for n in range(90)]
    assert all(before.resets_at == after.bucket for before, after in pairwise(spans))
    assert [_ends(span) for span in spans[:1]] == [("2026-11-20 12:00", "2026-11-20 12:01")]
