"""The statements that lock and load the book, and write its accounts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bursar.core.ledger.model import (
    Account,
    AccountRef,
    AccountStatus,
    Entry,
    Hold,
    Original,
    Posting,
)
from bursar.core.ledger.rows import account_row, entry_row, hold_row, written
from bursar.kernel.db import Database, Tx


def _locked(now: datetime, *columns: Any) -> tuple[Account, datetime]:
    return account_row(*columns), now


def _recalled(now: datetime, id: UUID | None, *columns: Any) -> tuple[Account | None, datetime]:
    return account_row(id, *columns) if id else None, now


async def lock_accounts(tx: Tx, refs: Iterable[AccountRef]) -> tuple[list[Account], datetime]:
    """Lock the accounts in id order; also the database's clock after the last lock was had.

    The lateral joins leave the planner one way only, by the keys and in id order, whatever the tables' statistics say.
    """
    named = set(refs)
    rows = await tx.rows(
        _locked,
        """WITH wanted AS MATERIALIZED (
               SELECT id FROM unnest($2::uuid[]) i (id)
               UNION
               SELECT a.id FROM unnest($3::text[]) n (number) CROSS JOIN LATERAL (
                   SELECT id FROM account WHERE tenant_id = $1 AND number = n.number LIMIT 1) a
               ORDER BY id)
           SELECT clock_timestamp(), a.* FROM wanted w CROSS JOIN LATERAL (
               SELECT id, number, name, currency, normal_side, floor_minor, status, posted_minor, held_minor, version,
                      metadata, opened_at, upstream
               FROM account WHERE tenant_id = $1 AND id = w.id FOR NO KEY UPDATE) a""",
        tx.tenant,
        [ref for ref in named if isinstance(ref, UUID)],
        [ref for ref in named if isinstance(ref, str)],
    )
    now = max(now for _, now in rows) if rows else await tx.value(datetime, "SELECT clock_timestamp()")
    return [account for account, _ in rows], now


async def recall_accounts(
    database: Database, tenant_id: UUID, refs: Iterable[AccountRef]
) -> tuple[list[Account], datetime]:
    """The accounts named, without a lock, and the database's clock; in one round trip."""
    named = set(refs)
    rows = await database.look(
        tenant_id,
        _recalled,
        """SELECT clock_timestamp(), a.* FROM gate LEFT JOIN LATERAL (
               SELECT a.* FROM unnest($1::uuid[]) i (id) CROSS JOIN LATERAL (
                   SELECT id, number, name, currency, normal_side, floor_minor, status, posted_minor, held_minor,
                          version, metadata, opened_at, upstream
                   FROM account WHERE tenant_id = gate.tenant_id AND id = i.id OFFSET 0) a
               UNION ALL
               SELECT a.* FROM unnest($2::text[]) n (number) CROSS JOIN LATERAL (
                   SELECT id, number, name, currency, normal_side, floor_minor, status, posted_minor, held_minor,
                          version, metadata, opened_at, upstream
                   FROM account WHERE tenant_id = gate.tenant_id AND number = n.number OFFSET 0) a) a ON true""",
        [ref for ref in named if isinstance(ref, UUID)],
        [ref for ref in named if isinstance(ref, str)],
    )
    return [account for account, _ in rows if account], max(now for _, now in rows)


async def list_accounts_behind(tx: Tx, holds: Sequence[UUID], entries: Sequence[UUID]) -> list[UUID]:
    """The accounts that these holds and entries touch; which they are never changes, so they may be read unlocked."""
    return await tx.column(
        UUID,
        """SELECT account_id FROM hold WHERE tenant_id = $1 AND id = ANY($2::uuid[])
           UNION SELECT target_id FROM hold
               WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND target_id IS NOT NULL
           UNION SELECT source_id FROM posting WHERE tenant_id = $1 AND entry_id = ANY($3::uuid[])
           UNION SELECT target_id FROM posting WHERE tenant_id = $1 AND entry_id = ANY($3::uuid[])""",
        tx.tenant,
        holds,
        entries,
    )


async def list_holds(tx: Tx, ids: Sequence[UUID], due_on: Sequence[UUID], now: datetime) -> list[Hold]:
    """The holds named, and those on the accounts `due_on` whose time is over. Locked accounts keep them still."""
    return await tx.rows(
        hold_row,
        """SELECT id, account_id, target_id, currency, amount_minor, captured_minor, status, description, metadata,
                  placed_at, expires_at, entry_id, approval_id, owner_id
           FROM hold WHERE tenant_id = $1 AND id = ANY($2::uuid[])
           UNION
           SELECT h.* FROM unnest($3::uuid[]) a (id) CROSS JOIN LATERAL (
               SELECT id, account_id, target_id, currency, amount_minor, captured_minor, status, description, metadata,
                      placed_at, expires_at, entry_id, approval_id, owner_id
               FROM hold
               WHERE tenant_id = $1 AND account_id = a.id AND status = 'pending' AND expires_at <= $4
               ORDER BY account_id, expires_at OFFSET 0) h""",
        tx.tenant,
        ids,
        due_on,
        now,
    )


async def list_entries(tx: Tx, ids: Sequence[UUID]) -> list[Entry]:
    """The entries of these ids that exist."""
    return await tx.rows(
        entry_row,
        """SELECT id, kind, event_id, reverses_id, hold_id, description, metadata, effective_at, recorded_at
           FROM entry WHERE tenant_id = $1 AND id = ANY($2::uuid[])""",
        tx.tenant,
        ids,
    )


async def list_postings(tx: Tx, entry_ids: Sequence[UUID]) -> list[Posting]:
    """The postings of these entries, in order."""
    return await tx.rows(
        Posting,
        """SELECT entry_id, seq, source_id, target_id, currency, amount_minor, source_version, source_balance,
                  target_version, target_balance, effective_at
           FROM posting WHERE tenant_id = $1 AND entry_id = ANY($2::uuid[]) ORDER BY entry_id, seq""",
        tx.tenant,
        entry_ids,
    )


async def sum_reversals(tx: Tx, entry_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Minor units that reversals took back from each of these entries so far."""
    return dict(
        await tx.pairs(
            """SELECT e.reverses_id, sum(p.amount_minor)::bigint
               FROM entry e JOIN posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
               WHERE e.tenant_id = $1 AND e.reverses_id = ANY($2::uuid[]) GROUP BY 1""",
            tx.tenant,
            entry_ids,
        )
    )


async def list_originals(tx: Tx, ids: Sequence[UUID]) -> list[Original]:
    """The entries of these ids with their postings and what was taken back; read after their accounts are locked."""
    entries = await list_entries(tx, ids)
    postings = await list_postings(tx, ids)
    taken_back = await sum_reversals(tx, ids)
    return [Original(e, tuple(p for p in postings if p.entry_id == e.id), taken_back.get(e.id, 0)) for e in entries]


async def insert_account(tx: Tx, account: Account) -> bool:
    """Insert an account with zero balances; False when the number is taken."""
    found = await tx.row(
        bool,
        """INSERT INTO account (tenant_id, id, number, name, currency, normal_side, floor_minor, metadata, opened_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, number) DO NOTHING RETURNING true""",
        tx.tenant,
        account.id,
        account.number,
        account.name,
        account.currency,
        account.normal_side,
        account.floor_minor,
        written(account.metadata),
        account.opened_at,
    )
    return bool(found)


async def insert_accounts(tx: Tx, accounts: Sequence[Account]) -> None:
    """Insert many accounts with zero balances, leaving out numbers that are taken."""
    await tx.run(
        """INSERT INTO account (tenant_id, id, number, name, currency, normal_side, floor_minor, opened_at)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                                    $8::timestamptz[])
           ON CONFLICT (tenant_id, number) DO NOTHING""",
        tx.tenant,
        [a.id for a in accounts],
        [a.number for a in accounts],
        [a.name for a in accounts],
        [a.currency for a in accounts],
        [a.normal_side for a in accounts],
        [a.floor_minor for a in accounts],
        [a.opened_at for a in accounts],
    )


async def mark_account(tx: Tx, account_id: UUID, status: AccountStatus) -> None:
    """Set the status of a locked account."""
    await tx.run("UPDATE account SET status = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant, account_id, status)


async def mark_upstream(tx: Tx, account_id: UUID, number: str) -> None:
    """Write under which number the money of a locked account lives upstream; from then on it has no floor."""
    await tx.run(
        "UPDATE account SET upstream = $3, floor_minor = NULL WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        account_id,
        number,
    )


async def find_by_upstream(tx: Tx, number: str) -> str | None:
    """The number here of the account that lives upstream under this one."""
    found = await tx.column(str, "SELECT number FROM account WHERE tenant_id = $1 AND upstream = $2", tx.tenant, number)
    return found[0] if found else None
