"""The SQL of both outer sides and the ledger's: statements and their lines, balance transactions, items to compare."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from bursar.features.reconciliation.items import Item, plain, plain_all
from bursar.features.reconciliation.lines import Format, Statement, identities
from bursar.features.reconciliation.provider import ProviderTransaction
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show


class Filed(NamedTuple):
    """A statement as it was filed."""

    id: UUID
    source: str
    account: str
    currency: str
    format: Format
    number: str | None
    opening_minor: int | None
    closing_minor: int | None
    lines: int
    imported_at: datetime


class NewStatement(NamedTuple):
    """A statement to be filed, by whom."""

    id: UUID
    source: str
    format: Format
    statement: Statement
    content_hash: bytes
    imported_by: UUID


async def insert_statement(tx: Tx, new: NewStatement) -> bool:
    """File a statement; False when the very same was filed before."""
    s = new.statement
    found = await tx.row(
        bool,
        """INSERT INTO bank_statement (tenant_id, id, source, account, currency, format, number, opening_minor,
               closing_minor, lines, content_hash, imported_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (tenant_id, source, account, content_hash) DO NOTHING RETURNING true""",
        tx.tenant, new.id, new.source, s.account, s.currency, new.format, s.number, s.opening_minor, s.closing_minor,
        len(s.lines), new.content_hash, new.imported_by,
    )  # fmt: skip
    return bool(found)


async def insert_lines(tx: Tx, new: NewStatement) -> int:
    """File the lines that are not there yet; how many those were."""
    s = new.statement
    return await tx.value(
        int,
        """WITH made AS (
               INSERT INTO bank_line (tenant_id, statement_id, source, account, currency, id, identity, place, day,
                   change_minor, reference, bank_reference, counterparty, description)
               SELECT $1, $2, $3, $4, $5, * FROM unnest(
                   $6::uuid[], $7::bytea[], $8::int[], $9::date[], $10::bigint[], $11::text[], $12::text[],
                   $13::text[], $14::text[])
               ON CONFLICT (tenant_id, source, account, identity) DO NOTHING RETURNING true)
           SELECT count(*) FROM made""",
        tx.tenant, new.id, new.source, s.account, s.currency, [new_id() for _ in s.lines], identities(s),
        [line.place for line in s.lines], [line.day for line in s.lines], [line.change_minor for line in s.lines],
        [line.reference for line in s.lines], [line.bank_reference for line in s.lines],
        [line.counterparty for line in s.lines], [line.description for line in s.lines],
    )  # fmt: skip


async def list_statements(tx: Tx, source: str | None, after: UUID | None, limit: int) -> list[Filed]:
    """Statements in the order of their filing."""
    return await tx.rows(
        Filed,
        """SELECT id, source, account, currency, format, number, opening_minor, closing_minor, lines, imported_at
           FROM bank_statement
           WHERE tenant_id = $1 AND ($2::text IS NULL OR source = $2) AND ($3::uuid IS NULL OR id > $3)
           ORDER BY id LIMIT $4""",
        tx.tenant,
        source,
        after,
        limit,
    )


async def insert_transactions(tx: Tx, provider: str, found: Sequence[ProviderTransaction]) -> int:
    """Keep what a provider booked and is not there yet; how many those were. What a provider booked never changes."""
    return await tx.value(
        int,
        """WITH made AS (
               INSERT INTO provider_transaction (tenant_id, provider, id, kind, day, currency, amount_minor, fee_minor,
                   net_minor, reference)
               SELECT $1, $2, w.id, w.kind, w.day, w.currency, w.amount, w.fee, w.amount - w.fee, w.reference
               FROM unnest($3::text[], $4::text[], $5::date[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
                    w (id, kind, day, currency, amount, fee, reference)
               ON CONFLICT (tenant_id, provider, id) DO NOTHING RETURNING true)
           SELECT count(*) FROM made""",
        tx.tenant, provider, [t.id for t in found], [t.kind for t in found], [t.day for t in found],
        [t.currency for t in found], [t.amount_minor for t in found], [t.fee_minor for t in found],
        [t.reference for t in found],
    )  # fmt: skip


def _bank_item(
    id: UUID, day: date, change_minor: int, reference: str | None, bank_reference: str | None,
    counterparty: str | None, transfer: str | None,
) -> Item:  # fmt: skip
    references = plain_all(reference, bank_reference, transfer)
    return Item(show("bl", id), day, change_minor, references, plain(counterparty))


async def list_bank_items(
    tx: Tx, source: str, account: str, currency: str, first: date, last: date, limit: int
) -> list[Item]:
    """The lines of a bank account in a period. A transfer's id that the bank prints is a reference, too."""
    return await tx.rows(
        _bank_item,
        """SELECT id, day, change_minor, reference, bank_reference, counterparty,
                  substring(description FROM 'tr_[0-9a-f]{32}')
           FROM bank_line
           WHERE tenant_id = $1 AND source = $2 AND account = $3 AND currency = $4 AND day BETWEEN $5 AND $6
           ORDER BY day, id LIMIT $7""",
        tx.tenant, source, account, currency, first, last, limit,
    )  # fmt: skip


def _ledger_item(
    entry_id: UUID, seq: int, day: date, change_minor: int, reference: str | None, counterparty: str
) -> Item:
    transfer = show("tr", entry_id)
    return Item(f"{transfer}.{seq}", day, change_minor, plain_all(reference, transfer), plain(counterparty))


async def list_ledger_items(tx: Tx, account_id: UUID, currency: str, first: date, last: date, limit: int) -> list[Item]:
    """The lines of an account of the ledger in a period (days of UTC): above zero what raised its balance.

    The metadata of a transfer may say under `reference` and `counterparty` what the other side calls them.
    """
    return await tx.rows(
        _ledger_item,
        """SELECT l.entry_id, l.seq, (l.effective_at AT TIME ZONE 'UTC')::date,
                  l.change_minor,
                  e.metadata ->> 'reference', coalesce(e.metadata ->> 'counterparty', a.number)
           FROM line l JOIN entry e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
                JOIN account a ON a.tenant_id = l.tenant_id AND a.id = l.counterparty_id
           WHERE l.tenant_id = $1 AND l.account_id = $2 AND l.currency = $3
             AND l.effective_at >= $4::date::timestamp AT TIME ZONE 'UTC'
             AND l.effective_at < ($5::date + 1)::timestamp AT TIME ZONE 'UTC'
           ORDER BY l.effective_at, l.entry_id, l.seq LIMIT $6""",
        tx.tenant, account_id, currency, first, last, limit,
    )  # fmt: skip


class _Booked(NamedTuple):
    id: str
    kind: str
    day: date
    net_minor: int
    reference: str | None


async def list_provider_items(
    tx: Tx, provider: str, currency: str, first: date, last: date, limit: int
) -> list[tuple[str, Item]]:
    """What a provider booked in a period, each with its kind: the change of the balance it holds for us."""
    found = await tx.rows(
        _Booked,
        """SELECT id, kind, day, net_minor, reference FROM provider_transaction
           WHERE tenant_id = $1 AND provider = $2 AND currency = $3 AND day BETWEEN $4 AND $5 AND net_minor <> 0
           ORDER BY day, id LIMIT $6""",
        tx.tenant, provider, currency, first, last, limit,
    )  # fmt: skip
    return [(t.kind, Item(t.id, t.day, t.net_minor, plain_all(t.id, t.reference))) for t in found]
