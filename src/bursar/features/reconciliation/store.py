"""The SQL of reconciliation: which references are booked, and what the ledger holds on the days of a statement."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from bursar.features.reconciliation.model import Held, Movement
from bursar.kernel.db import Tx


def _booked(reference: str, entry_id: UUID | None) -> tuple[str, UUID | None]:
    return reference, entry_id


def _agreement(reference: str, same: bool) -> tuple[str, bool]:
    return reference, same


def _day_end(number: str, day: date, balance_minor: int) -> tuple[str, date, int]:
    return number, day, balance_minor


async def list_booked(tx: Tx, mapping: str, movements: Sequence[Movement]) -> dict[str, bool]:
    """The references that are booked, each with whether account, day, direction and amount are the same in the book.

    Each is looked up on its own: in a young table whose statistics are old, a join is planned as a scan of all of it.
    """
    found = await tx.rows(
        _booked,
        """SELECT w.reference, (
               SELECT m.entry_id FROM statement_movement m
               WHERE m.tenant_id = $1 AND m.mapping = $2 AND m.reference = w.reference)
           FROM unnest($3::text[]) w (reference)""",
        tx.tenant,
        mapping,
        [m.reference for m in movements],
    )
    entries = {reference: entry_id for reference, entry_id in found if entry_id}
    return await _compare(tx, [(entries[m.reference], m) for m in movements if m.reference in entries])


async def _compare(tx: Tx, booked: Sequence[tuple[UUID, Movement]]) -> dict[str, bool]:
    if not booked:
        return {}
    rows = await tx.rows(
        _agreement,
        """SELECT w.reference, (
               SELECT p.amount_minor = abs(w.change_minor) AND p.currency = w.currency
                      AND p.effective_at = w.effective_at AND w.account = (
                          SELECT a.number FROM account a
                          WHERE a.tenant_id = $1
                            AND a.id = CASE WHEN w.change_minor > 0 THEN p.target_id ELSE p.source_id END)
               FROM posting p WHERE p.tenant_id = $1 AND p.entry_id = w.entry_id AND p.seq = 0)
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
                w (entry_id, reference, account, change_minor, currency, effective_at)""",
        tx.tenant,
        [entry_id for entry_id, _ in booked],
        [m.reference for _, m in booked],
        [m.account for _, m in booked],
        [m.money.minor if m.direction == "credit" else -m.money.minor for _, m in booked],
        [m.money.currency for _, m in booked],
        [m.effective_at for _, m in booked],
    )
    return dict(rows)


def insert_movements(tx: Tx, mapping: str, booked: Sequence[tuple[str, UUID]]) -> None:
    """Keep which entry books which reference."""
    tx.later(
        """INSERT INTO statement_movement (tenant_id, mapping, reference, entry_id)
           SELECT $1, $2, * FROM unnest($3::text[], $4::uuid[])""",
        tx.tenant,
        mapping,
        [reference for reference, _ in booked],
        [entry_id for _, entry_id in booked],
    )


async def list_day_ends(tx: Tx, numbers: Sequence[str], currency: str, until: datetime) -> list[tuple[str, date, int]]:
    """Number, day (UTC) and balance at its end for each day before `until` on which one of the accounts changed.

    A balance is what came less what went, as a bank prints it, whichever the normal side of the account.
    """
    return await tx.rows(
        _day_end,
        """SELECT a.number, c.day, (sum(c.change_minor) OVER (PARTITION BY a.number ORDER BY c.day))::bigint
           FROM account a CROSS JOIN LATERAL (
               SELECT (l.effective_at AT TIME ZONE 'UTC')::date AS day,
                      sum(CASE l.side WHEN 'credit' THEN l.amount_minor ELSE -l.amount_minor END) AS change_minor
               FROM line l
               WHERE l.tenant_id = a.tenant_id AND l.account_id = a.id AND l.effective_at < $4
               GROUP BY 1) c
           WHERE a.tenant_id = $1 AND a.number = ANY($2::text[]) AND a.currency = $3
           ORDER BY a.number, c.day""",
        tx.tenant,
        numbers,
        currency,
        until,
    )


async def sum_statements(tx: Tx, numbers: Sequence[str], currency: str, start: datetime, until: datetime) -> Held:
    """What statement entries moved on these accounts from `start` up to but not including `until`."""
    found = await tx.row(
        Held,
        """SELECT coalesce(sum(s.movements), 0)::bigint, count(*) FILTER (WHERE s.movements > 0),
                  coalesce(sum(s.credits), 0)::bigint, coalesce(sum(s.debits), 0)::bigint
           FROM account a CROSS JOIN LATERAL (
               SELECT count(*) AS movements, sum(l.amount_minor) FILTER (WHERE l.side = 'credit') AS credits,
                      sum(l.amount_minor) FILTER (WHERE l.side = 'debit') AS debits
               FROM line l JOIN entry e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
               WHERE l.tenant_id = a.tenant_id AND l.account_id = a.id AND e.kind = 'statement'
                 AND l.effective_at >= $4 AND l.effective_at < $5) s
           WHERE a.tenant_id = $1 AND a.number = ANY($2::text[]) AND a.currency = $3""",
        tx.tenant,
        numbers,
        currency,
        start,
        until,
    )
    assert found
    return found
