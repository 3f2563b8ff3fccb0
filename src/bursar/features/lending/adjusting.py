"""What people change about a loan without moving money: forgive, stretch, give up, stop its clock and start it."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending import loan_store
from bursar.features.lending.events import Event
from bursar.features.lending.keeping import name_of
from bursar.features.lending.loan import Loan, LoanConflict, refuse_day
from bursar.features.lending.recording import Cause, locked, product_of, record, rehearse
from bursar.kernel.db import Tx

# A fact, given the loan it is of, the day from which it counts and its number.
Makes = Callable[[Loan, date, int], Event]


class Adjustment(NamedTuple):
    """What is done under which action and event, from which day on (today if None), and why."""

    action: str
    event_id: UUID
    makes: Makes
    on: date | None
    reason: str


async def adjust(tx: Tx, actor: Actor, loan_id: UUID | None, wanted: Adjustment) -> tuple[Loan, Happening]:
    """Record an adjustment; refuses one that would change nothing."""
    found = await locked(tx, actor, loan_id)
    if found.status == "pending":
        raise LoanConflict("The loan is not paid out yet.")
    today = await loan_store.today(tx)
    on = refuse_day(found, wanted.on, today, may_date_back=True)
    facts = await loan_store.list_facts(tx, found.id)
    event = wanted.makes(found, on, len(facts) + 1)
    if not rehearse(found, await product_of(tx, found), facts, event, today):
        raise LoanConflict("There is nothing that this would change.")
    after = await record(tx, found, event, Cause(wanted.action, wanted.event_id, actor))
    told = {"fact": event.seq, "on": on.isoformat(), "reason": wanted.reason}
    return after, Happening(f"loan.{name_of(event)}", after.status, told, found.name)
