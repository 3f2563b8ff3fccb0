"""The statements of applications and what happened to them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity.model import PrincipalKind
from bursar.features.lending.application import Application, Awaited, EventType, Status, read_intake
from bursar.kernel.db import Tx


class Occurred(NamedTuple):
    """One row of an application's trail, with the name of whoever did it; `body` is canonical JSON."""

    version: int
    type: EventType
    status: Status
    actor_id: UUID | None
    actor: str | None
    actor_kind: PrincipalKind | None
    body: str
    happened_at: datetime


def _application(
    id: UUID, version: int, product: str, product_version: int, status: Status, currency: str, intake: str,
    made_by: UUID, decider_id: UUID, approval_id: UUID | None, awaits: Awaited | None, case_id: UUID | None,
    follows_id: UUID | None, created_at: datetime, changed_at: datetime, expires_at: datetime | None,
) -> Application:  # fmt: skip
    return Application(
        id, version, product, product_version, status, currency, read_intake(intake), made_by, decider_id, approval_id,
        awaits, case_id, follows_id, created_at, changed_at, expires_at,
    )  # fmt: skip


async def insert_application(tx: Tx, made: Application) -> bool:
    """Write a new application as the latest of its e-mail; False when there is one already."""
    found = await tx.row(
        bool,
        """INSERT INTO loan_application (tenant_id, id, version, product, product_version, status, email, currency,
                                         amount_minor, installments, intake, made_by, decider_id, follows_id, latest,
                                         created_at, changed_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, true, $15, $16, $17)
           ON CONFLICT (tenant_id, email) WHERE latest DO NOTHING RETURNING true""",
        tx.tenant,
        made.id,
        made.version,
        made.product,
        made.product_version,
        made.status,
        made.intake.known_by,
        made.currency,
        made.intake.amount_minor,
        made.intake.installments,
        made.intake.text,
        made.made_by,
        made.decider_id,
        made.follows_id,
        made.created_at,
        made.changed_at,
        made.expires_at,
    )
    return bool(found)


async def update_application(tx: Tx, after: Application) -> None:
    """Write a locked application as it stands now; its e-mail never changes."""
    await tx.run(
        """UPDATE loan_application
           SET version = $3, status = $4, amount_minor = $5, installments = $6, intake = $7, approval_id = $8,
               awaits = $9, case_id = $10, changed_at = $11, expires_at = $12
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        after.id,
        after.version,
        after.status,
        after.intake.amount_minor,
        after.intake.installments,
        after.intake.text,
        after.approval_id,
        after.awaits,
        after.case_id,
        after.changed_at,
        after.expires_at,
    )


async def mark_followed(tx: Tx, application_id: UUID) -> None:
    """A locked application that is over gives its e-mail to the one that follows it."""
    await tx.run(
        "UPDATE loan_application SET latest = false WHERE tenant_id = $1 AND id = $2", tx.tenant, application_id
    )


async def find_latest(tx: Tx, email: str) -> UUID | None:
    """The latest application of an e-mail in lower case."""
    found = await tx.column(
        UUID, "SELECT id FROM loan_application WHERE tenant_id = $1 AND email = $2 AND latest", tx.tenant, email
    )
    return found[0] if found else None


async def find_application(tx: Tx, application_id: UUID) -> Application | None:
    """One application."""
    return await tx.row(
        _application,
        """SELECT id, version, product, product_version, status, currency, intake, made_by, decider_id, approval_id,
                  awaits, case_id, follows_id, created_at, changed_at, expires_at
           FROM loan_application WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        application_id,
    )


async def lock_application(tx: Tx, application_id: UUID) -> Application | None:
    """One application that nobody else changes until the transaction ends."""
    return await tx.row(
        _application,
        """SELECT id, version, product, product_version, status, currency, intake, made_by, decider_id, approval_id,
                  awaits, case_id, follows_id, created_at, changed_at, expires_at
           FROM loan_application WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        tx.tenant,
        application_id,
    )


async def list_applications(
    tx: Tx, whose: UUID | None, status: Status | None, email: str | None, after: UUID | None, limit: int
) -> list[Application]:
    """Applications, oldest first, after the one named; those that one principal made or decides, if asked."""
    return await tx.rows(
        _application,
        """SELECT id, version, product, product_version, status, currency, intake, made_by, decider_id, approval_id,
                  awaits, case_id, follows_id, created_at, changed_at, expires_at
           FROM loan_application
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR made_by = $2 OR decider_id = $2)
             AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR email = $4)
             AND ($5::uuid IS NULL OR id > $5)
           ORDER BY id LIMIT $6""",
        tx.tenant,
        whose,
        status,
        email,
        after,
        limit,
    )


def insert_event(tx: Tx, application: Application, type_: EventType, actor_id: UUID | None, body: str) -> None:
    """Append what brought an application to its version."""
    tx.later(
        """INSERT INTO loan_application_event (tenant_id, application_id, version, type, status, actor_id, body)
           SELECT $1, $2::uuid, $3::int, $4, $5, $6::uuid, $7""",
        tx.tenant,
        application.id,
        application.version,
        type_,
        application.status,
        actor_id,
        body,
    )


async def list_events(tx: Tx, application_id: UUID, after: int, limit: int) -> list[Occurred]:
    """What happened to an application after one of its versions, oldest first."""
    return await tx.rows(
        Occurred,
        """SELECT e.version, e.type, e.status, e.actor_id, p.name, p.kind, e.body, e.happened_at
           FROM loan_application_event e
           LEFT JOIN principal p ON p.tenant_id = e.tenant_id AND p.id = e.actor_id
           WHERE e.tenant_id = $1 AND e.application_id = $2 AND e.version > $3 ORDER BY e.version LIMIT $4""",
        tx.tenant,
        application_id,
        after,
        limit,
    )


async def list_awaiting(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Applications of all tenants whose approval is decided; for the worker's role only."""
    return await tx.pairs(
        """SELECT l.tenant_id, l.id FROM loan_application l
           JOIN approval a ON a.tenant_id = l.tenant_id AND a.id = l.approval_id
           WHERE l.approval_id IS NOT NULL
             AND (a.executed_event_id IS NOT NULL OR a.status NOT IN ('pending', 'approved'))
           ORDER BY l.id LIMIT $1""",
        limit,
    )


async def list_due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Applications of all tenants whose time is over; for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM loan_application WHERE expires_at <= clock_timestamp()
           ORDER BY expires_at LIMIT $1""",
        limit,
    )
