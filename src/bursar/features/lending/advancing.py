"""What a day does to a loan by itself: interest accrues, installments fall due, what is overdue costs penalties.

A day's step is the same whether it is made day by day or over many days at once: between two due dates nothing
changes but what is counted from fixed days on.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from bursar.features.lending.allocation import allocate
from bursar.features.lending.day_count import BASIS, units
from bursar.features.lending.delinquency import allowance_of
from bursar.features.lending.product import Product, Terms
from bursar.features.lending.rounding import PPM
from bursar.features.lending.state import Due, LoanState, Parts, accrued

NOTHING = Parts()


def advance(state: LoanState, terms: Terms, day: date) -> LoanState:
    """The loan at the opening of a day that is not before the state's own.

    Interest has accrued up to that day, what falls due on it is due, and nothing of it is overdue yet.
    """
    assert day >= state.day
    if day == state.day or state.status != "active":
        return state._replace(day=day)
    while state.plan and state.plan[0].due <= day:
        state = _fall_due(_let_pass(state, terms, state.plan[0].due), terms)
    return provisioned(_let_pass(state, terms, day), terms)


def _let_pass(state: LoanState, terms: Terms, day: date) -> LoanState:
    """Days in which nothing falls due."""
    flows, rows = state.flows, state.open
    earned = accrued(state, terms.product.day_count, day)
    if earned != flows.accrued:
        flows = flows._replace(accrued=earned)
    if rows and state.paused_since is None:
        pairs = [_penalized(row, terms.product, state.day, day) for row in rows]
        rows = tuple(row for row, _ in pairs)
        flows = flows.plus(penalty_charged=sum(charged for _, charged in pairs))
    return state._replace(day=day, flows=flows, open=rows)


def _penalized(row: Due, product: Product, start: date, end: date) -> tuple[Due, int]:
    """What an unpaid installment costs from the end of its grace on, and how much of that is new."""
    terms = product.penalties
    late_from = row.clock + timedelta(days=terms.grace_days)
    if end <= late_from:
        return row, 0
    fee = 0 if row.is_late else terms.late_fee.on(row.unpaid.principal + row.unpaid.interest)
    days = units(product.day_count, row.due, end) - units(product.day_count, row.due, max(start, late_from))
    whole, carry = divmod(row.carry + row.unpaid.principal * terms.rate_ppm * days, PPM * BASIS[product.day_count])
    charged = fee + whole
    owed = row.owed._replace(penalty=row.owed.penalty + charged)
    unpaid = row.unpaid._replace(penalty=row.unpaid.penalty + charged)
    return Due(row.due, owed, unpaid, row.clock, True, carry), charged


def _fall_due(state: LoanState, terms: Terms) -> LoanState:
    """The first installment of the plan is due, and credit pays what it can of it."""
    first, *plan = state.plan
    owed = Parts(0, first.fee, first.interest, first.principal)
    return spend(
        state._replace(
            plan=tuple(plan),
            open=(*state.open, Due(first.due, owed, owed, first.due)),
            base=state.base + first.earned,
            pending=state.pending + first.earned - first.interest,
            flows=state.flows.plus(fee_charged=first.fee),
        ),
        terms,
    )


def spend(state: LoanState, terms: Terms) -> LoanState:
    """Use credit for what is due; credit that suffices for everything settles the loan."""
    credit = state.flows.credit
    if state.status == "written_off" or (state.status == "charged_off" and credit < 0):
        return state._replace(flows=state.flows.plus(recovered=credit))
    if credit < 0:
        state, credit = _overdrawn(state, -credit), 0
    if state.status == "active" and state.plan and state.payoff <= 0:
        state = collapse(state)
    rows, paid = allocate(state.open, credit, terms.product.allocation)
    if state.status == "charged_off":
        return keep_open(state._replace(flows=state.flows.plus(recovered=sum(paid))), rows)
    flows = state.flows
    if paid != NOTHING:
        flows = flows.plus(
            paid_penalty=paid.penalty, paid_fee=paid.fee, paid_interest=paid.interest, paid_principal=paid.principal
        )
    state = keep_open(state._replace(flows=flows), rows)
    return state._replace(status="active" if state.plan or state.open else "settled")


def _overdrawn(state: LoanState, minor: int) -> LoanState:
    """More was returned than there was to return: it is due at once."""
    owed = Parts(principal=minor)
    rows = (*state.open, Due(state.day, owed, owed, state.day))
    return state._replace(open=rows, flows=state.flows.plus(overdrawn=minor))


def keep_open(state: LoanState, rows: Iterable[Due]) -> LoanState:
    """The rows that are due, those without anything unpaid among the closed ones."""
    still: list[Due] = []
    closed = list(state.closed)
    for row in rows:
        (still if any(row.unpaid) else closed).append(row)
    return state._replace(open=tuple(still), closed=tuple(closed))


def collapse(state: LoanState) -> LoanState:
    """All that is to come is due at once: the principal, and the interest that has accrued."""
    owed = Parts(0, 0, state.not_yet_due, sum(row.principal for row in state.plan))
    rows = (*state.open, Due(state.day, owed, owed, state.day)) if any(owed) else state.open
    return state._replace(plan=(), open=rows, base=state.flows.accrued, pending=0)


def provisioned(state: LoanState, terms: Terms) -> LoanState:
    """Set aside for losses what the product says, and what was lost."""
    allowance = allowance_of(terms.product, state) + state.flows.lost
    if allowance == state.flows.provisioned:
        return state
    return state._replace(flows=state.flows._replace(provisioned=allowance))
