"""The statements of mails: each is taken by one worker before the server is asked."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.features.collections.model import MailStatus
from bursar.kernel.db import Tx


class Taken(NamedTuple):
    """A mail that this worker has; `attempts` says which taking of it this is."""

    reminder_id: UUID
    attempts: int
    recipient: str
    subject: str
    body: str


def insert_mail(tx: Tx, reminder_id: UUID, now: datetime) -> None:
    """Have a reminder sent by e-mail."""
    tx.later(
        """INSERT INTO loan_mail (tenant_id, reminder_id, status, due_at)
           SELECT $1, $2::uuid, 'pending', $3::timestamptz""",
        tx.tenant,
        reminder_id,
        now,
    )


async def list_due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Mails of all tenants that are to be sent, or whose sender is given up; for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, reminder_id FROM loan_mail
           WHERE ended_at IS NULL AND due_at <= clock_timestamp() ORDER BY due_at LIMIT $1""",
        limit,
    )


async def give_up(tx: Tx, reminder_id: UUID, error: str) -> bool:
    """End a mail whose sender never said what came of it."""
    found = await tx.column(
        UUID,
        """UPDATE loan_mail SET status = 'unknown', error = $3, ended_at = clock_timestamp()
           WHERE tenant_id = $1 AND reminder_id = $2 AND status = 'sending' AND due_at <= clock_timestamp()
           RETURNING reminder_id""",
        tx.tenant,
        reminder_id,
        error,
    )
    return bool(found)


async def take(tx: Tx, reminder_id: UUID, seconds: int) -> Taken | None:
    """Take a mail for so long; None: another has it, or there is nothing to send."""
    return await tx.row(
        Taken,
        """UPDATE loan_mail m
           SET status = 'sending', attempts = m.attempts + 1, error = NULL,
               due_at = clock_timestamp() + make_interval(secs => $3)
           FROM loan_reminder r
           WHERE m.tenant_id = $1 AND m.reminder_id = $2 AND m.status = 'pending' AND m.due_at <= clock_timestamp()
             AND r.tenant_id = m.tenant_id AND r.id = m.reminder_id
           RETURNING m.reminder_id, m.attempts, r.recipient, r.subject, r.body""",
        tx.tenant,
        reminder_id,
        seconds,
    )


async def mark(tx: Tx, taken: Taken, status: MailStatus, error: str | None, wait_seconds: int) -> None:
    """Write what came of a mail, if it is still the taker's."""
    await tx.run(
        """UPDATE loan_mail
           SET status = $4, error = $5, due_at = clock_timestamp() + make_interval(secs => $6),
               ended_at = CASE WHEN $4 <> 'pending' THEN clock_timestamp() END
           WHERE tenant_id = $1 AND reminder_id = $2 AND status = 'sending' AND attempts = $3""",
        tx.tenant,
        taken.reminder_id,
        taken.attempts,
        status,
        error,
        wait_seconds,
    )
