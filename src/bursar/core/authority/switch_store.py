"""The statements of freezes: what is switched off and on, and what was under way when it was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx

FreezeScope = Literal["tenant", "agent", "mandate", "account"]


class FreezeRecord(NamedTuple):
    """One row of `freeze_record`."""

    id: UUID
    scope: FreezeScope
    object_id: UUID
    reason: str
    frozen_by: UUID
    frozen_at: datetime
    resume_asked_by: UUID | None
    resume_asked_at: datetime | None
    resumed_by: UUID | None
    resumed_at: datetime | None


class Reach(NamedTuple):
    """What a freeze stops: what is by this agent, under these mandates, from this account; None leaves it open."""

    agent_id: UUID | None = None
    mandate_ids: Sequence[UUID] | None = None
    account_id: UUID | None = None


class Waiting(NamedTuple):
    """An approval that is not carried out yet, and what its decision set aside."""

    id: UUID
    status: Literal["pending", "approved"]
    hold_id: UUID | None
    amount_minor: int
    uses: str


async def set_tenant_status(tx: Tx, status: Literal["active", "frozen"]) -> None:
    """Change the tenant's row, in turn: waits for decisions that have shared it, and later ones see it."""
    await tx.run("UPDATE tenant SET status = $2 WHERE tenant_id = $1", tx.tenant, status)


async def set_agent_status(tx: Tx, agent_id: UUID, status: Literal["active", "suspended"]) -> None:
    """Change an agent's row, in turn: waits for decisions that have shared it, and later ones see it."""
    await tx.run("UPDATE principal SET status = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant, agent_id, status)


async def list_mandates_below(tx: Tx, mandate_id: UUID) -> list[UUID]:
    """A mandate and all that narrow it."""
    return await tx.column(
        UUID,
        """WITH RECURSIVE below AS (
               SELECT $2::uuid AS id
               UNION
               SELECT m.id FROM mandate m JOIN below b ON m.parent_id = b.id WHERE m.tenant_id = $1)
           SELECT id FROM below""",
        tx.tenant,
        mandate_id,
    )


async def lock_pending_approvals(tx: Tx, reach: Reach) -> list[Waiting]:
    """The approvals that wait for people; waits for votes that are being cast."""
    return await tx.rows(
        Waiting,
        """SELECT a.id, a.status, a.hold_id, coalesce(d.amount_minor, 0), coalesce(d.uses, '[]')
           FROM approval a LEFT JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND a.status = 'pending' AND ($2::uuid IS NULL OR a.maker_id = $2)
             AND ($3::uuid[] IS NULL OR coalesce(a.mandate_id, d.mandate_id) = ANY($3))
             AND ($4::uuid IS NULL OR d.source_id = $4)
           ORDER BY a.id FOR UPDATE OF a""",
        tx.tenant,
        *reach,
    )


async def lock_approved(tx: Tx, reach: Reach) -> list[Waiting]:
    """The approvals that are approved and not carried out; leaves out those that are being carried out now."""
    return await tx.rows(
        Waiting,
        """SELECT a.id, a.status, a.hold_id, coalesce(d.amount_minor, 0), coalesce(d.uses, '[]')
           FROM approval a LEFT JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND a.status = 'approved' AND a.executed_event_id IS NULL
             AND ($2::uuid IS NULL OR a.maker_id = $2)
             AND ($3::uuid[] IS NULL OR coalesce(a.mandate_id, d.mandate_id) = ANY($3))
             AND ($4::uuid IS NULL OR d.source_id = $4)
           ORDER BY a.id FOR UPDATE OF a SKIP LOCKED""",
        tx.tenant,
        *reach,
    )


async def list_approved(tx: Tx, reach: Reach) -> list[UUID]:
    """The approvals that are approved and not carried out, locked or not."""
    return await tx.column(
        UUID,
        """SELECT a.id FROM approval a LEFT JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND a.status = 'approved' AND a.executed_event_id IS NULL
             AND ($2::uuid IS NULL OR a.maker_id = $2)
             AND ($3::uuid[] IS NULL OR coalesce(a.mandate_id, d.mandate_id) = ANY($3))
             AND ($4::uuid IS NULL OR d.source_id = $4)
           ORDER BY a.id""",
        tx.tenant,
        *reach,
    )


def end_approvals(tx: Tx, ended: Sequence[tuple[UUID, str]], why: str) -> None:
    """Write how locked approvals ended: id and status."""
    tx.later(
        """UPDATE approval a SET status = u.status, ended_at = clock_timestamp(), ended_why = $4
           FROM unnest($2::uuid[], $3::text[]) u (id, status) WHERE a.tenant_id = $1 AND a.id = u.id""",
        tx.tenant,
        [approval_id for approval_id, _ in ended],
        [status for _, status in ended],
        why,
    )


async def list_holds_of_agents(tx: Tx, reach: Reach) -> list[tuple[UUID, UUID | None]]:
    """The pending holds that agents placed themselves or for a job, each with its owner.

    Those of approvals and of payments, which another action than holding placed, are their own matter.
    """
    return await tx.pairs(
        """SELECT h.id, h.owner_id FROM hold h
           WHERE h.tenant_id = $1 AND h.status = 'pending' AND h.approval_id IS NULL
             AND ($4::uuid IS NULL OR h.account_id = $4)
             AND EXISTS (
                 SELECT FROM decision d
                 WHERE d.tenant_id = $1 AND d.hold_id = h.id AND d.outcome <> 'deny'
                   AND (h.owner_id IS NULL OR d.action = 'create_hold')
                   AND ($2::uuid IS NULL OR d.agent_id = $2) AND ($3::uuid[] IS NULL OR d.mandate_id = ANY($3)))
           ORDER BY h.id""",
        tx.tenant,
        *reach,
    )


async def list_capturable_holds(tx: Tx, account_id: UUID) -> list[UUID]:
    """The holds on an account that can still be captured."""
    return await tx.column(
        UUID,
        """SELECT id FROM hold
           WHERE tenant_id = $1 AND account_id = $2 AND status = 'pending' AND approval_id IS NULL
             AND (expires_at IS NULL OR expires_at > clock_timestamp())
           ORDER BY id""",
        tx.tenant,
        account_id,
    )


async def insert_freeze(
    tx: Tx, freeze_id: UUID, scope: FreezeScope, object_id: UUID, reason: str, actor_id: UUID
) -> FreezeRecord:
    """Write a freeze down; whoever calls has locked its object and found none in force."""
    made = await tx.row(
        FreezeRecord,
        """INSERT INTO freeze_record (tenant_id, id, scope, object_id, reason, frozen_by)
           VALUES ($1, $2, $3, $4, $5, $6)
           RETURNING id, scope, object_id, reason, frozen_by, frozen_at, resume_asked_by, resume_asked_at, resumed_by,
                     resumed_at""",
        tx.tenant,
        freeze_id,
        scope,
        object_id,
        reason,
        actor_id,
    )
    assert made
    return made


async def find_in_force(tx: Tx, scope: FreezeScope, object_id: UUID) -> UUID | None:
    """The freeze that is in force on an object, if any."""
    found = await tx.column(
        UUID,
        "SELECT id FROM freeze_record WHERE tenant_id = $1 AND scope = $2 AND object_id = $3 AND resumed_at IS NULL",
        tx.tenant,
        scope,
        object_id,
    )
    return found[0] if found else None


async def lock_freeze(tx: Tx, freeze_id: UUID) -> FreezeRecord | None:
    """One freeze, locked, so that those who resume it come one after the other."""
    return await tx.row(
        FreezeRecord,
        """SELECT id, scope, object_id, reason, frozen_by, frozen_at, resume_asked_by, resume_asked_at, resumed_by,
                  resumed_at
           FROM freeze_record WHERE tenant_id = $1 AND id = $2 FOR UPDATE""",
        tx.tenant,
        freeze_id,
    )


async def mark_resume_asked(tx: Tx, freeze_id: UUID, actor_id: UUID) -> FreezeRecord:
    """Write down who asked first."""
    marked = await tx.row(
        FreezeRecord,
        """UPDATE freeze_record SET resume_asked_by = $3, resume_asked_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2
           RETURNING id, scope, object_id, reason, frozen_by, frozen_at, resume_asked_by, resume_asked_at, resumed_by,
                     resumed_at""",
        tx.tenant,
        freeze_id,
        actor_id,
    )
    assert marked
    return marked


async def mark_resumed(tx: Tx, freeze_id: UUID, actor_id: UUID) -> FreezeRecord:
    """Write down who was the second."""
    marked = await tx.row(
        FreezeRecord,
        """UPDATE freeze_record SET resumed_by = $3, resumed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2
           RETURNING id, scope, object_id, reason, frozen_by, frozen_at, resume_asked_by, resume_asked_at, resumed_by,
                     resumed_at""",
        tx.tenant,
        freeze_id,
        actor_id,
    )
    assert marked
    return marked


async def list_freezes(
    tx: Tx, in_force: bool | None, seen: Sequence[UUID] | None, after: UUID | None, limit: int
) -> list[FreezeRecord]:
    """Freezes in the order of their making; with `seen`, only of these agents and mandates, accounts and the tenant."""
    return await tx.rows(
        FreezeRecord,
        """SELECT id, scope, object_id, reason, frozen_by, frozen_at, resume_asked_by, resume_asked_at, resumed_by,
                  resumed_at
           FROM freeze_record
           WHERE tenant_id = $1 AND ($2::boolean IS NULL OR (resumed_at IS NULL) = $2)
             AND ($3::uuid[] IS NULL OR scope IN ('tenant', 'account') OR object_id = ANY($3))
             AND ($4::uuid IS NULL OR id > $4)
           ORDER BY id LIMIT $5""",
        tx.tenant,
        in_force,
        seen,
        after,
        limit,
    )
