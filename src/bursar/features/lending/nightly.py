"""The night: interest accrues, installments fall due, what is late is charged; once for each loan and day.

A loan whose day has passed is brought to today day by day, however long nobody was there. Its row is locked and comes
to that day in the transaction that posts what came of it: so several schedulers share the loans, and what one that
dies leaves undone is done by the next.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from bursar.core.authority.settling import Ground
from bursar.features.lending import loan_store, night_store, store
from bursar.features.lending.advancing import advance
from bursar.features.lending.booking import book
from bursar.features.lending.delinquency import bucket_of, days_past_due
from bursar.features.lending.loan import Loan
from bursar.features.lending.night_store import Night, Passed
from bursar.features.lending.postings import Movement, postings_of
from bursar.features.lending.state import LoanState
from bursar.kernel.db import Tx

_DAY = timedelta(days=1)
# What began it all: a night is Bursar's own, and asks for nothing.
_ACTION = "disburse_loan"


class _Book(NamedTuple):
    """An entry of its own: a day of the loans of a product, in a currency."""

    on: date
    product: str
    currency: str


async def pass_nights(tx: Tx, until: date, limit: int) -> int:
    """Bring at most so many loans to the opening of a day; how many there were."""
    found = await night_store.lock_behind(tx, until, limit)
    await _pass(tx, found, until)
    return len(found)


async def catch_up(tx: Tx, loan: Loan, until: date) -> Loan:
    """Bring one locked loan to the opening of a day."""
    found = await night_store.lock_behind(tx, until, 1, loan.id)
    if not found:
        return loan
    await _pass(tx, found, until)
    after = await loan_store.find_loan(tx, loan.id)
    assert after
    return after


async def _pass(tx: Tx, found: Sequence[Loan], until: date) -> None:
    plans = await night_store.find_plans(tx, [loan.id for loan in found if loan.next_due and loan.next_due <= until])
    products = {
        key: await store.find_product(tx, *key) for key in {(loan.product, loan.product_version) for loan in found}
    }
    moved: defaultdict[_Book, list[Movement]] = defaultdict(list)
    nights: list[Night] = []
    passed: list[Passed] = []
    for loan in found:
        product = products[loan.product, loan.product_version]
        assert product
        terms = loan.terms(product)
        before = state = loan.known(*plans.get(loan.id, (None, None)))
        while state.day < until and state.status == "active":
            was, state = state, advance(state, terms, state.day + _DAY)
            nights.append(_night(loan, was, state))
            moved[_Book(state.day, loan.product, loan.currency)] += postings_of(was.flows, state.flows)
        is_new = loan.id in plans and (state.plan, state.closed) != (before.plan, before.closed)
        passed.append(Passed(loan.at(state), state if is_new else None))
    night_store.write(tx, passed, nights)
    for entry, movements in sorted(moved.items()):
        ground = Ground(_ACTION, None, f"loans:{entry.product}", {"day": entry.on.isoformat()})
        await book(tx, ground, entry.product, entry.currency, movements, f"Loans {entry.product}: {entry.on}", entry.on)


def _night(loan: Loan, was: LoanState, state: LoanState) -> Night:
    interest = state.flows.accrued - was.flows.accrued
    now = state.flows
    return Night(
        loan.id, state.day, interest, now.penalty_charged - was.flows.penalty_charged,
        now.principal, now.interest, now.fees, now.penalties, bucket_of(days_past_due(state)),
    )  # fmt: skip
