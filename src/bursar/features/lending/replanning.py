"""Changes of what is still to come: a partial prepayment, a reschedule, and giving the loan up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bursar.features.lending.advancing import collapse, keep_open, spend
from bursar.features.lending.calendar import due_dates
from bursar.features.lending.events import Keeps, Rescheduled
from bursar.features.lending.product import Terms, check_days, check_rate, check_term
from bursar.features.lending.rounding import share
from bursar.features.lending.schedule import Installment, Plan, amortize
from bursar.features.lending.state import LoanState, Parts


def prepay(state: LoanState, terms: Terms, minor: int, keeps: Keeps) -> LoanState:
    """Money that has come pays principal that is not due yet, after what is due."""
    state = spend(state, terms)
    ahead = sum(row.principal for row in state.plan)
    paid = min(minor, state.flows.credit, ahead)
    if state.status != "active" or not paid:
        return state
    plan = _plan(state, terms, ahead - paid, [row.due for row in state.plan], state.plan[0].number)
    if keeps == "installment":
        plan = replace(plan, payment=_installment_of(state.plan, terms))
    return spend(_replanned(state._replace(flows=state.flows.plus(paid_principal=paid)), plan), terms)


def reschedule(state: LoanState, terms: Terms, event: Rescheduled) -> LoanState:
    """All unpaid principal on a new schedule."""
    check_days(event.on, event.first_due)
    check_term(terms.product, event.installments)
    check_rate("rate_ppm", event.rate_ppm or 0)
    moved = sum(row.unpaid.principal for row in state.open)
    principal = moved + sum(row.principal for row in state.plan)
    if state.status != "active" or not principal:
        return state
    rows = [
        row._replace(
            owed=row.owed._replace(principal=row.owed.principal - row.unpaid.principal),
            unpaid=row.unpaid._replace(principal=0),
        )
        for row in state.open
    ]
    rate_ppm = state.rate_ppm if event.rate_ppm is None else event.rate_ppm
    state = keep_open(state._replace(rate_ppm=rate_ppm), rows)
    dues = due_dates(terms.product, event.on, event.first_due, event.installments)
    # They are numbered after all there were, and so are past any grace.
    number = max(terms.installments, state.plan[-1].number if state.plan else 0) + 1
    return spend(_replanned(state, _plan(state, terms, principal, dues, number)), terms)


def lose(state: LoanState, terms: Terms, *, give_up: bool) -> LoanState:
    """What is owed leaves the books; with `give_up` the borrower owes it no more."""
    if state.status == "active":
        state = spend(collapse(state), terms)
        lost = Parts(*map(sum, zip(*(row.unpaid for row in state.open), strict=True))) if state.open else Parts()
        flows = state.flows.plus(
            lost_penalty=lost.penalty, lost_fee=lost.fee, lost_interest=lost.interest, lost_principal=lost.principal
        )
        state = state._replace(flows=flows, status="charged_off" if state.open else state.status)
    if not give_up or state.status != "charged_off":
        return state
    state = keep_open(state, [row._replace(unpaid=Parts()) for row in state.open])
    return spend(state._replace(status="written_off"), terms)


def _plan(state: LoanState, terms: Terms, principal: int, dues: Sequence[date], number: int) -> Plan:
    """The plan for principal that is left, numbered from `number` on, with what is left of the product's grace."""
    product = terms.product
    return Plan(
        principal=principal,
        start=state.day,
        dues=dues,
        rate_ppm=state.rate_ppm,
        method=product.method,
        interest_on=product.interest_on,
        day_count=product.day_count,
        balloon=share(principal, product.balloon_ppm),
        principal_grace=max(0, product.principal_grace - number + 1),
        interest_grace=max(0, product.interest_grace - number + 1),
        interest_free=max(0, product.interest_free - number + 1),
        carried=state.not_yet_due,
        fee=product.installment_fee,
        first_number=number,
    )


def _installment_of(plan: Sequence[Installment], terms: Terms) -> int:
    """What an installment pays, past any grace."""
    row = next(row for row in plan if row.principal)
    return row.principal if terms.product.method == "equal_principal" else row.principal + row.interest


def _replanned(state: LoanState, plan: Plan) -> LoanState:
    return state._replace(plan=amortize(plan), base=state.flows.accrued, pending=plan.carried)
