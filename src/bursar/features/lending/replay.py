"""A loan's state is made from its facts: the same facts, in whatever order they came, make the same state."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple, TypeAlias

from bursar.features.lending.advancing import advance, keep_open, provisioned, spend
from bursar.features.lending.allocation import allocate
from bursar.features.lending.delinquency import resumed
from bursar.features.lending.events import (
    ChargedOff,
    Disbursed,
    Event,
    FeeCharged,
    Paused,
    Prepaid,
    Repaid,
    Rescheduled,
    Resumed,
    Returned,
    Reversed,
    Waived,
    WrittenOff,
)
from bursar.features.lending.product import Terms
from bursar.features.lending.replanning import lose, prepay, reschedule
from bursar.features.lending.schedule import schedule_of
from bursar.features.lending.state import Due, LoanState, Parts
from bursar.kernel.refusal import InvalidArgument


class Step(NamedTuple):
    """What a fact did to a loan, or the days before it; `is_undone`: a repayment that was reversed later."""

    event: Event | None
    is_undone: bool
    before: LoanState
    after: LoanState


def replay(terms: Terms, events: Iterable[Event], until: date) -> LoanState:
    """The loan at the end of a day: all facts that count by then, by business day and then by number.

    A repayment that was reversed is left out from its own day on. Raises InvalidArgument where facts make no loan.
    """
    state = opened(terms)
    for step in steps(terms, events, until):
        state = step.after
    return state


def steps(terms: Terms, events: Iterable[Event], until: date, halt: date | None = None) -> Iterator[Step]:
    """How a loan came there, step by step: the days up to each due date, to each fact and to `halt`, and the facts."""
    known = sorted(events, key=lambda event: (event.on, event.seq))
    reversed_ = {event.repayment for event in known if isinstance(event, Reversed)}
    state = opened(terms)
    for event in known:
        if event.on > until:
            break
        for step in _days(state, terms, event.on, halt):
            yield step
            state = step.after
        is_undone = event.seq in reversed_ and isinstance(event, Repaid | Prepaid)
        after = state if is_undone else happen(state, terms, event)
        yield Step(event, is_undone, state, after)
        state = after
    yield from _days(state, terms, until, halt)


def _days(state: LoanState, terms: Terms, until: date, halt: date | None) -> Iterator[Step]:
    while state.day < until:
        ends = [day for day in (halt, state.plan[0].due if state.plan else None) if day and day > state.day]
        after = advance(state, terms, min([until, *ends]))
        yield Step(None, False, state, after)
        state = after


def opened(terms: Terms) -> LoanState:
    """A loan that is not paid out yet."""
    return LoanState("pending", terms.disbursed_on, terms.product.rate_ppm)


def happen(state: LoanState, terms: Terms, event: Event) -> LoanState:
    """The loan after a fact that is not before its day.

    A fact that finds nothing to change, such as a waiver of what was paid meanwhile, changes nothing: what came late
    may have taken away what it was about.
    """
    begins = isinstance(event, Disbursed)
    misplaced = event.on < state.day or (begins and event.on != terms.disbursed_on)
    if misplaced or begins != (state.status == "pending"):
        raise InvalidArgument("events", "a loan is first paid out, once and on the day its terms name")
    return provisioned(_changed(advance(state, terms, event.on), terms, event), terms)


def _changed(state: LoanState, terms: Terms, event: Event) -> LoanState:
    match event:
        case Disbursed():
            return _disbursed(state, terms)
        case Repaid(minor=minor):
            return spend(_received(state, minor), terms)
        case Prepaid(minor=minor, keeps=keeps):
            return prepay(_received(state, minor), terms, minor, keeps)
        case Returned(minor=minor):
            return spend(state._replace(flows=state.flows.plus(returned=minor)), terms)
        case ChargedOff() | WrittenOff():
            return lose(state, terms, give_up=isinstance(event, WrittenOff))
        case _:
            return _adjusted(state, terms, event) if state.status in {"active", "settled"} else state


_Adjustment: TypeAlias = Rescheduled | Waived | FeeCharged | Paused | Resumed | Reversed


def _adjusted(state: LoanState, terms: Terms, event: _Adjustment) -> LoanState:
    match event:
        case Rescheduled():
            return reschedule(state, terms, event)
        case Waived():
            rows, waived = allocate(state.open, event.minor, (event.part,))
            flows = state.flows.plus(
                waived_penalty=waived.penalty, waived_fee=waived.fee, waived_interest=waived.interest
            )
            return spend(keep_open(state._replace(flows=flows), rows), terms)
        case FeeCharged():
            owed = Parts(fee=event.minor)
            row = Due(event.on, owed, owed, event.on)
            flows = state.flows.plus(fee_charged=event.minor)
            return spend(state._replace(status="active", open=(*state.open, row), flows=flows), terms)
        case Paused():
            return state._replace(paused_since=state.paused_since or event.on)
        case Resumed() if state.paused_since is not None:
            since = state.paused_since
            rows = tuple(row._replace(clock=resumed(row.clock, since, event.on)) for row in state.open)
            return state._replace(paused_since=None, open=rows)
        case _:
            return state


def _disbursed(state: LoanState, terms: Terms) -> LoanState:
    fee = terms.product.disbursement_fee.on(terms.principal)
    flows = state.flows.plus(disbursed=terms.principal - fee, disbursement_fee=fee)
    return state._replace(status="active", plan=schedule_of(terms), flows=flows)


def _received(state: LoanState, minor: int) -> LoanState:
    return state._replace(flows=state.flows.plus(received=minor))
