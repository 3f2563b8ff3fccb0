"""A borrower promises to pay: taken down by whoever spoke with them, decided by the night from what came of it."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.features.collections import holding, promise_store, ruling, store
from bursar.features.collections.model import CollectionConflict, Promise
from bursar.features.jobs import going_on
from bursar.features.lending import loan_store
from bursar.features.lending.events import Prepaid, Repaid, Reversed
from bursar.features.lending.loan import Loan
from bursar.features.lending.loan_store import Fact
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject

_ACTION = "decide_promise"


async def promise(
    tx: Tx, actor: Actor, loan_id: UUID | None, amount: str, due_on: date, token: int | None
) -> tuple[Loan, Promise, Happening]:
    """Take down a promise about a loan that is late; it has one at a time."""
    loan, found = await holding.locked(tx, actor, loan_id, token)
    minor = read_amount(amount, loan.currency).minor
    now, today = await reading.clock(tx), await loan_store.today(tx)
    most = (await ruling.rules_of(tx, loan.product)).promise_days
    if not today <= due_on <= today + timedelta(days=most):
        raise InvalidArgument("due_on", f"is a day from today on, at most {most} days ahead")
    known = await promise_store.list_promises(tx, loan.id)
    if known and known[-1].status == "open":
        raise CollectionConflict(f"The promise {show('prom', known[-1].id)} is open until {known[-1].due_on}.")
    made = Promise(
        new_id(), loan.id, minor, loan.facts, today, due_on, actor.principal_id, now, "open", None, None, None
    )  # fmt: skip
    await promise_store.insert_promise(tx, made)
    await holding.refuse_lost(tx, actor, found, token)
    return loan, made, _told(loan, made, "made")


async def cancel(tx: Tx, actor: Actor, promise_id: UUID | None, reason: str) -> tuple[Loan, Promise, Happening]:
    """Take an open promise back; people only, for from then on the borrower is reminded again."""
    loan_id = await promise_store.find_loan_id(tx, promise_id) if promise_id else None
    if loan_id is None:
        raise UnknownObject("promise")
    loan = await loan_store.lock_loan(tx, loan_id)
    assert loan, "a promise is about a loan"
    (found,) = [known for known in await promise_store.list_promises(tx, loan.id) if known.id == promise_id]
    if found.status != "open":
        raise CollectionConflict(f"The promise is {found.status}.")
    paid, now = paid_of(found, await loan_store.list_facts(tx, loan.id)), await reading.clock(tx)
    ended = found._replace(status="cancelled", paid_minor=paid, reason=reason, ended_at=now)
    await promise_store.end_promise(tx, ended, actor.principal_id)
    return loan, ended, _told(loan, ended, "cancelled")


async def decide(tx: Tx, loan_id: UUID) -> bool:
    """Decide the open promise of a loan whose day is over; False: there is none."""
    loan = await loan_store.lock_loan(tx, loan_id)
    known = await promise_store.list_promises(tx, loan_id)
    if loan is None or not known or known[-1].status != "open" or known[-1].due_on >= await loan_store.today(tx):
        return False
    made, now = known[-1], await reading.clock(tx)
    paid = paid_of(made, await loan_store.list_facts(tx, loan_id))
    status = "kept" if paid >= made.amount_minor else "broken"
    ended = made._replace(status=status, paid_minor=paid, ended_at=now)
    await promise_store.end_promise(tx, ended, None)
    found = await store.find_open(tx, loan_id)
    if status == "broken" and found:
        await going_on.note(tx, found.job_id, _broken(loan, ended, paid))
    events.record(tx, [event_of(new_id(), None, "", _ACTION, _told(loan, ended, status))])
    return True


def paid_of(made: Promise, facts: Sequence[Fact]) -> int:
    """What came of a promise by value date: repayments that became known after it, but for those taken back."""
    events_of = [fact.event for fact in facts]
    taken_back = {event.repayment for event in events_of if isinstance(event, Reversed)}
    return sum(
        event.minor
        for event in events_of
        if isinstance(event, Repaid | Prepaid)
        and event.seq > made.facts
        and event.seq not in taken_back
        and made.made_on <= event.on <= made.due_on
    )


def _broken(loan: Loan, made: Promise, paid: int) -> str:
    promised, came = (show_minor(minor, loan.currency) for minor in (made.amount_minor, paid))
    return f"The promise of {promised} {loan.currency} by {made.due_on} is broken: {came} came."


def _told(loan: Loan, made: Promise, type_: str) -> Happening:
    facts: dict[str, Json] = {
        "amount": show_minor(made.amount_minor, loan.currency),
        "due_on": made.due_on.isoformat(),
        "paid": show_minor(made.paid_minor, loan.currency) if made.paid_minor is not None else None,
        "promise": show("prom", made.id),
    }
    return Happening(f"promise.{type_}", made.status, facts, loan.name)
