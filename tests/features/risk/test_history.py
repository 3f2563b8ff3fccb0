"""What counts as known before a payment: habits are what was let through, the moment is whatever was asked."""

from datetime import timedelta
from uuid import UUID

import pytest

from bursar.features.risk.history import look_back
from bursar.features.risk.model import NO_HISTORY, Decided, History
from tests.features.risk.payments import NOON, USUAL

NEAR = (90_000, 100_000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def ago(
    time: timedelta,
    amount: int = 10_000,
    *,
    currency: str = "USD",
    payee: UUID | None = USUAL.target_id,
    let_through: bool = True,
) -> Decided:
    earlier = USUAL._replace(at=NOON - time, amount_minor=amount, currency=currency, target_id=payee)
    return Decided(earlier, let_through)


def known(*decided: Decided) -> History:
    return look_back(decided, None, USUAL, NEAR)


def test_before_the_first_payment_nothing_is_known() -> None:
    assert known() == NO_HISTORY


def test_habits_are_the_payments_let_through_in_their_window() -> None:
    history = known(ago(180 * DAY), ago(180 * DAY - SECOND), ago(3 * HOUR), ago(2 * HOUR, let_through=False))
    assert history.payments == 2
    assert (history.hours[12], history.hours[9], history.hours[10], sum(history.hours)) == (1, 1, 0, 2)


def test_the_busiest_hour_is_one_of_the_clock() -> None:
    history = known(*(ago(2 * DAY + timedelta(minutes=m)) for m in (0, 10, 30, 31, 40)))
    assert history.busiest_hour == 3


def test_the_last_hour_counts_what_was_refused_too() -> None:
    history = known(ago(HOUR), ago(HOUR - SECOND), ago(SECOND, let_through=False))
    assert history.last_hour == 2


def test_amounts_of_another_currency_tell_nothing() -> None:
    history = known(ago(DAY, 500), ago(DAY, 900_000, currency="JPY"))
    assert (history.payments, history.payments_in_currency, history.usual_most_minor) == (2, 1, 500)


@pytest.mark.parametrize(("payments", "expected"), [(1, 1), (19, 19), (20, 19), (21, 20), (40, 38), (100, 95)])
def test_the_usual_most_is_what_nineteen_of_twenty_did_not_exceed(payments: int, expected: int) -> None:
    history = known(*(ago(DAY, amount) for amount in reversed(range(1, payments + 1))))
    assert history.usual_most_minor == expected


def test_just_under_the_threshold_counts_a_day_back_and_what_was_refused_too() -> None:
    outside = [ago(DAY, 95_000), ago(HOUR, 89_999), ago(HOUR, 100_001), ago(HOUR, 95_000, currency="JPY")]
    inside = [ago(DAY - SECOND, 90_000), ago(HOUR, 100_000, let_through=False)]
    assert known(*outside, *inside).near_threshold == 2
    assert look_back(inside, None, USUAL, None).near_threshold == 0


def test_a_payee_is_known_since_its_first_payment_that_was_let_through() -> None:
    other = UUID(int=9)
    history = known(ago(900 * DAY, let_through=False), ago(400 * DAY), ago(DAY), ago(800 * DAY, payee=other))
    assert history.payee_since == NOON - 400 * DAY


def test_when_the_source_last_paid_is_what_the_caller_says() -> None:
    assert look_back([], NOON - DAY, USUAL, NEAR).source_last_at == NOON - DAY
