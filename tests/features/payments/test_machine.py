"""Where a payment stands after reports in any order: it is never led back, and earlier attempts have no say."""

from itertools import permutations
from typing import get_args

import pytest

from bursar.features.payments.machine import Place, begun, ended, lost, reported
from bursar.features.payments.ports import Standing

STANDINGS: tuple[Standing, ...] = get_args(Standing)
NEW = Place("requires_confirmation", 0, 0)


@pytest.mark.parametrize("number", range(1, 5))
def test_reports_of_an_attempt_in_every_order_come_to_the_same_and_never_lead_back(number: int) -> None:
    start = begun(NEW)
    for chosen in permutations(STANDINGS, number):
        place = start
        for standing in chosen:
            after = reported(place, 1, standing)
            assert after.rank >= place.rank, chosen
            place = after
        assert place == _last(start, sorted(chosen)), chosen


def _last(start: Place, chosen: list[Standing]) -> Place:
    places = [reported(start, 1, standing) for standing in chosen]
    return max(places, key=lambda place: place.rank)


def test_of_two_ends_that_contradict_each_other_the_one_with_the_money_wins() -> None:
    for other in ("failed", "canceled"):
        paid = reported(reported(begun(NEW), 1, other), 1, "succeeded")
        assert (paid.status, reported(paid, 1, other)) == ("succeeded", paid)


def test_what_an_earlier_attempt_reports_changes_nothing() -> None:
    second = begun(reported(begun(NEW), 1, "failed"))
    assert second == Place("processing", 2, 0)
    for standing in STANDINGS:
        assert reported(second, 1, standing) == second
    assert lost(second, 1) == second
    assert ended(second, 1) == second


def test_what_is_lost_is_unknown_until_more_is_said_and_then_not_again() -> None:
    unknown = lost(begun(NEW), 1)
    assert unknown == Place("unknown", 1, 0)
    assert reported(unknown, 1, "processing").status == "processing"
    for standing in ("requires_capture", "failed", "canceled", "succeeded"):
        known = reported(unknown, 1, standing)
        assert (known.status, lost(known, 1)) == (standing, known)


@pytest.mark.parametrize("standing", STANDINGS)
def test_only_failed_canceled_and_succeeded_are_ends(standing: Standing) -> None:
    assert reported(begun(NEW), 1, standing).is_over == (standing in ("failed", "canceled", "succeeded"))


def test_what_is_given_up_before_it_was_sent_is_canceled() -> None:
    assert ended(begun(NEW), 1).status == "canceled"
