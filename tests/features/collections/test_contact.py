"""The rules of contact as a pure function: which rule objects, and from which moment on none does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.collections.contact import BUILT_IN, History, Rules, refuse
from bursar.features.collections.model import ContactNotAllowed

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NEVER = History((), None)


def objection(rules: Rules, zone: str, history: History, now: datetime) -> tuple[str, datetime] | None:
    try:
        refuse(rules, zone, history, now)
    except ContactNotAllowed as refused:
        return refused.fact, refused.allowed_from
    return None


@pytest.mark.parametrize(
    ("zone", "now", "allowed"),
    [
        ("UTC", "2026-03-10T08:00:00+00:00", None),
        ("UTC", "2026-03-10T07:59:59+00:00", "2026-03-10T08:00:00+00:00"),
        ("UTC", "2026-03-10T19:59:59+00:00", None),
        ("UTC", "2026-03-10T20:00:00+00:00", "2026-03-11T08:00:00+00:00"),
        # There it is 06:00 of the next day, and 21:00 of the day before.
        ("Pacific/Kiritimati", "2026-03-10T16:00:00+00:00", "2026-03-10T18:00:00+00:00"),
        ("America/Los_Angeles", "2026-03-10T04:00:00+00:00", "2026-03-10T15:00:00+00:00"),
        # The clock goes forward in the night of the 29th.
        ("Europe/Prague", "2026-03-28T19:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("Europe/Prague", "2026-03-29T18:00:00+00:00", "2026-03-30T06:00:00+00:00"),
    ],
)
def test_hours_are_those_of_the_borrowers_day(zone: str, now: str, allowed: str | None) -> None:
    found = objection(BUILT_IN, zone, NEVER, datetime.fromisoformat(now))
    assert (found and found[1].isoformat()) == allowed
    assert found is None or found[0] == f"Borrowers are reminded from 08:00 to 20:00, {zone}."


def test_so_many_in_so_many_days_and_no_more() -> None:
    days = timedelta(days=1)
    sent = [NOON - 7 * days, NOON - 2 * days, NOON - days, NOON - timedelta(hours=1)]
    fact, allowed = objection(BUILT_IN, "UTC", History(sent, None), NOON) or ("", NOON)
    assert fact == "The borrower is reminded at most 3 times in 7 days."
    assert allowed == NOON + 5 * days
    assert objection(BUILT_IN, "UTC", History(sent[1:3], None), NOON) is None
    # The one that is just seven days old counts no more.
    assert objection(BUILT_IN, "UTC", History(sent[:3], None), NOON) is None


def test_after_a_promise_nobody_is_reminded_until_its_day_is_over() -> None:
    history = History((), date(2026, 3, 10))
    fact, allowed = objection(BUILT_IN, "UTC", history, NOON) or ("", NOON)
    assert fact == "The borrower has promised to pay until 2026-03-10."
    assert allowed == datetime(2026, 3, 11, 8, 0, tzinfo=UTC)
    assert objection(BUILT_IN, "UTC", history, allowed) is None


def test_the_refusal_names_the_moment_without_fractions_and_not_too_early() -> None:
    sent = [NOON - timedelta(microseconds=1)] * 3
    refusal = ContactNotAllowed(*(objection(BUILT_IN, "UTC", History(sent, None), NOON) or ("", NOON)))
    assert "2026-03-17T12:00:00Z" in refusal.detail


HOURS = st.integers(0, 1439).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, 1440)))
# Hypothesis takes bounds without a zone only; what it makes gets one.
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham"])


@given(HOURS, ZONES, MOMENTS, st.lists(st.integers(1, 20 * 86_400), max_size=8), st.integers(1, 4), st.integers(1, 14))
def test_at_the_moment_named_no_rule_objects_and_shortly_before_one_did(
    hours: tuple[int, int], zone: str, now: datetime, ages: list[int], most: int, days: int
) -> None:
    rules = Rules("*", 1, *hours, "UTC", most, days, 30)
    history = History(sorted(now - timedelta(seconds=age) for age in ages), None)
    found = objection(rules, zone, history, now)
    if found is None:
        return
    allowed = found[1]
    assert allowed > now
    assert objection(rules, zone, history, allowed) is None
    assert objection(rules, zone, history, max(now, allowed - timedelta(seconds=61))) is not None
