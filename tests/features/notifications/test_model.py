"""What follows from an attempt: when it is made again, when a delivery is given up, when an endpoint is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bursar.features.notifications.model import (
    KEPT_TRYING,
    RETRY_SECONDS,
    Endpoint,
    Result,
    Step,
    Taken,
    course_after,
    step_after,
)
from bursar.kernel.ids import new_id

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ENDPOINT = Endpoint(new_id(), "https://example.com/", "", (), "active", None, 1, 0, None, NOW, NOW)


def result(status: int | None) -> Result:
    return Result(NOW, 7, status, None if status else "timeout", "")


def taken(attempts: int = 0, made: datetime = NOW, *, test: bool = False) -> Taken:
    return Taken(new_id(), None if test else new_id(), 1, attempts, made)


def test_the_attempts_are_fifteen_and_the_last_is_within_three_days() -> None:
    at, waits = NOW, list[float]()
    for number in range(14):
        step = step_after(taken(number), result(500), at, 0.0)
        assert step.status == "pending"
        waits.append((step.due_at - at).total_seconds())
        at = step.due_at
    assert step_after(taken(14), result(500), at, 0.0).status == "failed"
    assert waits == list(RETRY_SECONDS)
    assert timedelta(days=2, hours=23) < at - NOW <= KEPT_TRYING


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 401, 404, 429, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(status: int | None) -> None:
    assert step_after(taken(), result(status), NOW, 0.0) == Step("pending", NOW + timedelta(seconds=5))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_the_end_of_it(status: int) -> None:
    assert step_after(taken(), result(status), NOW, 0.0).status == "delivered"


def test_luck_makes_a_wait_shorter_by_a_tenth_at_most() -> None:
    due = [step_after(taken(5), result(500), NOW, luck).due_at - NOW for luck in (0.0, 0.5, 1.0)]
    assert due == [timedelta(seconds=3600), timedelta(seconds=3420), timedelta(seconds=3240)]


def test_what_has_waited_three_days_is_tried_once_more_and_given_up() -> None:
    assert step_after(taken(2, NOW - KEPT_TRYING), result(500), NOW, 0.0).status == "failed"
    assert step_after(taken(2, NOW - KEPT_TRYING), result(200), NOW, 0.0).status == "delivered"


def test_a_test_is_tried_once() -> None:
    assert step_after(taken(test=True), result(500), NOW, 0.0).status == "failed"


def test_410_ends_the_delivery_and_the_endpoint() -> None:
    one = taken()
    assert step_after(one, result(410), NOW, 0.0).status == "failed"
    course = course_after(ENDPOINT, [(one, result(410), Step("failed", NOW))], NOW)
    assert course.why == "It answered 410: it is gone."


def test_an_endpoint_is_given_up_with_a_delivery_only_when_nothing_succeeded_since_that_was_made() -> None:
    made = NOW - timedelta(days=3)
    given_up = [(taken(14, made), result(500), Step("failed", NOW))]
    assert course_after(ENDPOINT, given_up, NOW).why
    assert course_after(replace(ENDPOINT, last_success_at=made - timedelta(seconds=1)), given_up, NOW).why
    assert course_after(replace(ENDPOINT, last_success_at=made + timedelta(seconds=1)), given_up, NOW).why is None
    beside = [*given_up, (taken(), result(200), Step("delivered", NOW))]
    assert course_after(ENDPOINT, beside, NOW).why is None
    assert course_after(ENDPOINT, [(taken(test=True), result(500), Step("failed", NOW))], NOW).why is None


def test_failures_are_counted_until_one_succeeds() -> None:
    failed = (taken(), result(500), Step("pending", NOW))
    worse = course_after(replace(ENDPOINT, failures=3), [failed, failed], NOW)
    assert (worse.failures, worse.last_success_at, worse.why) == (5, None, None)
    better = course_after(replace(ENDPOINT, failures=3), [failed, (taken(), result(200), Step("delivered", NOW))], NOW)
    assert (better.failures, better.last_success_at, better.why) == (0, NOW, None)
