"""Loans that are late, and what is asked about them."""

from datetime import timedelta
from typing import Any

from bursar import worker
from bursar.kernel.db import Database
from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import borrowed, rich, today

ANY_TIME = {"start": "00:00", "end": "24:00", "most": 3, "days": 7}
BY_WEBHOOK = {"template": "payment_overdue", "channel": "webhook"}


async def night(workers: Database) -> None:
    """All that happens in a night, and until the jobs that are given up have ended."""
    for task in (worker.pass_nights, worker.follow_late_loans, worker.decide_promises, worker.compensate_jobs):
        await task(workers)


async def late_loan(lender: Lender, workers: Database, days: int = 45, **wish: Any) -> Any:
    """A loan whose first installment was due `days` ago, at most a day more or less, with its collection opened."""
    loan = await borrowed(lender, today() - timedelta(days=days + 31), **wish)
    await night(workers)
    return loan


async def collection_of(lender: Lender, loan: Any) -> Any:
    """The latest collection of a loan."""
    return (await lender.get(f"/collections?loan={loan['id']}"))["items"][-1]


async def claimed(lender: Lender, who: str, loan: Any) -> int:
    """The token of the step of a loan's job, which somebody claims."""
    found = await collection_of(lender, loan)
    return (await lender.ok(who, "/jobs/claim", {"job_id": found["job_id"]}))["token"]


async def paid_up(lender: Lender, loan: Any, amount: str = "600") -> Any:
    """The loan after a repayment."""
    await rich(lender)
    return await lender.ok("operator", f"/loans/{loan['id']}/repay", {"account": lender.tenant.side, "amount": amount})
