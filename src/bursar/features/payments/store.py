"""The statements of payments and attempts."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bursar.features.payments.machine import Place
from bursar.features.payments.model import Attempt, AttemptStatus, Payment
from bursar.features.payments.ports import CallKind
from bursar.kernel.db import Tx


def _payment(*columns: Any) -> Payment:
    row = list(columns)
    row[21] = json.loads(row[21])
    return Payment(*row)


async def find_payment(tx: Tx, payment_id: UUID, *, locked: bool = False) -> Payment | None:
    """One payment; locked, nobody else changes it or anything of it until the transaction ends."""
    if locked:
        await tx.run("SELECT FROM payment WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tx.tenant, payment_id)
    return await tx.row(
        _payment,
        """SELECT id, provider, account_id, currency, amount_minor, capture, customer_id, method_id, status, attempt,
                  rank, captured_minor, refunded_minor, disputed_minor, fee_minor, reference, failure, action_url,
                  quarantined, in_suspense, description, metadata, created_by, created_at,
                  changed_at
           FROM payment WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
    )


async def find_payment_by_reference(tx: Tx, provider: str, reference: str) -> UUID | None:
    """The payment that a provider calls so."""
    found = await tx.column(
        UUID,
        "SELECT id FROM payment WHERE tenant_id = $1 AND provider = $2 AND reference = $3",
        tx.tenant,
        provider,
        reference,
    )
    return found[0] if len(found) == 1 else None


async def list_payments(
    tx: Tx, status: str | None, customer_id: UUID | None, before: UUID | None, limit: int
) -> list[Payment]:
    """Payments, newest first, before the one named."""
    return await tx.rows(
        _payment,
        """SELECT id, provider, account_id, currency, amount_minor, capture, customer_id, method_id, status, attempt,
                  rank, captured_minor, refunded_minor, disputed_minor, fee_minor, reference, failure, action_url,
                  quarantined, in_suspense, description, metadata, created_by, created_at,
                  changed_at
           FROM payment
           WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR customer_id = $3)
             AND ($4::uuid IS NULL OR id < $4)
           ORDER BY id DESC LIMIT $5""",
        tx.tenant,
        status,
        customer_id,
        before,
        limit,
    )


def insert_payment(tx: Tx, payment: Payment) -> None:
    """Write a new payment."""
    tx.later(
        """INSERT INTO payment (tenant_id, id, provider, account_id, currency, amount_minor, capture, customer_id,
                                method_id, status, attempt, rank, description, metadata, created_by)
           SELECT $1, $2::uuid, $3::text, $4::uuid, $5::text, $6::bigint, $7::text, $8::uuid, $9::uuid, $10::text,
                  $11::int, $12::int, $13::text, $14::jsonb, $15::uuid""",
        tx.tenant,
        payment.id,
        payment.provider,
        payment.account_id,
        payment.currency,
        payment.amount_minor,
        payment.capture,
        payment.customer_id,
        payment.method_id,
        payment.status,
        payment.attempt,
        payment.rank,
        payment.description,
        json.dumps(dict(payment.metadata)),
        payment.created_by,
    )


async def update_place(tx: Tx, payment_id: UUID, place: Place, method_id: UUID | None = None) -> None:
    """Write where a locked payment stands from now on, and how it is paid if that has changed."""
    await tx.run(
        """UPDATE payment SET status = $3, attempt = $4, rank = $5, method_id = coalesce($6, method_id),
                              failure = CASE WHEN attempt = $4 THEN failure END,
                              action_url = CASE WHEN $3 = 'requires_action' THEN action_url END,
                              changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
        *place,
        method_id,
    )


async def update_told(
    tx: Tx, payment_id: UUID, reference: str | None, failure: str | None, action_url: str | None
) -> None:
    """Write what the provider says beside its status; None leaves what is known."""
    await tx.run(
        """UPDATE payment SET reference = coalesce($3, reference), failure = coalesce($4, failure),
                              action_url = coalesce($5, action_url), changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
        reference,
        failure,
        action_url,
    )


async def add_sums(tx: Tx, payment_id: UUID, captured: int, refunded: int, disputed: int, fee: int) -> None:
    """Change the sums of a locked payment by minor units."""
    await tx.run(
        """UPDATE payment SET captured_minor = captured_minor + $3, refunded_minor = refunded_minor + $4,
                              disputed_minor = disputed_minor + $5, fee_minor = fee_minor + $6,
                              changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
        captured,
        refunded,
        disputed,
        fee,
    )


async def mark_quarantined(tx: Tx, payment_id: UUID) -> None:
    """Book nothing more of it until people have looked."""
    await tx.run(
        """UPDATE payment SET quarantined = true, status = 'unknown', changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
    )


async def find_attempt(tx: Tx, attempt_id: UUID, *, locked: bool = False) -> Attempt | None:
    """One attempt; its payment is to be locked before it."""
    if locked:
        await tx.run(
            "SELECT FROM payment_attempt WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tx.tenant, attempt_id
        )
    found = await _attempts(tx, [attempt_id])
    return found[0] if found else None


async def find_attempt_by_claim(tx: Tx, claim_id: UUID) -> Attempt | None:
    """What was begun under a caller's key, whose lock is held."""
    ids = await tx.column(
        UUID, "SELECT id FROM payment_attempt WHERE tenant_id = $1 AND claim_id = $2", tx.tenant, claim_id
    )
    return await find_attempt(tx, ids[0]) if ids else None


async def find_attempt_by_reference(tx: Tx, provider: str, kind: CallKind, reference: str) -> Attempt | None:
    """The refund or payout that a provider calls so."""
    ids = await tx.column(
        UUID,
        """SELECT id FROM payment_attempt
           WHERE tenant_id = $1 AND provider = $2 AND reference = $3 AND kind = $4 AND kind IN ('refund', 'payout')""",
        tx.tenant,
        provider,
        reference,
        kind,
    )
    return await find_attempt(tx, ids[0]) if ids else None


async def list_attempts(tx: Tx, payment_id: UUID) -> list[Attempt]:
    """All attempts of a payment, oldest first."""
    ids = await tx.column(
        UUID, "SELECT id FROM payment_attempt WHERE tenant_id = $1 AND payment_id = $2", tx.tenant, payment_id
    )
    return await _attempts(tx, ids)


async def list_attempts_of_job(tx: Tx, job_id: UUID) -> list[Attempt]:
    """All calls that a job has had made, of all its shares."""
    ids = await tx.column(
        UUID, "SELECT id FROM payment_attempt WHERE tenant_id = $1 AND job_id = $2", tx.tenant, job_id
    )
    return await _attempts(tx, ids)


async def list_attempts_of_kind(tx: Tx, kind: CallKind, before: UUID | None, limit: int) -> list[Attempt]:
    """Attempts of a kind, newest first, before the one named."""
    ids = await tx.column(
        UUID,
        """SELECT id FROM payment_attempt
           WHERE tenant_id = $1 AND kind = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4""",
        tx.tenant,
        kind,
        before,
        limit,
    )
    return list(reversed(await _attempts(tx, ids)))


async def _attempts(tx: Tx, ids: Sequence[UUID]) -> list[Attempt]:
    return await tx.rows(
        Attempt,
        """SELECT id, payment_id, number, kind, provider, account_id, currency, amount_minor, status, reference, method,
                  final, failure, description, event_id, approval_id, principal_id, claim_id, request_hash, asked,
                  ask_at, leased_until, created_at, ended_at, target_id, origin, job_id, job_share, in_suspense
           FROM payment_attempt WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id""",
        tx.tenant,
        ids,
    )


def insert_attempt(tx: Tx, attempt: Attempt) -> None:
    """Write a new attempt."""
    tx.later(
        """INSERT INTO payment_attempt (tenant_id, id, payment_id, number, kind, provider, account_id, currency,
                                        amount_minor, status, method, final, description, event_id, approval_id,
                                        principal_id, claim_id, request_hash, ask_at, leased_until, created_at,
                                        target_id, origin, job_id, job_share)
           SELECT $1, $2::uuid, $3::uuid, $4::int, $5::text, $6::text, $7::uuid, $8::text, $9::bigint, $10::text,
                  $11::text, $12::boolean, $13::text, $14::uuid, $15::uuid, $16::uuid, $17::uuid, $18::bytea,
                  $19::timestamptz, $20::timestamptz, $21::timestamptz, $22::uuid, $23::text, $24::uuid,
                  $25::smallint""",
        tx.tenant,
        attempt.id,
        attempt.payment_id,
        attempt.number,
        attempt.kind,
        attempt.provider,
        attempt.account_id,
        attempt.currency,
        attempt.amount_minor,
        attempt.status,
        attempt.method,
        attempt.final,
        attempt.description,
        attempt.event_id,
        attempt.approval_id,
        attempt.principal_id,
        attempt.claim_id,
        attempt.request_hash,
        attempt.ask_at,
        attempt.leased_until,
        attempt.created_at,
        attempt.target_id,
        attempt.origin,
        attempt.job_id,
        attempt.job_share,
    )


async def update_attempt(
    tx: Tx, attempt_id: UUID, status: AttemptStatus, reference: str | None, failure: str | None, ask_at: datetime | None
) -> None:
    """Write what became of a locked attempt; nobody may send it any more, and it is asked about at `ask_at`."""
    await tx.run(
        """UPDATE payment_attempt
           SET status = $3, reference = coalesce($4, reference), failure = coalesce($5, failure), ask_at = $6,
               leased_until = NULL,
               ended_at = CASE WHEN $3 IN ('succeeded', 'failed', 'canceled')
                               THEN coalesce(ended_at, clock_timestamp()) END
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        attempt_id,
        status,
        reference,
        failure,
        ask_at,
    )
