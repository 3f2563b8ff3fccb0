"""The statements that enter, change and list counterparties; decisions read theirs in facts_store.py."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx

CounterpartyStatus = Literal["active", "blocked"]


class Entered(NamedTuple):
    """A counterparty with the number of its account."""

    id: UUID
    account: str
    name: str
    status: CounterpartyStatus
    version: int
    created_at: datetime


async def insert_counterparty(tx: Tx, counterparty_id: UUID, account_id: UUID, name: str, actor_id: UUID) -> bool:
    """Enter a counterparty; False when its account has one.

    The account is locked: a payment that was decided while it had none is over, or waits and sees this one.
    """
    found = await tx.row(
        bool,
        """WITH locked AS MATERIALIZED (SELECT id FROM account WHERE tenant_id = $1 AND id = $3 FOR NO KEY UPDATE)
           INSERT INTO counterparty (tenant_id, id, account_id, name, created_by)
           SELECT $1, $2, id, $4, $5 FROM locked
           ON CONFLICT (tenant_id, account_id) DO NOTHING RETURNING true""",
        tx.tenant,
        counterparty_id,
        account_id,
        name,
        actor_id,
    )
    return bool(found)


async def find_counterparty(tx: Tx, counterparty_id: UUID) -> Entered | None:
    """One counterparty."""
    return await tx.row(
        Entered,
        """SELECT c.id, a.number, c.name, c.status, c.version, c.created_at
           FROM counterparty c JOIN account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
           WHERE c.tenant_id = $1 AND c.id = $2""",
        tx.tenant,
        counterparty_id,
    )


async def find_account_of(tx: Tx, counterparty_id: UUID) -> UUID | None:
    """The account a counterparty is known by, which never changes."""
    found = await tx.column(
        UUID, "SELECT account_id FROM counterparty WHERE tenant_id = $1 AND id = $2", tx.tenant, counterparty_id
    )
    return found[0] if found else None


async def lock_counterparty(tx: Tx, counterparty_id: UUID) -> Entered | None:
    """One counterparty, locked with its account: payments that were decided with it are over, later ones wait.

    A decision reads counterparties when it has locked the accounts, so the account's lock puts the two in order.
    """
    return await tx.row(
        Entered,
        """SELECT c.id, a.number, c.name, c.status, c.version, c.created_at
           FROM counterparty c JOIN account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
           WHERE c.tenant_id = $1 AND c.id = $2 FOR NO KEY UPDATE OF a, c""",
        tx.tenant,
        counterparty_id,
    )


async def update_status(tx: Tx, counterparty_id: UUID, status: CounterpartyStatus, version: int) -> None:
    """Write a locked counterparty's next version."""
    await tx.run(
        "UPDATE counterparty SET status = $3, version = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        counterparty_id,
        status,
        version,
    )


async def list_counterparties(tx: Tx, after: UUID | None, limit: int) -> list[Entered]:
    """Counterparties in the order of their entering."""
    return await tx.rows(
        Entered,
        """SELECT c.id, a.number, c.name, c.status, c.version, c.created_at
           FROM counterparty c JOIN account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
           WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.id > $2) ORDER BY c.id LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )
