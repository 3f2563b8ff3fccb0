"""The statements of the sandbox's provider: its own books, in tables that of Bursar's own only `verify` reads."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx


class Made(NamedTuple):
    """What was asked for under a key, and how it stands. `parent` is the key of the charge that it is about."""

    key: str
    reference: str
    parent: str | None
    kind: str
    asked: str
    method: str | None
    standing: str
    currency: str
    amount_minor: int
    failure: str | None
    made_at: datetime


class Transaction(NamedTuple):
    """One row of the books. `net_minor` is by how much the balance changed."""

    reference: str
    parent: str
    key: str | None
    about: str | None
    kind: str
    currency: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    at: datetime


class Due(NamedTuple):
    """Something that happens later: a customer proves who they are, a bank pays out, an event is told."""

    id: str
    step: str
    key: str
    body: str


async def find(tx: Tx, key: str) -> Made | None:
    """What was asked for under a key."""
    return await tx.row(
        Made,
        """SELECT key, reference, parent, kind, asked, method, standing, currency, amount_minor, failure, made_at
           FROM sandbox_payment WHERE tenant_id = $1 AND key = $2""",
        tx.tenant,
        key,
    )


async def lock_charge(tx: Tx, reference: str) -> Made | None:
    """A charge by its reference; nobody else does anything with it until the transaction ends."""
    return await tx.row(
        Made,
        """SELECT key, reference, parent, kind, asked, method, standing, currency, amount_minor, failure, made_at
           FROM sandbox_payment WHERE tenant_id = $1 AND reference = $2 AND kind = 'charge' FOR UPDATE""",
        tx.tenant,
        reference,
    )


async def list_children(tx: Tx, parent: str) -> list[Made]:
    """The captures, cancels and refunds of a charge, oldest first."""
    return await tx.rows(
        Made,
        """SELECT key, reference, parent, kind, asked, method, standing, currency, amount_minor, failure, made_at
           FROM sandbox_payment WHERE tenant_id = $1 AND parent = $2 ORDER BY made_at""",
        tx.tenant,
        parent,
    )


async def insert(tx: Tx, made: Made) -> bool:
    """Write what was asked; False when the key is taken."""
    return bool(
        await tx.column(
            bool,
            """INSERT INTO sandbox_payment (tenant_id, key, reference, parent, kind, asked, method, standing, currency,
                                            amount_minor, failure, made_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING true""",
            tx.tenant,
            *made,
        )
    )


async def mark(tx: Tx, key: str, standing: str) -> None:
    """Write how it stands now."""
    await tx.run("UPDATE sandbox_payment SET standing = $3 WHERE tenant_id = $1 AND key = $2", tx.tenant, key, standing)


async def insert_transaction(tx: Tx, transaction: Transaction) -> None:
    """Write a row of the books."""
    await tx.run(
        """INSERT INTO sandbox_transaction (tenant_id, reference, parent, key, about, kind, currency, amount_minor,
                                            fee_minor, net_minor, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        tx.tenant,
        *transaction,
    )


async def list_transactions_of(tx: Tx, parent: str) -> list[Transaction]:
    """The rows of the books that are about a charge or payout, oldest first."""
    return await tx.rows(
        Transaction,
        """SELECT reference, parent, key, about, kind, currency, amount_minor, fee_minor, net_minor, at
           FROM sandbox_transaction WHERE tenant_id = $1 AND parent = $2 ORDER BY at, reference""",
        tx.tenant,
        parent,
    )


async def list_transactions(
    tx: Tx, since: datetime, until: datetime, after: str | None, limit: int
) -> list[Transaction]:
    """The books of a time, oldest first, after the row named."""
    return await tx.rows(
        Transaction,
        """SELECT reference, parent, key, about, kind, currency, amount_minor, fee_minor, net_minor, at
           FROM sandbox_transaction
           WHERE tenant_id = $1 AND at >= $2 AND at < $3
             AND ($4::text IS NULL OR (at, reference) > (
                 SELECT t.at, t.reference FROM sandbox_transaction t WHERE t.tenant_id = $1 AND t.reference = $4))
           ORDER BY at, reference LIMIT $5""",
        tx.tenant,
        since,
        until,
        after,
        limit,
    )


async def balances(tx: Tx) -> dict[str, int]:
    """The balance in each currency, in minor units."""
    return dict(
        await tx.pairs(
            """SELECT currency, sum(net_minor)::bigint FROM sandbox_transaction
               WHERE tenant_id = $1 GROUP BY currency""",
            tx.tenant,
        )
    )


async def insert_due(tx: Tx, due: Due, at: datetime) -> None:
    """Have something happen later."""
    await tx.run(
        """INSERT INTO sandbox_event (tenant_id, id, step, key, body, due_at) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT DO NOTHING""",
        tx.tenant,
        due.id,
        due.step,
        due.key,
        due.body,
        at,
    )


async def list_due(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, str]]:
    """What is to happen in all tenants, as (tenant id, event id); for the worker's role only."""
    return await tx.pairs(
        "SELECT tenant_id, id FROM sandbox_event WHERE told_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2",
        now,
        limit,
    )


async def lock_due(tx: Tx, event_id: str) -> Due | None:
    """Something that is due, if nobody does it already."""
    return await tx.row(
        Due,
        """SELECT id, step, key, body FROM sandbox_event
           WHERE tenant_id = $1 AND id = $2 AND told_at IS NULL FOR UPDATE SKIP LOCKED""",
        tx.tenant,
        event_id,
    )


async def mark_told(tx: Tx, event_id: str, now: datetime) -> None:
    """It has happened."""
    await tx.run("UPDATE sandbox_event SET told_at = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant, event_id, now)


async def note_first(tx: Tx, key: str, now: datetime) -> bool:
    """Whether a call with this key comes for the first time; from now on it does not."""
    return bool(
        await tx.column(
            bool,
            """INSERT INTO sandbox_event (tenant_id, id, step, key, body, due_at, told_at)
               VALUES ($1, 'fault_' || $2, 'fault', $2, '', $3, $3) ON CONFLICT DO NOTHING RETURNING true""",
            tx.tenant,
            key,
            now,
        )
    )
