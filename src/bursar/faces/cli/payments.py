"""`bursar payments`: what payments through providers stand like, read at the database."""

from pathlib import Path
from typing import Any
from uuid import UUID

from bursar.api.routes.payment_shapes import show_payout
from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.ledger import reading
from bursar.faces.cli.place import opened
from bursar.faces.cli.providers import connected
from bursar.features.payments import dispute_store, effect_store, lifting, lifting_payouts, store
from bursar.features.payments.calling import Shop
from bursar.features.payments.lifting import Decision
from bursar.features.payments.model import Attempt, Booked, Dispute, DisputeStatus, Payment
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import UnknownObject
from bursar.kernel.settings import Settings

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


async def disputes(status: DisputeStatus | None, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Disputes, those that began last first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [_show_dispute(one) for one in await dispute_store.list_disputes(tx, None, status, None, _MOST_LISTED)]


def _show_dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.reference,
        "payment": show("pay", dispute.payment_id),
        "provider": dispute.provider,
        "status": dispute.status,
        "amount": show_minor(dispute.amount_minor, dispute.currency),
        "fee": show_minor(dispute.fee_minor, dispute.currency),
        "currency": dispute.currency,
        "opened_at": dispute.opened_at.isoformat(),
    }


async def lift(
    operator: str, payment_id: str, decision: Decision, reason: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Lift a payment's or payout's quarantine: the provider is asked first."""
    async with opened(data, tenant) as place, connected(place, Settings()) as providers:
        shop, known, payout = Shop(place.database, providers), read("pay", payment_id), read("po", payment_id)
        if payout:
            return await _lift_payout(operator, shop, place.tenant_id, payout, decision, reason)
        heard = await lifting.ask_provider(shop, place.tenant_id, known)
        async with place.database.transaction(place.tenant_id) as tx:
            actor = await approvals.acting(tx, operator)
            payment, happening = await lifting.lift(tx, actor, shop, known, decision, reason, heard)
            told = happening._replace(payload={**happening.payload, "by": "command line"})
            events.record(tx, [event_of(new_id(), actor, "", "lift_quarantine", told)])
    return show_payment(payment)


async def _lift_payout(
    operator: str, shop: Shop, tenant_id: UUID, payout_id: UUID, decision: Decision, reason: str
) -> dict[str, Any]:
    heard = await lifting_payouts.ask_provider(shop, tenant_id, payout_id)
    async with shop.database.transaction(tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        payout, happening = await lifting_payouts.lift(tx, actor, shop, payout_id, decision, reason, heard)
        told = happening._replace(payload={**happening.payload, "by": "command line"})
        events.record(tx, [event_of(new_id(), actor, "", "lift_payout_quarantine", told)])
    return show_payout(payout).model_dump(mode="json")


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
        "in_suspense": payment.in_suspense,
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
