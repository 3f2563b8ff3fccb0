"""The SQL of runs, their matches, and breaks with what people did about them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.features.reconciliation.items import Break, BreakKind, How
from bursar.features.reconciliation.legs import Compared, Leg, Scope, fingerprint, items_text, numbered
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

BreakState = Literal["open", "accepted", "posted", "cleared"]


class Run(NamedTuple):
    """A run and what it came to; `scope` is canonical JSON."""

    id: UUID
    scope: str
    first_day: date
    last_day: date
    currency: str
    matched: int
    broken: int
    settled: int
    cleared: int
    ran_by: UUID
    ran_at: datetime


class Found(NamedTuple):
    """A break as it stands; `items` is canonical JSON, `difference_minor` what the ledger's side lacks."""

    id: UUID
    leg: Leg
    kind: BreakKind
    day: date
    currency: str
    difference_minor: int
    account_id: UUID | None
    reference: str | None
    counterparty: str | None
    items: str
    why: str
    state: BreakState
    reason: str | None
    entry_id: UUID | None
    case_id: UUID | None
    run_id: UUID
    found_at: datetime


class Matched(NamedTuple):
    """A match of a run; `items` is canonical JSON."""

    number: int
    leg: Leg
    how: How
    why: str
    items: str


_BREAK = """SELECT id, leg, kind, day, currency, difference_minor, account_id, reference, counterparty, items, why,
                   state, reason, entry_id, case_id, run_id, found_at
            FROM reconciliation_break """


async def insert_run(tx: Tx, run: Run) -> None:
    """Keep a run."""
    await tx.run(
        """INSERT INTO reconciliation_run (
               tenant_id, id, scope, first_day, last_day, currency, matched, broken, settled, cleared, ran_by, ran_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        tx.tenant, *run,
    )  # fmt: skip


def insert_matches(tx: Tx, run_id: UUID, compared: Sequence[Compared]) -> None:
    """Keep a run's matches, and why each is one."""
    found = list(numbered(compared))
    tx.later(
        """INSERT INTO reconciliation_match (tenant_id, run_id, number, leg, how, why, items)
           SELECT $1::uuid, $2::uuid, * FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[])""",
        tx.tenant, run_id, [n for n, _, _ in found], [leg for _, leg, _ in found], [m.how for _, _, m in found],
        [m.why for _, _, m in found], [items_text(m) for _, _, m in found],
    )  # fmt: skip


async def upsert_breaks(
    tx: Tx, run_id: UUID, scope: Scope, leg: Leg, account_id: UUID | None, found: Sequence[Break]
) -> list[Found]:
    """Keep a leg's breaks: those known stay what they are, but one that was cleared is open again."""
    pairing = scope.pairing(leg)
    other = [next((i for i in (*b.right, *b.left) if i.references), None) for b in found]
    named = [next((i.counterparty for i in (*b.right, *b.left) if i.counterparty), None) for b in found]
    await tx.run(
        """INSERT INTO reconciliation_break (tenant_id, run_id, leg, pairing, currency, account_id, id, fingerprint,
               kind, day, difference_minor, reference, counterparty, items, why)
           SELECT $1, $2, $3, $4, $5, $6, * FROM unnest($7::uuid[], $8::bytea[], $9::text[], $10::date[],
               $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[])
           ON CONFLICT (tenant_id, fingerprint) DO UPDATE SET run_id = excluded.run_id, why = excluded.why,
               state = CASE reconciliation_break.state WHEN 'cleared' THEN 'open' ELSE reconciliation_break.state END,
               case_id = CASE reconciliation_break.state WHEN 'cleared' THEN NULL ELSE reconciliation_break.case_id END,
               changed_at = clock_timestamp()""",
        tx.tenant, run_id, leg, pairing, scope.currency, account_id, [new_id() for _ in found],
        [fingerprint(pairing, b) for b in found], [b.kind for b in found], [b.day for b in found],
        [b.difference_minor for b in found], [min(i.references) if i else None for i in other], named,
        [items_text(b) for b in found], [b.why for b in found],
    )  # fmt: skip
    return await tx.rows(
        Found, _BREAK + "WHERE tenant_id = $1 AND run_id = $2 AND leg = $3 ORDER BY day, id", tx.tenant, run_id, leg
    )


async def clear_breaks(tx: Tx, run_id: UUID, scope: Scope, leg: Leg) -> list[Found]:
    """Those open breaks of the period that this run has not found any more: they agree now."""
    return await tx.rows(
        Found,
        """UPDATE reconciliation_break SET state = 'cleared', changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND pairing = $2 AND run_id <> $3 AND state = 'open' AND day BETWEEN $4 AND $5
           RETURNING id, leg, kind, day, currency, difference_minor, account_id, reference, counterparty, items, why,
                     state, reason, entry_id, case_id, run_id, found_at""",
        tx.tenant, scope.pairing(leg), run_id, scope.first, scope.last,
    )  # fmt: skip


async def update_cases(tx: Tx, cases: Sequence[tuple[UUID, UUID]]) -> None:
    """Keep which case each break has."""
    await tx.run(
        """UPDATE reconciliation_break b SET case_id = w.case_id
           FROM unnest($2::uuid[], $3::uuid[]) w (id, case_id) WHERE b.tenant_id = $1 AND b.id = w.id""",
        tx.tenant,
        [break_id for break_id, _ in cases],
        [case_id for _, case_id in cases],
    )


def _settled(items: str, entry_id: UUID | None) -> tuple[str, UUID | None]:
    return items, entry_id


async def list_settled(tx: Tx, pairing: bytes, first: date, last: date) -> list[tuple[str, UUID | None]]:
    """The items that people have settled around a period, and the entries that they posted for it."""
    return await tx.rows(
        _settled,
        """SELECT items, entry_id FROM reconciliation_break
           WHERE tenant_id = $1 AND pairing = $2 AND state IN ('accepted', 'posted') AND day BETWEEN $3 AND $4""",
        tx.tenant, pairing, first, last,
    )  # fmt: skip


async def find_break(tx: Tx, break_id: UUID) -> Found | None:
    """One break."""
    return await tx.row(Found, _BREAK + "WHERE tenant_id = $1 AND id = $2", tx.tenant, break_id)


async def lock_break(tx: Tx, break_id: UUID) -> Found | None:
    """One break that nobody else settles until the transaction ends."""
    return await tx.row(Found, _BREAK + "WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tx.tenant, break_id)


async def settle_break(
    tx: Tx, break_id: UUID, state: BreakState, reason: str, entry_id: UUID | None, actor_id: UUID
) -> None:
    """Write what people did about a locked break."""
    await tx.run(
        """UPDATE reconciliation_break SET state = $3, reason = $4, entry_id = $5, settled_by = $6,
                  changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant, break_id, state, reason, entry_id, actor_id,
    )  # fmt: skip


async def list_breaks(
    tx: Tx, state: BreakState | None, kind: BreakKind | None, run_id: UUID | None, after: UUID | None, limit: int
) -> list[Found]:
    """Breaks in the order in which they were found first; of a run, those that it found."""
    return await tx.rows(
        Found,
        _BREAK
        + """WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR kind = $3)
               AND ($4::uuid IS NULL OR run_id = $4) AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6""",
        tx.tenant, state, kind, run_id, after, limit,
    )  # fmt: skip


async def find_run(tx: Tx, run_id: UUID) -> Run | None:
    """One run."""
    return await tx.row(
        Run,
        """SELECT id, scope, first_day, last_day, currency, matched, broken, settled, cleared, ran_by, ran_at
           FROM reconciliation_run WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        run_id,
    )


async def list_runs(tx: Tx, after: UUID | None, limit: int) -> list[Run]:
    """Runs, oldest first."""
    return await tx.rows(
        Run,
        """SELECT id, scope, first_day, last_day, currency, matched, broken, settled, cleared, ran_by, ran_at
           FROM reconciliation_run WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )


async def list_matches(tx: Tx, run_id: UUID, after: int, limit: int) -> list[Matched]:
    """The matches of a run above a number."""
    return await tx.rows(
        Matched,
        """SELECT number, leg, how, why, items FROM reconciliation_match
           WHERE tenant_id = $1 AND run_id = $2 AND number > $3 ORDER BY number LIMIT $4""",
        tx.tenant,
        run_id,
        after,
        limit,
    )


def scope_text(scope: Scope) -> str:
    """A scope as it is kept."""
    return canonical(scope.shown)
