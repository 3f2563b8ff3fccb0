"""Reading the book: accounts, balances now and then, statements, entries. Holds past their time count as given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bursar.core.ledger import store
from bursar.core.ledger.model import Account, AccountRef, Hold, Original
from bursar.core.ledger.outcomes import UnknownAccount
from bursar.core.ledger.rows import account_row, hold_row
from bursar.kernel.db import Tx
from bursar.kernel.refusal import UnknownObject


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a posting as its account sees it; `balance_minor` runs in the order of the statement."""

    entry_id: UUID
    seq: int
    version: int
    change_minor: int
    balance_minor: int
    counterparty: str
    kind: str
    description: str | None
    effective_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """Opening balance, lines, closing balance; `more` says that later lines of the period follow."""

    account: Account
    opening_minor: int
    lines: list[Line]
    closing_minor: int
    more: bool


async def clock(tx: Tx) -> datetime:
    """The database's clock."""
    return await tx.value(datetime, "SELECT clock_timestamp()")


async def find_account(tx: Tx, ref: AccountRef) -> Account:
    """The account of an id or number, as it stands now."""
    found = await tx.row(
        account_row,
        """SELECT a.id, a.number, a.name, a.currency, a.normal_side, a.floor_minor, a.status, a.posted_minor,
                  a.held_minor - coalesce((
                      SELECT sum(h.amount_minor) FROM hold h
                      WHERE h.tenant_id = a.tenant_id AND h.account_id = a.id AND h.status = 'pending'
                        AND h.expires_at <= clock_timestamp()), 0)::bigint,
                  a.version, a.metadata, a.opened_at, a.upstream
           FROM account a WHERE a.tenant_id = $1 AND (a.id = $2 OR a.number = $3)""",
        tx.tenant,
        ref if isinstance(ref, UUID) else None,
        ref if isinstance(ref, str) else None,
    )
    if found is None:
        raise UnknownAccount("account")
    return found


async def list_accounts(tx: Tx, after: UUID | None, limit: int) -> list[Account]:
    """Accounts in the order of their opening, after the one named."""
    return await tx.rows(
        account_row,
        """SELECT a.id, a.number, a.name, a.currency, a.normal_side, a.floor_minor, a.status, a.posted_minor,
                  a.held_minor - coalesce((
                      SELECT sum(h.amount_minor) FROM hold h
                      WHERE h.tenant_id = a.tenant_id AND h.account_id = a.id AND h.status = 'pending'
                        AND h.expires_at <= clock_timestamp()), 0)::bigint,
                  a.version, a.metadata, a.opened_at, a.upstream
           FROM account a WHERE a.tenant_id = $1 AND ($2::uuid IS NULL OR a.id > $2) ORDER BY a.id LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )


async def ids_of(tx: Tx, numbers: Sequence[str]) -> dict[str, UUID]:
    """The ids of these account numbers, where they exist."""
    return dict(
        await tx.pairs(
            "SELECT number, id FROM account WHERE tenant_id = $1 AND number = ANY($2::text[])",
            tx.tenant,
            numbers,
        )
    )


async def balance_at(tx: Tx, account: Account, at: datetime) -> int:
    """The posted balance from everything effective at or before `at`, in minor units."""
    return await _sum_up_to(tx, account, at, None)


async def _sum_up_to(tx: Tx, account: Account, at: datetime, version: int | None) -> int:
    """The sum of the changes up to `at`; with a version, of those at `at` only up to that version."""
    return await tx.value(
        int,
        """SELECT coalesce(sum(change_minor), 0)::bigint FROM line
           WHERE tenant_id = $1 AND account_id = $2
             AND effective_at <= $3 AND ($4::bigint IS NULL OR (effective_at, version) <= ($3, $4))""",
        tx.tenant,
        account.id,
        at,
        version,
    )


async def statement(
    tx: Tx, account: Account, start: datetime, end: datetime, after: tuple[datetime, int] | None, limit: int
) -> Statement:
    """Lines effective from `start` up to but not including `end`, in order of effect, then of recording.

    `after` is the (effective_at, version) of the last line had before.
    """
    opening = await (_sum_before(tx, account, start) if after is None else _sum_up_to(tx, account, *after))
    found = await tx.rows(
        Line,
        """SELECT l.entry_id, l.seq, l.version, l.change_minor,
                  ($7 + sum(l.change_minor) OVER (ORDER BY l.effective_at, l.version))::bigint,
                  c.number, e.kind, e.description, l.effective_at, e.recorded_at
           FROM (SELECT * FROM line
                 WHERE tenant_id = $1 AND account_id = $2 AND effective_at >= $3 AND effective_at < $4
                   AND ($5::timestamptz IS NULL OR (effective_at, version) > ($5, $6::bigint))
                 ORDER BY effective_at, version LIMIT $8) l
           JOIN entry e ON e.tenant_id = $1 AND e.id = l.entry_id
           JOIN account c ON c.tenant_id = $1 AND c.id = l.counterparty_id
           ORDER BY l.effective_at, l.version""",
        tx.tenant,
        account.id,
        start,
        end,
        *(after or (None, None)),
        opening,
        limit + 1,
    )
    lines = found[:limit]
    closing = lines[-1].balance_minor if lines else opening
    return Statement(account, opening, lines, closing, len(found) > limit)


async def _sum_before(tx: Tx, account: Account, start: datetime) -> int:
    return await tx.value(
        int,
        """SELECT coalesce(sum(change_minor), 0)::bigint FROM line
           WHERE tenant_id = $1 AND account_id = $2 AND effective_at < $3""",
        tx.tenant,
        account.id,
        start,
    )


async def find_hold(tx: Tx, hold_id: UUID | None) -> Hold:
    """One hold; past its time it reads `expired` even before the sweep has written so."""
    found = await tx.row(
        hold_row,
        """SELECT id, account_id, target_id, currency, amount_minor, captured_minor,
                  CASE WHEN status = 'pending' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END,
                  description, metadata, placed_at, expires_at, entry_id, approval_id, owner_id
           FROM hold WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        hold_id,
    )
    if found is None:
        raise UnknownObject("hold")
    return found


async def find_entry(tx: Tx, entry_id: UUID | None) -> Original:
    """One entry with its postings and what was reversed of it."""
    found = await store.list_originals(tx, [entry_id]) if entry_id else []
    if not found:
        raise UnknownObject("transfer")
    return found[0]


async def list_entries(tx: Tx, account_id: UUID | None, before: UUID | None, limit: int) -> list[Original]:
    """Entries, newest first, before the one named; of one account if asked."""
    ids = await tx.column(
        UUID,
        """SELECT e.id FROM entry e
           WHERE e.tenant_id = $1 AND ($2::uuid IS NULL OR e.id < $2)
             AND ($3::uuid IS NULL OR EXISTS (
                 SELECT FROM posting p
                 WHERE p.tenant_id = $1 AND p.entry_id = e.id AND $3 IN (p.source_id, p.target_id)))
           ORDER BY e.id DESC LIMIT $4""",
        tx.tenant,
        before,
        account_id,
        limit,
    )
    by_id = {original.entry.id: original for original in await store.list_originals(tx, ids)}
    return [by_id[entry_id] for entry_id in ids]


async def numbers_of(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The numbers of these accounts."""
    return dict(
        await tx.pairs(
            "SELECT id, number FROM account WHERE tenant_id = $1 AND id = ANY($2::uuid[])",
            tx.tenant,
            account_ids,
        )
    )


async def list_due_holds(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Pending holds of all tenants whose time is over, as (tenant id, hold id); for the worker's role only."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM hold WHERE status = 'pending' AND expires_at <= clock_timestamp()
           ORDER BY expires_at LIMIT $1""",
        limit,
    )
