"""The statements that write mandates and their versions, and read them without a lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.mandate import Mandate, MandateStatus
from bursar.core.authority.replaying import Kept
from bursar.kernel.db import Tx


class Version(NamedTuple):
    """One row of `mandate_version`."""

    mandate_id: UUID
    version: int
    status: MandateStatus
    not_before: datetime | None
    expires_at: datetime | None
    text: str
    changed_by: UUID
    changed_at: datetime


class Bound(NamedTuple):
    """The terms of a mandate at one of its versions, and its name."""

    mandate_id: UUID
    version: int
    name: str
    text: str


def insert_mandate(tx: Tx, mandate: Mandate, actor_id: UUID) -> None:
    """Insert a mandate and its first version."""
    tx.later(
        """INSERT INTO mandate (tenant_id, id, version, name, agent_id, team, parent_id, status, not_before, expires_at,
                                terms, granted_by, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        tx.tenant,
        mandate.id,
        mandate.version,
        mandate.name,
        mandate.agent_id,
        mandate.team,
        mandate.parent_id,
        mandate.status,
        mandate.not_before,
        mandate.expires_at,
        mandate.text,
        mandate.granted_by,
        mandate.changed_at,
    )
    _insert_version(tx, mandate, actor_id)


def update_mandate(tx: Tx, mandate: Mandate, actor_id: UUID) -> None:
    """Write a locked mandate's next version."""
    tx.later(
        """UPDATE mandate SET version = $3, status = $4, not_before = $5, expires_at = $6, terms = $7, changed_at = $8
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        mandate.id,
        mandate.version,
        mandate.status,
        mandate.not_before,
        mandate.expires_at,
        mandate.text,
        mandate.changed_at,
    )
    _insert_version(tx, mandate, actor_id)


def _insert_version(tx: Tx, mandate: Mandate, actor_id: UUID) -> None:
    tx.later(
        """INSERT INTO mandate_version (tenant_id, mandate_id, version, status, not_before, expires_at, terms,
                                        changed_by, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        tx.tenant,
        mandate.id,
        mandate.version,
        mandate.status,
        mandate.not_before,
        mandate.expires_at,
        mandate.text,
        actor_id,
        mandate.changed_at,
    )


async def lock_mandate(tx: Tx, mandate_id: UUID) -> Mandate | None:
    """One mandate, locked: decisions under it are over, later ones wait."""
    return await tx.row(
        Mandate,
        """SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        tx.tenant,
        mandate_id,
    )


async def lock_mandates(tx: Tx, mandate_ids: Sequence[UUID]) -> list[Mandate]:
    """These mandates, locked in id order."""
    return await tx.rows(
        Mandate,
        """SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE""",
        tx.tenant,
        mandate_ids,
    )


async def find_mandate(tx: Tx, mandate_id: UUID) -> Mandate | None:
    """One mandate."""
    return await tx.row(
        Mandate,
        """SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        mandate_id,
    )


async def list_mandates(tx: Tx, agent_id: UUID | None, after: UUID | None, limit: int) -> list[Mandate]:
    """Mandates in the order of their making; of one agent if asked."""
    return await tx.rows(
        Mandate,
        """SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR agent_id = $2) AND ($3::uuid IS NULL OR id > $3)
           ORDER BY id LIMIT $4""",
        tx.tenant,
        agent_id,
        after,
        limit,
    )


async def list_decisions(tx: Tx, agent_id: UUID) -> list[Kept]:
    """Every decision on an agent's orders, oldest first."""
    return await tx.rows(
        Kept,
        """SELECT id, outcome, codes, inputs, results FROM decision
           WHERE tenant_id = $1 AND agent_id = $2 ORDER BY decided_at, id""",
        tx.tenant,
        agent_id,
    )


async def list_versions(tx: Tx, mandate_id: UUID) -> list[Version]:
    """Every version of a mandate, oldest first."""
    return await tx.rows(
        Version,
        """SELECT mandate_id, version, status, not_before, expires_at, terms, changed_by, changed_at
           FROM mandate_version WHERE tenant_id = $1 AND mandate_id = $2 ORDER BY version""",
        tx.tenant,
        mandate_id,
    )


async def list_bound(tx: Tx, at: Sequence[tuple[UUID, int]]) -> list[Bound]:
    """The terms that mandates had at these versions."""
    return await tx.rows(
        Bound,
        """SELECT v.mandate_id, v.version, m.name, v.terms
           FROM unnest($2::uuid[], $3::int[]) w (mandate_id, version)
           JOIN mandate_version v ON v.tenant_id = $1 AND v.mandate_id = w.mandate_id AND v.version = w.version
           JOIN mandate m ON m.tenant_id = $1 AND m.id = w.mandate_id""",
        tx.tenant,
        *(list(column) for column in zip(*set(at), strict=True)),
    )
