"""Each feature raises the score when it should and not otherwise, and the score explains itself."""

from datetime import timedelta
from typing import get_type_hints

import pytest
from hypothesis import given

from bursar.features.risk.model import NO_HISTORY, Contribution, Feature, History, Outcome, Payment
from bursar.features.risk.ruleset import DEFAULT_RULES, RuleSet
from bursar.features.risk.score import assess
from bursar.kernel.canonical import canonical
from tests.features.risk.payments import AUTO_MAX, NOON, STEADY, USUAL, known, rulesets, thresholds


def measured(
    feature: Feature, history: History, payment: Payment = USUAL, threshold: int | None = AUTO_MAX
) -> Contribution:
    contributions = assess(DEFAULT_RULES, history, payment, threshold).contributions
    (one,) = [c for c in contributions if c.feature == feature]
    return one


def points(feature: Feature, history: History, payment: Payment = USUAL, threshold: int | None = AUTO_MAX) -> int:
    return measured(feature, history, payment, threshold).points


def scored(rules: RuleSet, score: int) -> Outcome:
    """The outcome when a new payee alone makes this score."""
    new_payee = rules.new_payee.model_copy(update={"points": score})
    only = rules.model_copy(update={"new_payee": new_payee})
    return assess(only, STEADY._replace(payee_since=None), USUAL, AUTO_MAX).outcome


def test_a_usual_payment_scores_nothing() -> None:
    assessment = assess(DEFAULT_RULES, STEADY, USUAL, AUTO_MAX)
    assert (assessment.score, assessment.outcome, assessment.rules_version) == (0, "allow", 1)
    assert [c.feature for c in assessment.contributions] == [
        *("velocity", "new_payee", "unusual_hour", "amount_outlier", "structuring", "dormant")
    ]


def test_a_first_payment_is_not_stopped_for_being_the_first() -> None:
    assessment = assess(DEFAULT_RULES, NO_HISTORY, USUAL, AUTO_MAX)
    assert (assessment.score, assessment.outcome) == (20, "allow")


@pytest.mark.parametrize(("asked", "expected"), [(0, 0), (2, 0), (3, 7), (5, 22), (8, 45), (1_000, 45)])
def test_more_payments_in_an_hour_than_ever_raise_the_score(asked: int, expected: int) -> None:
    assert points("velocity", STEADY._replace(last_hour=asked)) == expected


def test_an_agent_that_pays_often_may_pay_often() -> None:
    assert points("velocity", STEADY._replace(last_hour=8, busiest_hour=9)) == 0


@pytest.mark.parametrize(("hours", "expected"), [(None, 20), (0, 20), (23, 20), (24, 0), (2_000, 0)])
def test_a_payee_is_new_until_a_day_after_its_first_payment(hours: int | None, expected: int) -> None:
    since = None if hours is None else NOON - timedelta(hours=hours)
    assert points("new_payee", STEADY._replace(payee_since=since)) == expected


@pytest.mark.parametrize(
    ("hour", "apart", "expected"), [(9, 0, 0), (16, 0, 0), (8, 1, 0), (17, 1, 0), (7, 2, 8), (3, 6, 25), (23, 7, 25)]
)
def test_an_hour_far_from_the_usual_ones_raises_the_score(hour: int, apart: int, expected: int) -> None:
    found = measured("unusual_hour", STEADY, USUAL._replace(at=NOON.replace(hour=hour)))
    assert (found.value, found.points) == (apart, expected)


def test_the_hours_of_a_day_are_a_circle() -> None:
    late = STEADY._replace(hours=(0,) * 23 + (40,))
    assert measured("unusual_hour", late, USUAL._replace(at=NOON.replace(hour=1))).value == 2


def test_an_hour_is_not_usual_because_of_one_payment_among_many() -> None:
    busy = STEADY._replace(payments=401, hours=(0, 0, 0, 1) + (0,) * 5 + (50,) * 8 + (0,) * 7)
    assert points("unusual_hour", busy, USUAL._replace(at=NOON.replace(hour=3))) == 25


def test_four_payments_do_not_tell_the_usual_hours() -> None:
    young = STEADY._replace(payments=4, hours=(0,) * 12 + (4,) + (0,) * 11)
    found = measured("unusual_hour", young, USUAL._replace(at=NOON.replace(hour=3)))
    assert (found.value, found.points) == (None, 0)


@pytest.mark.parametrize(
    ("amount", "percent", "expected"),
    [(20_000, 100, 0), (30_000, 150, 0), (40_000, 200, 22), (50_000, 250, 45), (10**15, 1_000_000, 45)],
)
def test_an_amount_far_above_the_usual_ones_raises_the_score(amount: int, percent: int, expected: int) -> None:
    found = measured("amount_outlier", STEADY, USUAL._replace(amount_minor=amount))
    assert (found.value, found.points) == (percent, expected)


def test_four_payments_in_a_currency_do_not_tell_its_usual_amounts() -> None:
    young = STEADY._replace(payments_in_currency=4)
    assert points("amount_outlier", young, USUAL._replace(amount_minor=10**9)) == 0


@pytest.mark.parametrize(
    ("amount", "before", "expected"),
    [
        (95_000, 0, 0),
        (95_000, 1, 40),
        (95_000, 2, 80),
        (95_000, 9, 80),
        (90_000, 1, 40),
        (100_000, 1, 40),
        (89_999, 9, 0),
        (100_001, 9, 0),
    ],
)
def test_a_second_payment_just_under_the_threshold_raises_the_score(amount: int, before: int, expected: int) -> None:
    history = STEADY._replace(near_threshold=before)
    assert points("structuring", history, USUAL._replace(amount_minor=amount)) == expected
    assert points("structuring", history, USUAL._replace(amount_minor=amount), threshold=None) == 0


@pytest.mark.parametrize(("days", "expected"), [(None, 0), (0, 0), (60, 0), (120, 12), (180, 25), (3_000, 25)])
def test_an_account_that_was_silent_for_long_raises_the_score(days: int | None, expected: int) -> None:
    last = None if days is None else NOON - timedelta(days=days)
    assert points("dormant", STEADY._replace(source_last_at=last)) == expected


@pytest.mark.parametrize(
    ("score", "outcome"),
    [(39, "allow"), (40, "needs_approval"), (59, "needs_approval"), (60, "step_up"), (84, "step_up"), (85, "deny")],
)
def test_the_score_leads_to_the_outcome(score: int, outcome: Outcome) -> None:
    assert scored(DEFAULT_RULES, score) == outcome


def test_an_outcome_can_be_put_out_of_reach() -> None:
    outcomes = DEFAULT_RULES.outcomes.model_copy(update={"deny": 101})
    assert scored(DEFAULT_RULES.model_copy(update={"outcomes": outcomes}), 100) == "step_up"


def test_each_contribution_says_in_words_what_it_saw() -> None:
    history = STEADY._replace(last_hour=4, near_threshold=2, payee_since=NOON - timedelta(hours=3))
    payment = USUAL._replace(at=NOON.replace(hour=22), amount_minor=95_000)
    assert [c.text for c in assess(DEFAULT_RULES, history, payment, AUTO_MAX).contributions] == [
        "5 payments within an hour, this one included; the busiest hour of the last 180 days had 2",
        "the agent first paid this payee 13 hours ago",
        "the hour from 22:00 UTC is 6 hours from the nearest usual one, 16:00",
        "950.00 USD is asked; 19 of 20 earlier payments did not exceed 200.00",
        "3 payments within 24 hours, this one included, just under 1000.00 USD",
        "the source account last paid 1 days ago",
    ]


@given(rulesets(), known, thresholds)
def test_a_score_is_the_sum_of_its_contributions_and_at_most_a_hundred(
    rules: RuleSet, known: tuple[History, Payment], threshold: int | None
) -> None:
    assessment = assess(rules, *known, threshold)
    assert all(c.points >= 0 for c in assessment.contributions)
    assert assessment.score == min(sum(c.points for c in assessment.contributions), 100)


@given(known, thresholds)
def test_the_same_inputs_give_the_same_result(known: tuple[History, Payment], threshold: int | None) -> None:
    history, payment = known
    again = History(*history), Payment(*payment)
    assert assess(DEFAULT_RULES, history, payment, threshold) == assess(DEFAULT_RULES, *again, threshold)


@given(known, thresholds)
def test_every_value_can_be_kept_in_canonical_json(known: tuple[History, Payment], threshold: int | None) -> None:
    contributions = assess(DEFAULT_RULES, *known, threshold).contributions
    kept = canonical([[c.feature, c.value, c.points, c.text] for c in contributions])
    assert kept.count('"') >= 2 * len(contributions)


def test_no_rule_sees_text_of_an_agent() -> None:
    assert {name for name, kind in get_type_hints(Payment).items() if kind is str} == {"currency"}
    assert not [name for name, kind in get_type_hints(History).items() if "str" in str(kind)]
