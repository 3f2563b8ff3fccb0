"""The statements that find what waits for people under something that changes, and lock what it touches."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.authority.switch_store import Waiting
from bursar.kernel.db import Tx


async def lock_open_under(tx: Tx, mandate_id: UUID, below: Sequence[UUID]) -> list[Waiting]:
    """What waits to change a mandate or to be paid under one of these: neither ended nor carried out.

    Waits for whoever votes. The mandates are locked, so nobody is carrying one out, nor asking for another.
    """
    return await tx.rows(
        Waiting,
        """SELECT a.id, a.status, a.hold_id, coalesce(d.amount_minor, 0), coalesce(d.uses, '[]')
           FROM approval a LEFT JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND (a.mandate_id = $2 OR d.mandate_id = ANY($3::uuid[]))
             AND a.status IN ('pending', 'approved') AND a.executed_event_id IS NULL
           ORDER BY a.id FOR UPDATE OF a""",
        tx.tenant,
        mandate_id,
        below,
    )


async def lock_pending_request(tx: Tx, mandate_id: UUID, maker_id: UUID) -> list[Waiting]:
    """What somebody has asked people to change of a locked mandate, if nobody has decided it; waits for a vote."""
    return await tx.rows(
        Waiting,
        """SELECT id, status, hold_id, 0::bigint, '[]' FROM approval
           WHERE tenant_id = $1 AND mandate_id = $2 AND maker_id = $3 AND status = 'pending' FOR UPDATE""",
        tx.tenant,
        mandate_id,
        maker_id,
    )


async def lock_open_to(tx: Tx, account_id: UUID) -> list[Waiting]:
    """The approvals of payments to an account that are neither ended nor carried out; waits for whoever does so."""
    return await tx.rows(
        Waiting,
        """SELECT a.id, a.status, a.hold_id, d.amount_minor, d.uses
           FROM approval a JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND d.target_id = $2
             AND a.status IN ('pending', 'approved') AND a.executed_event_id IS NULL
           ORDER BY a.id FOR UPDATE OF a""",
        tx.tenant,
        account_id,
    )


async def list_open_to(tx: Tx, account_id: UUID) -> set[UUID]:
    """The same approvals by their ids, locked or not."""
    return set(
        await tx.column(
            UUID,
            """SELECT a.id FROM approval a JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
               WHERE a.tenant_id = $1 AND d.target_id = $2
                 AND a.status IN ('pending', 'approved') AND a.executed_event_id IS NULL""",
            tx.tenant,
            account_id,
        )
    )


async def lock_accounts(tx: Tx, account_id: UUID, hold_ids: Sequence[UUID]) -> None:
    """Lock an account and those of these holds in the order in which the book does."""
    await tx.run(
        """SELECT FROM account
           WHERE tenant_id = $1
             AND (id = $2 OR id IN (SELECT h.account_id FROM hold h WHERE h.tenant_id = $1 AND h.id = ANY($3::uuid[])))
           ORDER BY id FOR NO KEY UPDATE""",
        tx.tenant,
        account_id,
        hold_ids,
    )
