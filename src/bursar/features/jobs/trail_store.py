"""The statements of what belongs to a job: its shares, steps, effects, and what happened to it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from bursar.features.jobs.model import Done, Job, JobStatus, Kind, Occurred, Share
from bursar.kernel.db import Tx


class NewEffect(NamedTuple):
    """What a step did to money, or what undid it."""

    step: int
    share: int
    kind: Kind
    hold_id: UUID | None
    entry_id: UUID | None
    attempt_id: UUID | None = None


class Found(NamedTuple):
    """An account that a share names."""

    id: UUID
    number: str
    currency: str


class Settled(NamedTuple):
    """What became of the approval that a job waits for."""

    status: str
    executed_event_id: UUID | None
    why: str | None
    # What its order made, once it is carried out.
    hold_id: UUID | None
    entry_id: UUID | None


def insert_step(tx: Tx, job_id: UUID, done: Done) -> None:
    """A step is done, once."""
    tx.later(
        """INSERT INTO job_step (tenant_id, job_id, no, name, role, done_by, token, attempts, note, done_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        tx.tenant,
        job_id,
        *done,
    )


def insert_effects(tx: Tx, job_id: UUID, effects: Sequence[NewEffect]) -> None:
    """What a step did to money, once for each share."""
    tx.later(
        """INSERT INTO job_effect (tenant_id, job_id, step, share, kind, hold_id, entry_id, attempt_id)
           SELECT $1, $2, *
           FROM unnest($3::smallint[], $4::smallint[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[])""",
        tx.tenant,
        job_id,
        *[list(column) for column in zip(*effects, strict=True)],
    )


def price_shares(tx: Tx, job_id: UUID, amounts: Sequence[int]) -> None:
    """Say what each share comes to, in their order."""
    tx.later(
        """UPDATE job_share s SET amount_minor = a.minor
           FROM unnest($3::bigint[]) WITH ORDINALITY a (minor, place)
           WHERE s.tenant_id = $1 AND s.job_id = $2 AND s.no = a.place""",
        tx.tenant,
        job_id,
        amounts,
    )


def _share(job_id: UUID, *columns: Any) -> tuple[UUID, Share]:
    return job_id, Share(*columns)


async def list_shares(tx: Tx, job_ids: Sequence[UUID]) -> list[tuple[UUID, Share]]:
    """The shares of these jobs with what became of them."""
    return await tx.rows(
        _share,
        """SELECT s.job_id, s.no, s.source_id, a.number, s.target_id, b.number, s.weight, s.amount_minor, r.hold_id,
                  c.entry_id, v.entry_id, s.method_id, m.provider, t.payment_id,
                  CASE WHEN t.kind = 'payout' THEN t.id END,
                  ARRAY(SELECT kind FROM job_effect k
                        WHERE k.tenant_id = $1 AND k.job_id = s.job_id AND k.share = s.no)
           FROM job_share s
           LEFT JOIN account a ON a.tenant_id = s.tenant_id AND a.id = s.source_id
           LEFT JOIN account b ON b.tenant_id = s.tenant_id AND b.id = s.target_id
           LEFT JOIN payment_method m ON m.tenant_id = s.tenant_id AND m.id = s.method_id
           LEFT JOIN payment_attempt t
             ON t.tenant_id = s.tenant_id AND t.job_id = s.job_id AND t.job_share = s.no
             AND t.kind IN ('charge', 'payout')
           LEFT JOIN job_effect r
             ON r.tenant_id = s.tenant_id AND r.job_id = s.job_id AND r.kind = 'reserved' AND r.share = s.no
           LEFT JOIN job_effect c
             ON c.tenant_id = s.tenant_id AND c.job_id = s.job_id AND c.kind = 'captured' AND c.share = s.no
           LEFT JOIN job_effect v
             ON v.tenant_id = s.tenant_id AND v.job_id = s.job_id AND v.kind = 'reversed' AND v.share = s.no
           WHERE s.tenant_id = $1 AND s.job_id = ANY($2::uuid[]) ORDER BY s.job_id, s.no""",
        tx.tenant,
        job_ids,
    )


async def list_accounts(tx: Tx, ids: Sequence[UUID], numbers: Sequence[str]) -> list[Found]:
    """The accounts of these ids and numbers, as far as there are any."""
    return await tx.rows(
        Found,
        """SELECT id, number, currency FROM account WHERE tenant_id = $1 AND id = ANY($2::uuid[])
           UNION SELECT id, number, currency FROM account WHERE tenant_id = $1 AND number = ANY($3::text[])""",
        tx.tenant,
        ids,
        numbers,
    )


async def list_steps(tx: Tx, job_id: UUID) -> list[Done]:
    """The steps that are done, in their order."""
    return await tx.rows(
        Done,
        """SELECT no, name, role, done_by, token, attempts, note, done_at FROM job_step
           WHERE tenant_id = $1 AND job_id = $2 ORDER BY no""",
        tx.tenant,
        job_id,
    )


async def list_events(tx: Tx, job_id: UUID, after: int, limit: int) -> list[Occurred]:
    """What happened to a job after this version of it, the first first."""
    return await tx.rows(
        Occurred,
        """SELECT e.version, e.type, e.status, e.stage, e.step, e.actor_id, p.name, e.note, e.happened_at
           FROM job_event e LEFT JOIN principal p ON p.tenant_id = e.tenant_id AND p.id = e.actor_id
           WHERE e.tenant_id = $1 AND e.job_id = $2 AND e.version > $3 ORDER BY e.version LIMIT $4""",
        tx.tenant,
        job_id,
        after,
        limit,
    )


async def list_names(tx: Tx, principal_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of these principals."""
    return dict(
        await tx.pairs(
            "SELECT id, name FROM principal WHERE tenant_id = $1 AND id = ANY($2::uuid[])", tx.tenant, principal_ids
        )
    )


async def list_jobs(
    tx: Tx, status: JobStatus | None, definition: str | None, before: UUID | None, limit: int
) -> list[Job]:
    """Jobs, the newest first, before the one named."""
    return await tx.rows(
        Job,
        """SELECT id, version, definition, definition_version, status, stage, currency, amount_minor, reference,
                  purpose, initiated_by, created_at, changed_at, ended_at, step, role, state, attempts, max_attempts,
                  run_at, deadline_at, barred, kept_for, kept_until, holder_id, token, lease_until, approval_id,
                  last_error, ends_as
           FROM job
           WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR definition = $3)
             AND ($4::uuid IS NULL OR id < $4)
           ORDER BY id DESC LIMIT $5""",
        tx.tenant,
        status,
        definition,
        before,
        limit,
    )


async def find_settled(tx: Tx, approval_id: UUID) -> Settled | None:
    """What became of an approval, and of the order it was for."""
    return await tx.row(
        Settled,
        """SELECT a.status, a.executed_event_id, a.ended_why, d.hold_id, e.id
           FROM approval a
           LEFT JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.executed_event_id
           LEFT JOIN entry e ON e.tenant_id = a.tenant_id AND e.event_id = a.executed_event_id
           WHERE a.tenant_id = $1 AND a.id = $2""",
        tx.tenant,
        approval_id,
    )


async def list_overdue(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Jobs of all tenants with a lease that is over or a step that took too long; for the worker's role only."""
    return await tx.pairs(
        """(SELECT tenant_id, id FROM job WHERE state = 'claimed' AND lease_until <= clock_timestamp()
            ORDER BY lease_until LIMIT $1)
           UNION
           (SELECT tenant_id, id FROM job
            WHERE status = 'active' AND deadline_at IS NOT NULL AND deadline_at <= clock_timestamp()
              AND state NOT IN ('awaiting_approval', 'awaiting_payment')
            ORDER BY deadline_at LIMIT $1)""",
        limit,
    )


async def list_compensating(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Jobs of all tenants that are to be undone now; for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM job WHERE status = 'compensating' AND run_at <= clock_timestamp()
           ORDER BY run_at LIMIT $1""",
        limit,
    )


async def list_awaiting(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Jobs of all tenants whose approval is decided or whose provider has answered; for the worker's role only."""
    return await tx.pairs(
        """SELECT j.tenant_id, j.id
           FROM job j LEFT JOIN approval a ON a.tenant_id = j.tenant_id AND a.id = j.approval_id
           WHERE (j.state = 'awaiting_approval'
                  AND (a.executed_event_id IS NOT NULL OR a.status NOT IN ('pending', 'approved')))
              OR (j.state = 'awaiting_payment' AND NOT EXISTS (
                  SELECT FROM payment_attempt t
                  WHERE t.tenant_id = j.tenant_id AND t.job_id = j.id
                    AND t.status IN ('waiting', 'pending', 'unknown')))
           ORDER BY j.changed_at LIMIT $1""",
        limit,
    )


async def find_note(tx: Tx, job_id: UUID, version: int) -> str | None:
    """What was noted with an event of a job."""
    found = await tx.column(
        str,
        """SELECT note FROM job_event WHERE tenant_id = $1 AND job_id = $2 AND version = $3 AND note IS NOT NULL""",
        tx.tenant,
        job_id,
        version,
    )
    return found[0] if found else None
