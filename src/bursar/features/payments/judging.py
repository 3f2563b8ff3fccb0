"""Whether what a provider reports is what was asked of it: pure. What does not agree is never booked."""

from collections.abc import Iterable, Sequence

from bursar.features.payments.model import PREFIX, Attempt, Booked, Payment
from bursar.features.payments.ports import Effect, EffectKind, Report
from bursar.kernel.money import Money

# What must have been booked before: a refund stands on captures, the end of a dispute on its beginning.
_IN_TURN: dict[EffectKind, int] = {
    "capture": 0, "payout": 0, "transfer": 0, "adjustment": 0, "refund": 1, "payout_paid": 1, "payout_failed": 1,
    "refund_failed": 2, "dispute": 2, "dispute_review": 3, "dispute_won": 3, "dispute_lost": 3,
}  # fmt: skip


def mismatch(payment: Payment | None, attempt: Attempt, report: Report) -> str | None:
    """Where a report of a call contradicts it, as a sentence for people; None where it agrees."""
    if report.currency != attempt.currency:
        return f"The provider reports {report.currency}; asked was {attempt.currency}."
    if report.key is not None and report.key != attempt.key:
        return "The provider's report names another call."
    if _has_other_reference(payment, attempt, report):
        return "The provider names it by another id than before."
    asked = (
        payment.amount_minor if payment and attempt.kind in ("charge", "capture", "cancel") else attempt.amount_minor
    )
    if report.amount_minor != asked:
        reported = Money(report.amount_minor, report.currency)
        return f"The provider reports {reported} {report.currency}; asked was {Money(asked, report.currency)}."
    return None


def _has_other_reference(payment: Payment | None, attempt: Attempt, report: Report) -> bool:
    own = attempt.kind in PREFIX
    known = attempt.reference if own else payment.reference if payment else None
    # A new attempt at a payment is a new thing at the provider.
    return known is not None and known != report.reference and (own or attempt.kind != "charge")


def overshoot(payment: Payment, booked: Sequence[Booked], fresh: Sequence[Effect]) -> str | None:
    """Where effects go beyond what the payment can be; None where they fit."""
    for effect in fresh:
        if effect.currency != payment.currency:
            return f"The provider reports {effect.currency} for a payment in {payment.currency}."
        if effect.amount_minor <= 0 and effect.kind != "adjustment":
            return f"The provider reports a {effect.kind} of nothing."
    captured = _sum("capture", booked, fresh)
    if captured > payment.amount_minor:
        return f"The provider has captured {Money(captured, payment.currency)} of a payment of {payment.money}."
    return None


def _sum(kind: EffectKind, booked: Iterable[Booked], fresh: Iterable[Effect]) -> int:
    return sum(b.amount_minor for b in booked if b.kind == kind) + sum(e.amount_minor for e in fresh if e.kind == kind)


def in_turn(effects: Iterable[Effect]) -> list[Effect]:
    """Effects in the order in which they build on each other."""
    return sorted(effects, key=lambda effect: (_IN_TURN[effect.kind], effect.reference))


def is_early(
    effect: Effect, captured_minor: int, refunded_minor: int, begun: Iterable[tuple[EffectKind, str | None]]
) -> bool:
    """Whether what an effect builds on is not booked yet; `begun` are the kinds and objects of what is."""
    match effect.kind:
        case "refund":
            return refunded_minor + effect.amount_minor > captured_minor
        case "refund_failed":
            return ("refund", effect.about) not in begun
        case "dispute_review" | "dispute_won" | "dispute_lost":
            return ("dispute", effect.about) not in begun
        case "payout_paid" | "payout_failed":
            return ("payout", effect.about) not in begun
        case _:
            return False
