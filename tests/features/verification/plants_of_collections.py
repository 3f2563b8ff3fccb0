"""A late loan with reminders and promises; and broken."""

from datetime import timedelta
from typing import Any

from bursar.kernel.db import Database
from tests.features.collections.late import ANY_TIME, BY_WEBHOOK, late_loan, night, paid_up
from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import today

PLANTS: list[tuple[str, str]] = [
    ("I84", "UPDATE job SET definition = 'checkout' WHERE definition = 'collection'"),
    ("I84", "UPDATE job SET reference = 'another' WHERE definition = 'collection'"),
    ("I84", "UPDATE loan_collection SET ended_at = now() WHERE ended_at IS NULL"),
    ("I84", "DELETE FROM loan_collection"),
    ("I85", "UPDATE loan_reminder SET body = body || '!'"),
    ("I85", "UPDATE loan_reminder SET loan_id = gen_random_uuid()"),
    ("I85", "UPDATE loan_reminder SET channel = 'webhook' WHERE channel = 'email'"),
    ("I85", "DELETE FROM loan_mail"),
    ("I85", "UPDATE loan_contact_rules SET rules = rules || ' '"),
    ("I86", """UPDATE loan_contact_rules SET rules = replace(rules, '"most":3', '"most":1')"""),
    ("I87", "DELETE FROM loan_promise_end"),
    ("I87", "UPDATE loan_promise_end SET status = 'broken', paid_minor = 500"),
    ("I87", "UPDATE loan_promise_end SET status = 'kept'"),
]


async def play(lender: Lender, url: str) -> None:
    """One that is paid up, and one with two reminders, a promise that was taken back and one that is open."""
    workers = await Database.open(url, role="bursar_worker", connections=2)
    await lender.ok("operator", "/contact-rules", ANY_TIME)
    loan = await late_loan(lender, workers)
    for channel in ("webhook", "email"):
        await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK | {"channel": channel})
    made = await _promised(lender, loan)
    await lender.ok("operator", f"/promises/{made['id']}/cancel", {"reason": "Misheard."})
    await _promised(lender, loan)
    await paid_up(lender, await late_loan(lender, workers))
    await night(workers)
    await workers.close()


async def _promised(lender: Lender, loan: Any) -> Any:
    body = {"amount": "5", "due_on": str(today() + timedelta(days=3))}
    return await lender.ok("operator", f"/loans/{loan['id']}/promises", body)
