"""Payments, refunds and payouts as the wire shows them, and how their ids are read."""

from uuid import UUID

from bursar.features.payments.model import Attempt, Customer, Dispute, Method, Payment
from bursar.kernel.ids import read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import UnknownObject
from bursar.wire import payments as wire
from bursar.wire.transfers import SettledTransfer


def known_id(text: str | None, prefix: str, noun: str) -> UUID | None:
    """An id that somebody names; text that is none answers like an unknown one."""
    if text is None:
        return None
    found = read(prefix, text)
    if found is None:
        raise UnknownObject(noun)
    return found


def show_payment(payment: Payment) -> wire.Payment:
    """A payment."""

    def amount(minor: int) -> str:
        return show_minor(minor, payment.currency)

    return wire.Payment(
        id=show("pay", payment.id),
        status=payment.status,
        provider=payment.provider,
        account_id=show("acct", payment.account_id),
        amount=amount(payment.amount_minor),
        currency=payment.currency,
        captured_amount=amount(payment.captured_minor),
        refunded_amount=amount(payment.refunded_minor),
        disputed_amount=amount(payment.disputed_minor),
        fee_amount=amount(payment.fee_minor),
        capture=payment.capture,
        customer=show("cus", payment.customer_id) if payment.customer_id else None,
        payment_method=show("pm", payment.method_id) if payment.method_id else None,
        provider_reference=payment.reference,
        failure=payment.failure,
        action_url=payment.action_url,
        quarantined=payment.quarantined,
        in_suspense=payment.in_suspense,
        description=payment.description,
        metadata=dict(payment.metadata),
        created_at=payment.created_at,
        changed_at=payment.changed_at,
    )


def show_refund(attempt: Attempt) -> wire.Refund:
    """A refund."""
    assert attempt.payment_id
    return wire.Refund(
        id=show("re", attempt.id),
        payment_id=show("pay", attempt.payment_id),
        status=attempt.status,
        amount=show_minor(attempt.amount_minor, attempt.currency),
        currency=attempt.currency,
        provider_reference=attempt.reference,
        failure=attempt.failure,
        description=attempt.description,
        approval_id=show("apr", attempt.approval_id) if attempt.approval_id else None,
        created_at=attempt.created_at,
        ended_at=attempt.ended_at,
    )


def show_payout(attempt: Attempt) -> wire.Payout:
    """A payout."""
    return wire.Payout(
        id=show("po", attempt.id),
        status=attempt.status,
        provider=attempt.provider,
        account_id=show("acct", attempt.account_id),
        amount=show_minor(attempt.amount_minor, attempt.currency),
        currency=attempt.currency,
        provider_reference=attempt.reference,
        quarantined=attempt.quarantined,
        in_suspense=attempt.in_suspense,
        failure=attempt.failure,
        description=attempt.description,
        approval_id=show("apr", attempt.approval_id) if attempt.approval_id else None,
        created_at=attempt.created_at,
        ended_at=attempt.ended_at,
    )


def show_settled(attempt: Attempt) -> SettledTransfer:
    """A transfer upstream that is settled, or goes on."""
    assert attempt.target_id
    return SettledTransfer(
        id=show("tr", attempt.id),
        status=attempt.status,
        source_id=show("acct", attempt.account_id),
        target_id=show("acct", attempt.target_id),
        amount=show_minor(attempt.amount_minor, attempt.currency),
        currency=attempt.currency,
        failure=attempt.failure,
        created_at=attempt.created_at,
        ended_at=attempt.ended_at,
    )


def show_dispute(dispute: Dispute) -> wire.Dispute:
    """A dispute."""
    return wire.Dispute(
        id=dispute.reference,
        payment_id=show("pay", dispute.payment_id),
        provider=dispute.provider,
        status=dispute.status,
        amount=show_minor(dispute.amount_minor, dispute.currency),
        fee_amount=show_minor(dispute.fee_minor, dispute.currency),
        currency=dispute.currency,
        opened_at=dispute.opened_at,
        changed_at=dispute.changed_at,
    )


def show_customer(customer: Customer) -> wire.Customer:
    """A customer."""
    return wire.Customer(
        id=show("cus", customer.id),
        name=customer.name,
        external_id=customer.external_id,
        metadata=dict(customer.metadata),
        created_at=customer.created_at,
    )


def show_method(method: Method) -> wire.PaymentMethod:
    """A payment method."""
    return wire.PaymentMethod(
        id=show("pm", method.id),
        customer=show("cus", method.customer_id) if method.customer_id else None,
        provider=method.provider,
        kind=method.kind,
        reference=method.reference,
        label=method.label,
        created_at=method.created_at,
    )
