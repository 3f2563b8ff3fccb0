"""The statements of loans."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from bursar.features.lending.delinquency import Bucket
from bursar.features.lending.events import Event
from bursar.features.lending.keeping import body_of, closed_text, event_of, name_of, plan_text
from bursar.features.lending.loan import Loan
from bursar.features.lending.state import LoanState, Status
from bursar.kernel.db import Tx


class Fact(NamedTuple):
    """A fact with how it came about: what allowed it, the money that moved, and whether it changed the past."""

    event: Event
    event_id: UUID
    entry_id: UUID | None
    account_id: UUID | None
    actor_id: UUID | None
    replaced: Sequence[int] | None
    recorded_at: datetime | None = None


class Moved(NamedTuple):
    """An entry by which money came or went: from which account, to which."""

    entry_id: UUID
    source_id: UUID
    target_id: UUID


async def today(tx: Tx) -> date:
    """The business day, by the database's clock: in UTC, so that no clock change makes a day twice or leaves it out."""
    return await tx.value(date, "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")


async def insert_loan(tx: Tx, made: Loan) -> None:
    """Write a new loan."""
    await tx.run(
        """INSERT INTO loan (tenant_id, id, application_id, product, product_version, currency, principal_minor,
                             installments, made_by, decider_id, created_at, status, bucket, flows, state)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)""",
        tx.tenant,
        *made[:10],
        made.status,
        made.bucket,
        made.flows,
        made.state,
    )


async def find_loan(tx: Tx, loan_id: UUID) -> Loan | None:
    """One loan."""
    return await tx.row(
        Loan,
        """SELECT id, application_id, product, product_version, currency, principal_minor, installments, made_by,
                  decider_id, created_at, approval_id, awaits, disbursed_on, facts, status, day, next_due, bucket,
                  flows, state
           FROM loan WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        loan_id,
    )


async def find_loan_id(tx: Tx, application_id: UUID) -> UUID | None:
    """The loan that an application has become."""
    found = await tx.column(
        UUID, "SELECT id FROM loan WHERE tenant_id = $1 AND application_id = $2", tx.tenant, application_id
    )
    return found[0] if found else None


async def lock_loan(tx: Tx, loan_id: UUID) -> Loan | None:
    """One loan that nobody else changes until the transaction ends."""
    return await tx.row(
        Loan,
        """SELECT id, application_id, product, product_version, currency, principal_minor, installments, made_by,
                  decider_id, created_at, approval_id, awaits, disbursed_on, facts, status, day, next_due, bucket,
                  flows, state
           FROM loan WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        tx.tenant,
        loan_id,
    )


async def list_loans(
    tx: Tx, whose: UUID | None, status: Status | None, bucket: Bucket | None, after: UUID | None, limit: int
) -> list[Loan]:
    """Loans, oldest first, after the one named; those that one principal made or decided, if asked."""
    return await tx.rows(
        Loan,
        """SELECT id, application_id, product, product_version, currency, principal_minor, installments, made_by,
                  decider_id, created_at, approval_id, awaits, disbursed_on, facts, status, day, next_due, bucket,
                  flows, state
           FROM loan
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR made_by = $2 OR decider_id = $2)
             AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR bucket = $4)
             AND ($5::uuid IS NULL OR id > $5)
           ORDER BY id LIMIT $6""",
        tx.tenant,
        whose,
        status,
        bucket,
        after,
        limit,
    )


async def find_plan(tx: Tx, loan_id: UUID) -> tuple[str, str]:
    """What is still to come on a loan that was paid out, and what was due and is paid, as they are kept."""
    ((plan, closed),) = await tx.pairs(
        "SELECT plan, closed FROM loan_plan WHERE tenant_id = $1 AND loan_id = $2", tx.tenant, loan_id
    )
    return plan, closed


async def mark_waiting(tx: Tx, loan_id: UUID, approval_id: UUID | None, awaits: str | None) -> None:
    """Write what a locked loan waits for, or that it does no more."""
    await tx.run(
        "UPDATE loan SET approval_id = $3, awaits = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        loan_id,
        approval_id,
        awaits,
    )


async def update_loan(tx: Tx, after: Loan, state: LoanState) -> None:
    """Write a locked loan as a fact has made it."""
    await tx.run(
        """UPDATE loan SET disbursed_on = $3, facts = $4, status = $5, day = $6, next_due = $7, bucket = $8, flows = $9,
                           state = $10
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        after.id,
        after.disbursed_on,
        *after[13:],
    )
    await tx.run(
        """INSERT INTO loan_plan (tenant_id, loan_id, plan, closed) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, loan_id) DO UPDATE SET plan = excluded.plan, closed = excluded.closed""",
        tx.tenant,
        after.id,
        plan_text(state),
        closed_text(state),
    )


async def insert_fact(tx: Tx, loan_id: UUID, made: Fact) -> None:
    """Append a fact to a locked loan."""
    await tx.run(
        """INSERT INTO loan_fact (tenant_id, loan_id, seq, type, happened_on, body, replaced, event_id, entry_id,
                                  account_id, actor_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        tx.tenant,
        loan_id,
        made.event.seq,
        name_of(made.event),
        made.event.on,
        body_of(made.event),
        made.replaced,
        made.event_id,
        made.entry_id,
        made.account_id,
        made.actor_id,
    )


def _fact(
    type: str, on: date, seq: int, body: str, event_id: UUID, entry_id: UUID | None, account_id: UUID | None,
    actor_id: UUID | None, replaced: Sequence[int] | None, recorded_at: datetime,
) -> Fact:  # fmt: skip
    return Fact(event_of(type, on, seq, body), event_id, entry_id, account_id, actor_id, replaced, recorded_at)


async def list_facts(tx: Tx, loan_id: UUID) -> list[Fact]:
    """All facts of a loan, in the order in which they became known."""
    return await tx.rows(
        _fact,
        """SELECT type, happened_on, seq, body, event_id, entry_id, account_id, actor_id, replaced, recorded_at
           FROM loan_fact WHERE tenant_id = $1 AND loan_id = $2 ORDER BY seq""",
        tx.tenant,
        loan_id,
    )


async def find_moved(tx: Tx, event_id: UUID) -> Moved | None:
    """The entry that an event caused, its source and its target."""
    return await tx.row(
        Moved,
        """SELECT e.id, p.source_id, p.target_id
           FROM entry e JOIN posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
           WHERE e.tenant_id = $1 AND e.event_id = $2""",
        tx.tenant,
        event_id,
    )


async def list_awaiting(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Loans of all tenants whose approval is decided; for the worker's role only."""
    return await tx.pairs(
        """SELECT l.tenant_id, l.id FROM loan l
           JOIN approval a ON a.tenant_id = l.tenant_id AND a.id = l.approval_id
           WHERE l.approval_id IS NOT NULL
             AND (a.executed_event_id IS NOT NULL OR a.status NOT IN ('pending', 'approved'))
           ORDER BY l.id LIMIT $1""",
        limit,
    )
