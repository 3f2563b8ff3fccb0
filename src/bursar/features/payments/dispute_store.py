"""The statements that read disputes: each is what was booked about one object of a provider's."""

from uuid import UUID

from bursar.features.payments.model import Dispute, DisputeStatus
from bursar.kernel.db import Tx


async def find_dispute(tx: Tx, reference: str) -> Dispute | None:
    """The dispute that its provider calls so."""
    return await tx.row(
        Dispute,
        """SELECT s.about, s.payment_id, s.provider, t.status, t.amount, t.fee, s.currency, s.booked_at, t.changed_at
           FROM payment_effect s CROSS JOIN LATERAL (
               SELECT CASE WHEN bool_or(kind = 'dispute_won') THEN 'won'
                           WHEN bool_or(kind = 'dispute_lost') THEN 'lost'
                           WHEN bool_or(kind = 'dispute_review') THEN 'under_review'
                           ELSE 'needs_response' END AS status,
                      coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0)::bigint AS amount,
                      sum(fee_minor)::bigint AS fee, max(booked_at) AS changed_at
               FROM payment_effect
               WHERE tenant_id = s.tenant_id AND payment_id = s.payment_id AND about = s.about
                 AND kind IN ('dispute', 'dispute_review', 'dispute_won', 'dispute_lost')) t
           WHERE s.tenant_id = $1 AND s.kind = 'dispute' AND s.about = $2
           ORDER BY s.booked_at, s.reference LIMIT 1""",
        tx.tenant,
        reference,
    )


async def list_disputes(
    tx: Tx, payment_id: UUID | None, status: DisputeStatus | None, before: str | None, limit: int
) -> list[Dispute]:
    """Disputes, those that began last first, before the one named. Each is listed by its first beginning."""
    return await tx.rows(
        Dispute,
        """SELECT s.about, s.payment_id, s.provider, t.status, t.amount, t.fee, s.currency, s.booked_at, t.changed_at
           FROM payment_effect s CROSS JOIN LATERAL (
               SELECT CASE WHEN bool_or(kind = 'dispute_won') THEN 'won'
                           WHEN bool_or(kind = 'dispute_lost') THEN 'lost'
                           WHEN bool_or(kind = 'dispute_review') THEN 'under_review'
                           ELSE 'needs_response' END AS status,
                      coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0)::bigint AS amount,
                      sum(fee_minor)::bigint AS fee, max(booked_at) AS changed_at
               FROM payment_effect
               WHERE tenant_id = s.tenant_id AND payment_id = s.payment_id AND about = s.about
                 AND kind IN ('dispute', 'dispute_review', 'dispute_won', 'dispute_lost')) t
           WHERE s.tenant_id = $1 AND s.kind = 'dispute' AND ($2::uuid IS NULL OR s.payment_id = $2)
             AND ($3::text IS NULL OR t.status = $3)
             AND ($4::text IS NULL OR (s.booked_at, s.reference) < (
                 SELECT booked_at, reference FROM payment_effect
                 WHERE tenant_id = $1 AND kind = 'dispute' AND about = $4 ORDER BY booked_at, reference LIMIT 1))
             AND NOT EXISTS (
                 SELECT FROM payment_effect
                 WHERE tenant_id = $1 AND kind = 'dispute' AND about = s.about
                   AND (booked_at, reference) < (s.booked_at, s.reference))
           ORDER BY s.booked_at DESC, s.reference DESC LIMIT $5""",
        tx.tenant,
        payment_id,
        status,
        before,
        limit,
    )
