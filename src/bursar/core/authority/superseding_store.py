"""The statements that find what waits for people under something that changes, and lock what it touches."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.authority.switch_store import Waiting
from bursar.kernel.db import Tx


async def lock_open_under(tx: Tx, mandate_ids: Sequence[UUID]) -> list[Waiting]:
    """The approvals decided under these mandates that are neither ended nor carried out; waits for whoever votes.

    The mandates are locked, so nobody is carrying one out, nor asking for another.
    """
    return await tx.rows(
        Waiting,
        """SELECT a.id, a.status, a.hold_id, d.amount_minor, d.uses
           FROM approval a JOIN decision d ON d.tenant_id = a.tenant_id AND d.id = a.decision_id
           WHERE a.tenant_id = $1 AND d.mandate_id = ANY($2::uuid[])
             AND a.status IN ('pending', 'approved') AND a.executed_event_id IS NULL
           ORDER BY a.id FOR UPDATE OF a""",
        tx.tenant,
        mandate_ids,
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
