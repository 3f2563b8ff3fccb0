"""A loan that was paid out some days ago and paid in part; and broken."""

from datetime import timedelta

from bursar import worker
from bursar.kernel.db import Database
from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import accepted, borrowed, today

PLANTS: list[tuple[str, str]] = [
    ("I75", "UPDATE loan SET flows[1] = flows[1] + 1 WHERE status = 'active'"),
    ("I75", "UPDATE loan SET flows[3] = flows[3] + 1 WHERE status = 'active'"),
    ("I75", "UPDATE account SET posted_minor = posted_minor + 1 WHERE number LIKE 'world:loans:%:principal'"),
    ("I75", "/* of another product */ UPDATE loan SET product = product || 'x'"),
    ("I76", "DELETE FROM loan_accrual WHERE day = (SELECT max(day) FROM loan_accrual)"),
    ("I76", "UPDATE loan_accrual SET day = day + 900 WHERE day = (SELECT max(day) FROM loan_accrual)"),
    ("I76", "UPDATE loan_accrual SET day = day - 900 WHERE day = (SELECT max(day) FROM loan_accrual)"),
    ("I76", "UPDATE loan SET disbursed_on = NULL WHERE status = 'active'"),
    ("I77", "DELETE FROM loan_fact WHERE seq = 2"),
    ("I77", "UPDATE loan_fact SET seq = 7 WHERE seq = 2"),
    ("I77", "UPDATE loan_fact SET happened_on = happened_on + 1 WHERE seq = 1"),
    ("I77", "UPDATE loan_fact SET entry_id = NULL WHERE seq = 2"),
    ("I78", "DELETE FROM loan WHERE status = 'pending'"),
    ("I78", "UPDATE loan SET product_version = product_version + 1"),
    ("I78", "UPDATE loan SET principal_minor = principal_minor + 1"),
    ("I78", "UPDATE loan SET installments = installments - 1"),
]


async def play(lender: Lender, url: str) -> None:
    """A loan that is yet to be paid out, and one that was, with two nights and a repayment."""
    await accepted(lender, "ann")
    loan = await borrowed(lender, on=today() - timedelta(days=2))
    workers = await Database.open(url, role="bursar_worker", connections=2)
    await worker.pass_nights(workers)
    await workers.close()
    await lender.ok("ann", f"/loans/{loan['id']}/repay", {"account": lender.tenant.side, "amount": "5"})
