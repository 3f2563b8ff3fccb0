"""The scoring: pure, in whole numbers, so that the same rules, history and payment always give the same assessment."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from bursar.features.risk.model import (
    EXAMPLES,
    HABIT_DAYS,
    HIGHEST_SCORE,
    MOST_HABITS,
    Assessment,
    Change,
    Comparison,
    Contribution,
    History,
    Move,
    Outcome,
    Payment,
)
from bursar.features.risk.ruleset import (
    AmountOutlier,
    NewPayee,
    Outcomes,
    Ramp,
    RuleSet,
    Structuring,
    UnusualHour,
    Velocity,
)
from bursar.kernel.money import show_minor

# Canonical JSON ends at 2**53; amounts lie so far apart only when nothing else matters.
_MOST_PERCENT = 1_000_000
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def assess(rules: RuleSet, history: History, payment: Payment, near_threshold_minor: int | None) -> Assessment:
    """Score a payment by what was known before it.

    `near_threshold_minor` is the most that goes through without an approval, from the mandate; None if there is none.
    """
    contributions = (
        _velocity(rules.velocity, history),
        _new_payee(rules.new_payee, history, payment),
        _unusual_hour(rules.unusual_hour, history, payment),
        _amount_outlier(rules.amount_outlier, history, payment),
        _structuring(rules.structuring, history, payment, near_threshold_minor),
        _dormant(rules.dormant, history, payment),
    )
    score = min(sum(c.points for c in contributions), HIGHEST_SCORE)
    return Assessment(rules.version, score, _outcome(rules.outcomes, score), contributions)


def _outcome(outcomes: Outcomes, score: int) -> Outcome:
    if score >= outcomes.deny:
        return "deny"
    if score >= outcomes.step_up:
        return "step_up"
    return "needs_approval" if score >= outcomes.needs_approval else "allow"


def _velocity(rule: Velocity, history: History) -> Contribution:
    payments = history.last_hour + 1
    value = 100 * payments // max(history.busiest_hour, rule.busiest_at_least)
    text = (
        f"{payments} payments within an hour, this one included;"
        f" the busiest hour of the last {HABIT_DAYS} days had {history.busiest_hour}"
    )
    return Contribution("velocity", value, rule.points_for(value), text)


def _new_payee(rule: NewPayee, history: History, payment: Payment) -> Contribution:
    if payment.target_id is None:
        return Contribution("new_payee", None, 0, "the payee is not named yet; the capture will be asked about")
    if history.payee_since is None:
        return Contribution("new_payee", None, rule.points, "the agent has never paid this payee")
    hours = (payment.at - history.payee_since) // _HOUR
    points = rule.points if hours < rule.cool_off_hours else 0
    return Contribution("new_payee", hours, points, f"the agent first paid this payee {hours} hours ago")


def _unusual_hour(rule: UnusualHour, history: History, payment: Payment) -> Contribution:
    usual = [h for h, count in enumerate(history.hours) if 100 * count >= rule.usual_percent * history.payments]
    if history.payments < rule.payments_at_least or not usual:
        return Contribution("unusual_hour", None, 0, f"{history.payments} payments do not tell the usual hours yet")
    since = history.habits_since
    if history.payments >= MOST_HABITS and since is not None and payment.at - since < _DAY:
        return Contribution("unusual_hour", None, 0, f"the last {MOST_HABITS} payments are all of the last 24 hours")
    hour = payment.at.hour
    value, nearest = min((_hours_between(hour, h), h) for h in usual)
    text = f"the hour from {hour:02}:00 UTC is {value} hours from the nearest usual one, {nearest:02}:00"
    return Contribution("unusual_hour", value, rule.points_for(value), text)


def _hours_between(one: int, other: int) -> int:
    """Around the clock: from 23 to 1 it is 2."""
    apart = abs(one - other)
    return min(apart, 24 - apart)


def _amount_outlier(rule: AmountOutlier, history: History, payment: Payment) -> Contribution:
    known = history.payments_in_currency
    if known < rule.payments_at_least:
        return Contribution(
            "amount_outlier", None, 0, f"{known} payments in {payment.currency} do not tell amounts yet"
        )
    value = min(100 * payment.amount_minor // history.usual_most_minor, _MOST_PERCENT)
    text = (
        f"{show_minor(payment.amount_minor, payment.currency)} {payment.currency} is asked;"
        f" 19 of 20 earlier payments did not exceed {show_minor(history.usual_most_minor, payment.currency)}"
    )
    return Contribution("amount_outlier", value, rule.points_for(value), text)


def near_from_minor(rule: Structuring, near_threshold_minor: int) -> int:
    """The least amount that counts as just under the threshold."""
    return -(-near_threshold_minor * rule.near_percent // 100)


def _structuring(rule: Structuring, history: History, payment: Payment, threshold_minor: int | None) -> Contribution:
    if threshold_minor is None:
        return Contribution("structuring", None, 0, "there is no threshold to stay under")
    if not near_from_minor(rule, threshold_minor) <= payment.amount_minor <= threshold_minor:
        return Contribution("structuring", 0, 0, "the amount is not just under the threshold")
    value = history.near_threshold + 1
    text = (
        f"{value} payments within 24 hours, this one included, just under"
        f" {show_minor(threshold_minor, payment.currency)} {payment.currency}"
    )
    return Contribution("structuring", value, rule.points_for(value), text)


def _dormant(rule: Ramp, history: History, payment: Payment) -> Contribution:
    if history.source_last_at is None:
        return Contribution("dormant", None, 0, "the source account has not paid before")
    days = (payment.at - history.source_last_at) // _DAY
    return Contribution("dormant", days, rule.points_for(days), f"the source account last paid {days} days ago")


def compare(old: Sequence[Assessment], new: Sequence[Assessment]) -> Comparison:
    """Which outcomes change when the same payments, in the same order, are assessed by other rules."""
    places: defaultdict[Move, list[int]] = defaultdict(list)
    for place, (before, after) in enumerate(zip(old, new, strict=True)):
        if before.outcome != after.outcome:
            places[before.outcome, after.outcome].append(place)
    changes = [Change(*move, len(found), found[:EXAMPLES]) for move, found in places.items()]
    changes.sort(key=lambda c: (-c.payments, c.examples[0]))
    return Comparison(len(old), len(old) - sum(c.payments for c in changes), changes)
