"""What the record says of payments, refunds, payouts and disputes."""

from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.features.payments.model import PREFIX, Attempt, Payment
from bursar.features.payments.ports import Effect
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import show_minor

_DISPUTES = {
    "dispute": "needs_response",
    "dispute_review": "under_review",
    "dispute_won": "won",
    "dispute_lost": "lost",
}


def name_of(attempt: Attempt) -> str:
    """The id of a call as the wire shows it: refunds and payouts have their own."""
    return show(PREFIX.get(attempt.kind, "att"), attempt.id)


def payment_changed(tx: Tx, payment: Payment, because: Json = None) -> None:
    """The record of a payment's new status; nobody asked for it here, so it is Bursar's own."""
    facts: dict[str, Json] = {
        "amount": str(payment.money),
        "because": because,
        "captured": show_minor(payment.captured_minor, payment.currency),
        "currency": payment.currency,
        "failure": payment.failure,
        "provider": payment.provider,
        "refunded": show_minor(payment.refunded_minor, payment.currency),
    }
    _record(tx, f"payment.{payment.status}", payment.status, facts, show("pay", payment.id))


def attempt_changed(tx: Tx, attempt: Attempt, status: str) -> None:
    """The record of what became of a refund or payout."""
    facts: dict[str, Json] = {
        "amount": str(attempt.money),
        "currency": attempt.currency,
        "payment": show("pay", attempt.payment_id) if attempt.payment_id else None,
        "provider": attempt.provider,
    }
    _record(tx, f"{attempt.kind}.{status}", status, facts, name_of(attempt))


def dispute_changed(tx: Tx, payment: Payment, effect: Effect) -> None:
    """The record of a dispute that began, is looked at, was won or lost."""
    status = _DISPUTES[effect.kind]
    facts: dict[str, Json] = {
        "amount": show_minor(effect.amount_minor, effect.currency),
        "currency": effect.currency,
        "dispute": effect.about,
        "fee": show_minor(effect.fee_minor, effect.currency),
        "provider": payment.provider,
    }
    _record(tx, f"dispute.{status}", status, facts, show("pay", payment.id))


def _record(tx: Tx, kind: str, outcome: str, facts: dict[str, Json], about: str) -> None:
    happening = Happening(kind, outcome, facts, about)
    events.record(tx, [event_of(new_id(), None, "", "settle_payment", happening)])
