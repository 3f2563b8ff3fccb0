"""The statements of promises to pay."""

from uuid import UUID

from bursar.features.collections.model import Promise
from bursar.kernel.db import Tx


async def insert_promise(tx: Tx, made: Promise) -> None:
    """Keep a promise about a locked loan."""
    await tx.run(
        """INSERT INTO loan_promise (tenant_id, id, loan_id, amount_minor, facts, made_on, due_on, made_by, made_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        tx.tenant,
        *made[:8],
    )


async def end_promise(tx: Tx, ended: Promise, by: UUID | None) -> None:
    """Write what became of a promise about a locked loan."""
    await tx.run(
        """INSERT INTO loan_promise_end (tenant_id, promise_id, status, paid_minor, reason, ended_at, ended_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        tx.tenant,
        ended.id,
        *ended[8:],
        by,
    )


async def find_loan_id(tx: Tx, promise_id: UUID) -> UUID | None:
    """The loan that a promise is about."""
    found = await tx.column(
        UUID, "SELECT loan_id FROM loan_promise WHERE tenant_id = $1 AND id = $2", tx.tenant, promise_id
    )
    return found[0] if found else None


async def list_promises(tx: Tx, loan_id: UUID) -> list[Promise]:
    """All promises about a loan, oldest first."""
    return await tx.rows(
        Promise,
        """SELECT p.id, p.loan_id, p.amount_minor, p.facts, p.made_on, p.due_on, p.made_by, p.made_at,
                  coalesce(e.status, 'open'), e.paid_minor, e.reason, e.ended_at
           FROM loan_promise p LEFT JOIN loan_promise_end e
             ON e.tenant_id = p.tenant_id AND e.promise_id = p.id
           WHERE p.tenant_id = $1 AND p.loan_id = $2 ORDER BY p.id""",
        tx.tenant,
        loan_id,
    )


async def list_due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Loans of all tenants with an open promise whose day is over; for the worker's role only."""
    return await tx.pairs(
        """SELECT p.tenant_id, p.loan_id FROM loan_promise p
           WHERE p.due_on < (clock_timestamp() AT TIME ZONE 'UTC')::date AND NOT EXISTS (
               SELECT FROM loan_promise_end e
               WHERE e.tenant_id = p.tenant_id AND e.promise_id = p.id)
           LIMIT $1""",
        limit,
    )
