"""What a provider says is held against what was asked: what differs in any way is told apart from what agrees."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from bursar.features.payments.judging import in_turn, is_early, mismatch, overshoot
from bursar.features.payments.model import Attempt, Booked, Payment
from bursar.features.payments.ports import CallKind, Effect, EffectKind, Report
from bursar.kernel.ids import new_id

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def a_payment(reference: str | None = "pi_1") -> Payment:
    return Payment(
        new_id(), "sandbox", new_id(), "USD", 10_000, "manual", None, None, "processing", 1, 0, 0, 0, 0, 0, reference,
        None, None, False, False, None, {}, new_id(), NOW, NOW,
    )  # fmt: skip


def a_call(kind: CallKind, amount_minor: int = 10_000, reference: str | None = None) -> Attempt:
    return Attempt(
        new_id(), new_id(), 1, kind, "sandbox", new_id(), "USD", amount_minor, "pending", reference, None, True, None,
        None, new_id(), None, new_id(), None, None, 0, None, None, NOW, None,
    )  # fmt: skip


def a_report(call: Attempt, amount_minor: int = 10_000, reference: str = "pi_1", **more: Any) -> Report:
    return Report(call.key, call.kind, reference, "succeeded", amount_minor, "USD")._replace(**more)


def an_effect(kind: EffectKind, minor: int = 100, about: str | None = None, currency: str = "USD") -> Effect:
    return Effect(f"txn_{kind}_{about}", kind, minor, currency, about=about)


def a_booked(kind: EffectKind, minor: int, about: str | None = None) -> Booked:
    return Booked(f"txn_{new_id().hex}", kind, None, "USD", minor, 0, about, None, NOW)


@pytest.mark.parametrize("kind", ["charge", "capture", "cancel"])
def test_a_report_of_a_payment_agrees_by_the_payments_amount_and_not_by_the_calls(kind: CallKind) -> None:
    call = a_call(kind, 10_000 if kind == "charge" else 0 if kind == "cancel" else 3_000)
    assert mismatch(a_payment(), call, a_report(call)) is None
    assert mismatch(a_payment(), call, a_report(call, 10_001)) == "The provider reports 100.01 USD; asked was 100.00."
    assert mismatch(a_payment(), call, a_report(call, 3_000)) is not None


@pytest.mark.parametrize("kind", ["refund", "payout"])
def test_a_report_of_a_refund_or_payout_agrees_by_its_own_amount_and_reference(kind: CallKind) -> None:
    payment = a_payment() if kind == "refund" else None
    first, later = a_call(kind, 3_000), a_call(kind, 3_000, "re_1")
    assert mismatch(payment, first, a_report(first, 3_000, "re_1")) is None
    assert mismatch(payment, later, a_report(later, 3_000, "re_1")) is None
    assert mismatch(payment, later, a_report(later, 3_000, "re_2")) is not None
    assert mismatch(payment, first, a_report(first, 2_999, "re_1")) is not None


def test_another_currency_key_or_reference_is_a_mismatch() -> None:
    call = a_call("capture")
    for changed in ({"currency": "EUR"}, {"key": new_id().hex}, {"reference": "pi_2"}):
        assert mismatch(a_payment(), call, a_report(call)._replace(**changed)) is not None, changed
    assert mismatch(a_payment(), call, a_report(call, key=None)) is None
    # Another attempt at a payment makes another thing at the provider.
    again = a_call("charge")
    assert mismatch(a_payment(), again, a_report(again, reference="pi_2")) is None


def test_effects_beyond_the_payment_are_an_overshoot() -> None:
    payment, booked = a_payment(), [a_booked("capture", 6_000)]
    assert overshoot(payment, booked, [an_effect("capture", 4_000)]) is None
    assert overshoot(payment, booked, [an_effect("capture", 4_001)]) is not None
    assert overshoot(payment, booked, [an_effect("refund", 100, currency="EUR")]) is not None
    for minor in (0, -1):
        assert overshoot(payment, booked, [an_effect("refund", minor)]) is not None
        assert overshoot(payment, booked, [an_effect("adjustment", minor)]) is None


KINDS: tuple[EffectKind, ...] = ("capture", "refund", "refund_failed", "dispute", "dispute_won")


def test_effects_that_come_together_are_taken_in_an_order_in_which_none_is_early() -> None:
    """Whatever the order in which they are named: what each builds on is there when it comes."""
    named = [an_effect(kind, 100, "dp_1" if kind.startswith("dispute") else "re_1") for kind in KINDS]
    for order in permutations(named):
        captured, refunded, begun = 0, 0, set[tuple[EffectKind, str | None]]()
        for effect in in_turn(order):
            assert not is_early(effect, captured, refunded, begun), order
            begun.add((effect.kind, effect.about))
            captured += effect.amount_minor if effect.kind == "capture" else 0
            refunded += effect.amount_minor if effect.kind == "refund" else 0


@pytest.mark.parametrize(
    ("kind", "stands_on"),
    [("refund_failed", "refund"), ("dispute_won", "dispute"), ("dispute_lost", "dispute"),
     ("dispute_review", "dispute"), ("payout_paid", "payout"), ("payout_failed", "payout")],
)  # fmt: skip
def test_what_stands_on_something_of_another_object_is_early(kind: EffectKind, stands_on: EffectKind) -> None:
    effect = an_effect(kind, 100, "one")
    assert is_early(effect, 10_000, 0, set())
    assert is_early(effect, 10_000, 0, {(stands_on, "other")})
    assert not is_early(effect, 10_000, 0, {(stands_on, "one")})


def test_a_refund_of_more_than_is_captured_and_not_refunded_is_early() -> None:
    refund = an_effect("refund", 4_000, "re_1")
    assert is_early(refund, 10_000, 6_001, set())
    assert not is_early(refund, 10_000, 6_000, set())
