"""The statements of jobs: load and lock them, claim one that is free, write what became of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from bursar.features.jobs import trail_store
from bursar.features.jobs.model import Done, Happened, Job
from bursar.kernel.db import Tx

# What every process listens to.
CHANNEL = "bursar_jobs"


class Loaded(NamedTuple):
    """A job with what it goes by: the text of its definition, who did which step, and the database's clock."""

    job: Job
    definition: str
    roles: list[str]
    doers: list[UUID]
    now: datetime

    @property
    def done(self) -> list[tuple[str, UUID]]:
        """Who did something in which role."""
        return list(zip(self.roles, self.doers, strict=True))


class NewShare(NamedTuple):
    """A share as it is made."""

    no: int
    source_id: UUID | None
    target_id: UUID | None
    method_id: UUID | None
    weight: int
    amount_minor: int | None


def _loaded(*columns: Any) -> Loaded:
    return Loaded(Job(*columns[:-4]), *columns[-4:])


async def find_job(tx: Tx, job_id: UUID | None) -> Loaded | None:
    """One job."""
    return await tx.row(
        _loaded,
        """SELECT j.id, j.version, j.definition, j.definition_version, j.status, j.stage, j.currency, j.amount_minor,
                  j.reference, j.purpose, j.initiated_by, j.created_at, j.changed_at, j.ended_at, j.step, j.role,
                  j.state, j.attempts, j.max_attempts, j.run_at, j.deadline_at, j.barred, j.kept_for, j.kept_until,
                  j.holder_id, j.token, j.lease_until, j.approval_id, j.last_error, j.ends_as, d.body,
                  ARRAY(SELECT role FROM job_step s WHERE s.tenant_id = $1 AND s.job_id = j.id ORDER BY no),
                  ARRAY(SELECT done_by FROM job_step s WHERE s.tenant_id = $1 AND s.job_id = j.id ORDER BY no),
                  clock_timestamp()
           FROM job j JOIN job_definition d
             ON d.tenant_id = j.tenant_id AND d.name = j.definition AND d.version = j.definition_version
           WHERE j.tenant_id = $1 AND j.id = $2""",
        tx.tenant,
        job_id,
    )


async def lock_job(tx: Tx, job_id: UUID | None) -> Loaded | None:
    """One job, locked. Whoever waited sees it as it stands now, but who did what only as it stood before."""
    return await tx.row(
        _loaded,
        """SELECT j.id, j.version, j.definition, j.definition_version, j.status, j.stage, j.currency, j.amount_minor,
                  j.reference, j.purpose, j.initiated_by, j.created_at, j.changed_at, j.ended_at, j.step, j.role,
                  j.state, j.attempts, j.max_attempts, j.run_at, j.deadline_at, j.barred, j.kept_for, j.kept_until,
                  j.holder_id, j.token, j.lease_until, j.approval_id, j.last_error, j.ends_as, d.body,
                  ARRAY(SELECT role FROM job_step s WHERE s.tenant_id = $1 AND s.job_id = j.id ORDER BY no),
                  ARRAY(SELECT done_by FROM job_step s WHERE s.tenant_id = $1 AND s.job_id = j.id ORDER BY no),
                  clock_timestamp()
           FROM job j JOIN job_definition d
             ON d.tenant_id = j.tenant_id AND d.name = j.definition AND d.version = j.definition_version
           WHERE j.tenant_id = $1 AND j.id = $2 FOR NO KEY UPDATE OF j""",
        tx.tenant,
        job_id,
    )


async def lock_free(
    tx: Tx, who: UUID, roles: Sequence[str] | None, definition: str | None, job_id: UUID | None
) -> Loaded | None:
    """The job that has waited longest for a step that this principal may do, locked; what others lock is passed by."""
    return await tx.row(
        _loaded,
        """SELECT j.id, j.version, j.definition, j.definition_version, j.status, j.stage, j.currency, j.amount_minor,
                  j.reference, j.purpose, j.initiated_by, j.created_at, j.changed_at, j.ended_at, j.step, j.role,
                  j.state, j.attempts, j.max_attempts, j.run_at, j.deadline_at, j.barred, j.kept_for, j.kept_until,
                  j.holder_id, j.token, j.lease_until, j.approval_id, j.last_error, j.ends_as, d.body,
                  ARRAY[]::text[], ARRAY[]::uuid[], clock_timestamp()
           FROM job j JOIN job_definition d
             ON d.tenant_id = j.tenant_id AND d.name = j.definition AND d.version = j.definition_version
           WHERE j.tenant_id = $1 AND j.status = 'active' AND ($3::text[] IS NULL OR j.role = ANY($3))
             AND ($4::text IS NULL OR j.definition = $4) AND ($5::uuid IS NULL OR j.id = $5)
             AND j.run_at <= clock_timestamp() AND (j.deadline_at IS NULL OR j.deadline_at > clock_timestamp())
             AND (j.state = 'ready' OR (j.state = 'claimed' AND j.lease_until < clock_timestamp()))
             AND (j.max_attempts IS NULL OR j.attempts < j.max_attempts)
             AND NOT ($2 = ANY(j.barred))
             AND (j.kept_for IS NULL OR j.kept_for = $2 OR j.kept_until < clock_timestamp())
           ORDER BY j.run_at, j.id LIMIT 1 FOR NO KEY UPDATE OF j SKIP LOCKED""",
        tx.tenant,
        who,
        roles,
        definition,
        job_id,
    )


async def lock_reserved(tx: Tx, definition: str, stage: str, reference: str, agent_id: UUID | None) -> UUID | None:
    """The oldest job of a reference that has come so far and whose step is free, locked; none of another agent's."""
    found = await tx.column(
        UUID,
        """SELECT id FROM job
           WHERE tenant_id = $1 AND status = 'active' AND definition = $2 AND stage = $3 AND reference = $4
             AND NOT EXISTS (
                 SELECT FROM principal p WHERE p.tenant_id = $1 AND p.id = job.initiated_by AND p.kind = 'agent'
                   AND p.id IS DISTINCT FROM $5::uuid)
             AND (state = 'ready' OR (state = 'claimed' AND lease_until < clock_timestamp()))
           ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""",
        tx.tenant,
        definition,
        stage,
        reference,
        agent_id,
    )
    return found[0] if found else None


async def insert_job(tx: Tx, job: Job, shares: Sequence[NewShare], happened: Happened, done: Done) -> None:
    """Write a new job with its shares and its first step, and tell whoever listens."""
    await tx.run(
        """INSERT INTO job (tenant_id, id, version, definition, definition_version, status, stage, currency,
                            amount_minor, reference, purpose, initiated_by, created_at, changed_at, ended_at, step,
                            role, state, attempts, max_attempts, run_at, deadline_at, barred, kept_for, kept_until,
                            holder_id, token, lease_until, approval_id, last_error, ends_as)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                   $23, $24, $25, $26, $27, $28, $29, $30, $31)""",
        tx.tenant,
        *job,
    )
    if shares:
        tx.later(
            """INSERT INTO job_share (tenant_id, job_id, no, source_id, target_id, method_id, weight, amount_minor)
               SELECT $1, $2, *
               FROM unnest($3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[])""",
            tx.tenant,
            job.id,
            *[list(column) for column in zip(*shares, strict=True)],
        )
    trail_store.insert_step(tx, job.id, done)
    _insert_event(tx, job, happened)


async def update_job(tx: Tx, before: Job, job: Job, happened: Happened) -> bool:
    """Write a locked job as it stands now, if it stood where it was thought to and under the same token."""
    found = await tx.column(
        UUID,
        """UPDATE job
           SET version = $3, status = $4, stage = $5, amount_minor = $6, changed_at = $7, ended_at = $8, step = $9,
               role = $10, state = $11, attempts = $12, max_attempts = $13, run_at = $14, deadline_at = $15,
               barred = $16, kept_for = $17, kept_until = $18, holder_id = $19, token = $20, lease_until = $21,
               approval_id = $22, last_error = $23, ends_as = $24
           WHERE tenant_id = $1 AND id = $2 AND version = $25 AND token IS NOT DISTINCT FROM $26
             AND holder_id IS NOT DISTINCT FROM $27
           RETURNING id""",
        tx.tenant,
        job.id,
        job.version,
        job.status,
        job.stage,
        job.amount_minor,
        job.changed_at,
        job.ended_at,
        job.step,
        job.role,
        job.state,
        job.attempts,
        job.max_attempts,
        job.run_at,
        job.deadline_at,
        job.barred,
        job.kept_for,
        job.kept_until,
        job.holder_id,
        job.token,
        job.lease_until,
        job.approval_id,
        job.last_error,
        job.ends_as,
        before.version,
        before.token,
        before.holder_id,
    )
    _insert_event(tx, job, happened)
    return bool(found)


async def renew(tx: Tx, job_id: UUID, holder_id: UUID, token: int, seconds: int) -> datetime | None:
    """Have a lease last longer, if it is still the holder's; until when. Nothing else changes, not the version."""
    found = await tx.column(
        datetime,
        """UPDATE job SET lease_until = clock_timestamp() + make_interval(secs => $5)
           WHERE tenant_id = $1 AND id = $2 AND holder_id = $3 AND token = $4 AND state = 'claimed'
           RETURNING lease_until""",
        tx.tenant,
        job_id,
        holder_id,
        token,
        seconds,
    )
    return found[0] if found else None


def _insert_event(tx: Tx, job: Job, happened: Happened) -> None:
    """The row of this version, and the bell: `*` where there is a step to claim."""
    bell = f"{tx.tenant.hex} {job.id.hex} {'*' if job.state == 'ready' else '-'}"
    tx.later(
        """INSERT INTO job_event (tenant_id, job_id, version, type, status, stage, step, actor_id, note, happened_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING pg_notify($11, $12)""",
        tx.tenant,
        job.id,
        job.version,
        happened.type,
        job.status,
        job.stage,
        happened.step,
        happened.actor_id,
        happened.note,
        job.changed_at,
        CHANNEL,
        bell,
    )
