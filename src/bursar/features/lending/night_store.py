"""The statements of nights: many loans at once, in arrays."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from bursar.features.lending.delinquency import Bucket
from bursar.features.lending.keeping import closed_text, plan_text
from bursar.features.lending.loan import Loan
from bursar.features.lending.state import LoanState
from bursar.kernel.db import Tx


class Night(NamedTuple):
    """What a day earned and charged on a loan, and what was owed then; the columns of `loan_accrual` in their order."""

    loan_id: UUID
    day: date
    interest_minor: int
    penalty_minor: int
    principal_owed_minor: int
    interest_owed_minor: int
    fees_owed_minor: int
    penalties_owed_minor: int
    bucket: Bucket


class Passed(NamedTuple):
    """A loan after its nights, and its state where more of it changed than the loan itself keeps."""

    loan: Loan
    state: LoanState | None


async def list_behind(tx: Tx) -> list[UUID]:
    """The tenants with a loan whose day has passed; for the worker's role only."""
    return await tx.column(
        UUID,
        """SELECT DISTINCT tenant_id FROM loan
           WHERE status = 'active' AND day < (clock_timestamp() AT TIME ZONE 'UTC')::date""",
    )


async def lock_behind(tx: Tx, until: date, limit: int, loan_id: UUID | None = None) -> list[Loan]:
    """Loans that have not come to a day, or that one if it has not, but for those that somebody else has locked."""
    return await tx.rows(
        Loan,
        """SELECT id, application_id, product, product_version, currency, principal_minor, installments, made_by,
                  decider_id, created_at, approval_id, awaits, disbursed_on, facts, status, day, next_due, bucket,
                  flows, state
           FROM loan
           WHERE tenant_id = $1 AND status = 'active' AND day < $2 AND ($4::uuid IS NULL OR id = $4)
           ORDER BY day, id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED""",
        tx.tenant,
        until,
        limit,
        loan_id,
    )


async def find_plans(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """By loan, what is still to come, and what was due and is paid. Read after the loans are locked."""
    found = await tx.rows(
        _planned,
        "SELECT loan_id, plan, closed FROM loan_plan WHERE tenant_id = $1 AND loan_id = ANY($2::uuid[])",
        tx.tenant,
        ids,
    )
    return dict(found)


def _planned(loan_id: UUID, plan: str, closed: str) -> tuple[UUID, tuple[str, str]]:
    return loan_id, (plan, closed)


def write(tx: Tx, passed: Sequence[Passed], nights: Sequence[Night]) -> None:
    """Write locked loans as their nights left them."""
    loans = [each.loan for each in passed]
    tx.later(
        """UPDATE loan l SET status = u.status, day = u.day, next_due = u.next_due, bucket = u.bucket,
                  flows = u.flows::bigint[], state = u.state
           FROM unnest($2::uuid[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[])
                u (id, status, day, next_due, bucket, flows, state)
           WHERE l.tenant_id = $1 AND l.id = u.id""",
        tx.tenant,
        [loan.id for loan in loans],
        [loan.status for loan in loans],
        [loan.day for loan in loans],
        [loan.next_due for loan in loans],
        [loan.bucket for loan in loans],
        # An array of arrays would come as one.
        [f"{{{','.join(map(str, loan.flows))}}}" for loan in loans],
        [loan.state for loan in loans],
    )
    plans = [(each.loan.id, each.state) for each in passed if each.state]
    if plans:
        tx.later(
            """UPDATE loan_plan p SET plan = u.plan, closed = u.closed
               FROM unnest($2::uuid[], $3::text[], $4::text[]) u (id, plan, closed)
               WHERE p.tenant_id = $1 AND p.loan_id = u.id""",
            tx.tenant,
            [loan_id for loan_id, _ in plans],
            [plan_text(state) for _, state in plans],
            [closed_text(state) for _, state in plans],
        )
    tx.later(
        """INSERT INTO loan_accrual (tenant_id, loan_id, day, interest_minor, penalty_minor, principal_owed_minor,
                                     interest_owed_minor, fees_owed_minor, penalties_owed_minor, bucket)
           SELECT $1, * FROM unnest($2::uuid[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                                    $8::bigint[], $9::bigint[], $10::text[])""",
        tx.tenant,
        *([list(column) for column in zip(*nights, strict=True)] if nights else [[]] * 9),
    )
