"""The statements by which the worker finds what is due, and takes the right to do it."""

from datetime import datetime
from uuid import UUID

from bursar.kernel.db import Tx


async def list_due(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Attempts of all tenants to be asked about, as (tenant id, attempt id); for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM payment_attempt
           WHERE ask_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY ask_at LIMIT $2""",
        now,
        limit,
    )


async def list_decided(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Attempts of all tenants that waited for an approval which is over; for the worker's role only."""
    return await tx.pairs(
        """SELECT t.tenant_id, t.id FROM payment_attempt t CROSS JOIN LATERAL (
               SELECT status, executed_event_id FROM approval
               WHERE tenant_id = t.tenant_id AND id = t.approval_id OFFSET 0) a
           WHERE t.status = 'waiting'
             AND (a.executed_event_id IS NOT NULL OR a.status NOT IN ('pending', 'approved'))
           ORDER BY t.id LIMIT $1""",
        limit,
    )


async def let_go(tx: Tx, attempt_id: UUID, event_id: UUID, now: datetime) -> None:
    """What people have approved may be sent now; it rests on the event that carried it out."""
    await tx.run(
        """UPDATE payment_attempt SET status = 'pending', event_id = $3, ask_at = $4
           WHERE tenant_id = $1 AND id = $2 AND status = 'waiting'""",
        tx.tenant,
        attempt_id,
        event_id,
        now,
    )


async def lease(tx: Tx, attempt_id: UUID, now: datetime, due_by: datetime, until: datetime, ask_at: datetime) -> bool:
    """Take the right to ask and to send, if nobody has it; the next time is written before anything is tried."""
    return bool(
        await tx.column(
            bool,
            """UPDATE payment_attempt SET leased_until = $5, ask_at = $6, asked = asked + 1
               WHERE tenant_id = $1 AND id = $2 AND ask_at <= $4 AND (leased_until IS NULL OR leased_until <= $3)
               RETURNING true""",
            tx.tenant,
            attempt_id,
            now,
            due_by,
            until,
            ask_at,
        )
    )


async def ask_soon(tx: Tx, attempt_id: UUID, at: datetime) -> None:
    """Have the provider asked about an attempt, however it stands."""
    await tx.run(
        """UPDATE payment_attempt SET ask_at = least(coalesce(ask_at, $3), $3) WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        attempt_id,
        at,
    )
