"""`bursar payments`: what payments through providers stand like, read at the database."""

from pathlib import Path
from typing import Any

from bursar.core.ledger import reading
from bursar.faces.cli.place import opened
from bursar.features.payments import effect_store, store
from bursar.features.payments.model import Attempt, Booked, Payment
from bursar.kernel.ids import read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import UnknownObject

_MOST_LISTED = 1_000


async def listed(status: str | None, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Payments, newest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [show_payment(payment) for payment in await store.list_payments(tx, status, None, None, _MOST_LISTED)]


async def shown(payment_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """One payment with every call to its provider and everything that was booked of it."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        known = read("pay", payment_id)
        payment = await store.find_payment(tx, known) if known else None
        if payment is None:
            raise UnknownObject("payment")
        attempts = await store.list_attempts(tx, payment.id)
        effects = await effect_store.list_effects(tx, payment.id)
        numbers = await reading.numbers_of(tx, [payment.account_id])
    return {
        **show_payment(payment),
        "account": numbers[payment.account_id],
        "calls": [_show_attempt(attempt) for attempt in attempts],
        "booked": [_show_effect(effect) for effect in effects],
    }


def show_payment(payment: Payment) -> dict[str, Any]:
    """A payment as one line."""

    def amount(minor: int) -> str:
        return show_minor(minor, payment.currency)

    return {
        "id": show("pay", payment.id),
        "status": payment.status,
        "provider": payment.provider,
        "amount": amount(payment.amount_minor),
        "captured": amount(payment.captured_minor),
        "refunded": amount(payment.refunded_minor),
        "disputed": amount(payment.disputed_minor),
        "fee": amount(payment.fee_minor),
        "currency": payment.currency,
        "reference": payment.reference,
        "failure": payment.failure,
        "quarantined": payment.quarantined,
        "created_at": payment.created_at.isoformat(),
    }


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "kind": attempt.kind,
        "status": attempt.status,
        "amount": show_minor(attempt.amount_minor, attempt.currency),
        "key": attempt.key,
        "asked": attempt.asked,
        "ask_at": attempt.ask_at.isoformat() if attempt.ask_at else None,
        "failure": attempt.failure,
    }


def _show_effect(effect: Booked) -> dict[str, Any]:
    return {
        "effect": effect.kind,
        "reference": effect.reference,
        "amount": show_minor(effect.amount_minor, effect.currency),
        "fee": show_minor(effect.fee_minor, effect.currency),
        "transfer": show("tr", effect.entry_id) if effect.entry_id else None,
    }
