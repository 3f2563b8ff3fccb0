"""The statements of approvals, their votes, and what operators prove themselves by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx

ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "cancelled", "superseded"]
ApprovalKind = Literal["payment", "mandate_change"]
Choice = Literal["approve", "reject"]


class Approval(NamedTuple):
    """One row of `approval`. `payload` and `needs` are canonical JSON.

    A payment rests on a decision, a change of a mandate on that mandate.
    """

    id: UUID
    kind: ApprovalKind
    decision_id: UUID | None
    mandate_id: UUID | None
    maker_id: UUID
    status: ApprovalStatus
    payload: str
    payload_hash: bytes
    needs: str
    hold_id: UUID | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_why: str | None
    executed_event_id: UUID | None


class NewRequest(NamedTuple):
    """One row of `approval` as a change of a mandate is asked for. `payload` and `needs` are canonical JSON."""

    id: UUID
    mandate_id: UUID
    maker_id: UUID
    payload: str
    payload_hash: bytes
    needs: str
    created_at: datetime
    expires_at: datetime


class Vote(NamedTuple):
    """What one operator said, and the roles they hold now."""

    approval_id: UUID
    operator_id: UUID
    operator: str
    roles: Sequence[str]
    vote: Choice
    stepped_up: bool
    voted_at: datetime


class Basis(NamedTuple):
    """What the decision that asked for an approval set aside, and under which mandate."""

    mandate_id: UUID
    mandate_version: int
    amount_minor: int
    uses: str
    fingerprint: UUID | None


class Totp(NamedTuple):
    """An operator's secret of RFC 6238, the last step of time whose code was used, and when wrong codes came."""

    secret: str
    last_step: int
    wrong_at: Sequence[datetime]


async def find_approval(tx: Tx, approval_id: UUID) -> Approval | None:
    """One approval."""
    return await tx.row(
        Approval,
        """SELECT id, kind, decision_id, mandate_id, maker_id, status, payload, payload_hash, needs, hold_id,
                  created_at, expires_at, ended_at, ended_why, executed_event_id
           FROM approval WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        approval_id,
    )


async def lock_approval(tx: Tx, approval_id: UUID) -> Approval | None:
    """One approval, locked: whoever votes, ends or executes it comes before or after."""
    return await tx.row(
        Approval,
        """SELECT id, kind, decision_id, mandate_id, maker_id, status, payload, payload_hash, needs, hold_id,
                  created_at, expires_at, ended_at, ended_why, executed_event_id
           FROM approval WHERE tenant_id = $1 AND id = $2 FOR UPDATE""",
        tx.tenant,
        approval_id,
    )


def insert_request(tx: Tx, request: NewRequest) -> None:
    """Ask people to change a locked mandate."""
    tx.later(
        """INSERT INTO approval (tenant_id, kind, id, mandate_id, maker_id, payload, payload_hash, needs, created_at,
                                 expires_at)
           VALUES ($1, 'mandate_change', $2, $3, $4, $5, $6, $7, $8, $9)""",
        tx.tenant,
        *request,
    )


async def list_approvals(
    tx: Tx, maker_id: UUID | None, status: ApprovalStatus | None, after: UUID | None, limit: int
) -> list[Approval]:
    """Approvals in the order of their making; of one maker, in one status if asked."""
    return await tx.rows(
        Approval,
        """SELECT id, kind, decision_id, mandate_id, maker_id, status, payload, payload_hash, needs, hold_id,
                  created_at, expires_at, ended_at, ended_why, executed_event_id
           FROM approval
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR maker_id = $2) AND ($3::text IS NULL OR status = $3)
             AND ($4::uuid IS NULL OR id > $4)
           ORDER BY id LIMIT $5""",
        tx.tenant,
        maker_id,
        status,
        after,
        limit,
    )


async def list_votes(tx: Tx, approval_ids: Sequence[UUID]) -> list[Vote]:
    """The votes on these approvals, in their order."""
    return await tx.rows(
        Vote,
        """SELECT v.approval_id, v.operator_id, p.name, p.roles, v.vote, v.stepped_up, v.voted_at
           FROM approval_vote v JOIN principal p ON p.tenant_id = v.tenant_id AND p.id = v.operator_id
           WHERE v.tenant_id = $1 AND v.approval_id = ANY($2::uuid[]) ORDER BY v.voted_at, v.operator_id""",
        tx.tenant,
        approval_ids,
    )


async def list_names(tx: Tx, principal_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of these principals."""
    return dict(
        await tx.pairs(
            "SELECT id, name FROM principal WHERE tenant_id = $1 AND id = ANY($2::uuid[])", tx.tenant, principal_ids
        )
    )


def insert_vote(tx: Tx, approval_id: UUID, operator_id: UUID, vote: Choice, *, stepped_up: bool) -> None:
    """Keep a vote on a locked approval."""
    tx.later(
        """INSERT INTO approval_vote (tenant_id, approval_id, operator_id, vote, stepped_up)
           VALUES ($1, $2, $3, $4, $5)""",
        tx.tenant,
        approval_id,
        operator_id,
        vote,
        stepped_up,
    )


def mark_approved(tx: Tx, approval_id: UUID) -> None:
    """Leave a locked approval to be executed."""
    tx.later("UPDATE approval SET status = 'approved' WHERE tenant_id = $1 AND id = $2", tx.tenant, approval_id)


def mark_ended(tx: Tx, approval_id: UUID, status: ApprovalStatus, why: str) -> None:
    """End a locked approval without its effect."""
    tx.later(
        """UPDATE approval SET status = $3, ended_why = $4, ended_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        approval_id,
        status,
        why,
    )


def mark_executed(tx: Tx, approval_id: UUID, event_id: UUID) -> None:
    """Write down by which event a locked approval was executed."""
    tx.later(
        """UPDATE approval SET executed_event_id = $3, ended_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        approval_id,
        event_id,
    )


async def find_basis(tx: Tx, decision_id: UUID) -> Basis:
    """What a decision that asked for an approval rests on."""
    found = await tx.row(
        Basis,
        """SELECT mandate_id, mandate_version, amount_minor, uses, fingerprint FROM decision
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        decision_id,
    )
    assert found
    return found


async def list_due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Pending approvals of all tenants whose time is over, as (tenant id, id); for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM approval WHERE status = 'pending' AND expires_at <= clock_timestamp()
           ORDER BY expires_at LIMIT $1""",
        limit,
    )


async def list_to_execute(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Approvals of all tenants that wait to be carried out, as (tenant id, id); for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM approval WHERE status = 'approved' AND executed_event_id IS NULL
           ORDER BY id LIMIT $1""",
        limit,
    )


async def count_payments(tx: Tx, agent_id: UUID, target_id: UUID, but: UUID | None) -> tuple[int, datetime | None]:
    """How many payments of an agent to an account were let go, and when the last one was; holds are none yet."""
    found = await tx.row(
        _counted,
        """SELECT count(*), max(decided_at) FROM decision
           WHERE tenant_id = $1 AND agent_id = $2 AND target_id = $3 AND outcome = 'allow'
             AND action <> 'create_hold' AND id IS DISTINCT FROM $4""",
        tx.tenant,
        agent_id,
        target_id,
        but,
    )
    assert found
    return found


def _counted(count: int, last_at: datetime | None) -> tuple[int, datetime | None]:
    return count, last_at


async def lock_totp(tx: Tx, operator_id: UUID) -> Totp | None:
    """What an operator proves to be there by, locked: two requests cannot use one code."""
    return await tx.row(
        Totp,
        "SELECT secret, last_step, wrong_at FROM operator_totp WHERE tenant_id = $1 AND operator_id = $2 FOR UPDATE",
        tx.tenant,
        operator_id,
    )


def mark_step(tx: Tx, operator_id: UUID, step: int) -> None:
    """Use up a step of a locked secret."""
    tx.later(
        "UPDATE operator_totp SET last_step = $3 WHERE tenant_id = $1 AND operator_id = $2",
        tx.tenant,
        operator_id,
        step,
    )


def mark_wrong(tx: Tx, operator_id: UUID, wrong_at: Sequence[datetime]) -> None:
    """Write down when wrong codes came for a locked secret."""
    tx.later(
        "UPDATE operator_totp SET wrong_at = $3::timestamptz[] WHERE tenant_id = $1 AND operator_id = $2",
        tx.tenant,
        operator_id,
        wrong_at,
    )


def write_totp(tx: Tx, operator_id: UUID, secret: str) -> None:
    """Keep an operator's secret in place of an earlier one; wrong codes for that one count no more."""
    tx.later(
        """INSERT INTO operator_totp (tenant_id, operator_id, secret) VALUES ($1, $2, $3)
           ON CONFLICT (tenant_id, operator_id) DO UPDATE
           SET secret = excluded.secret, last_step = 0, wrong_at = '{}', enrolled_at = clock_timestamp()""",
        tx.tenant,
        operator_id,
        secret,
    )
