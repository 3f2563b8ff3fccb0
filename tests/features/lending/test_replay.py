"""A loan's state depends on what happened and when: not on the order it became known, nor on the steps."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.features.lending.advancing import advance
from bursar.features.lending.events import Event, Prepaid, Repaid, Reversed
from bursar.features.lending.postings import Flows, balances_of, postings_of
from bursar.features.lending.product import Terms
from bursar.features.lending.replay import happen, opened, replay
from bursar.features.lending.schedule import schedule_of
from bursar.features.lending.state import LoanState
from tests.features.lending.fates import AFTER_ALL, END, START, check, events, numbered, terms

ONE_DAY = timedelta(days=1)


def day_by_day(agreed: Terms, known: Sequence[Event], until: date) -> list[LoanState]:
    """The loan at the end of each day, each made from the day before."""
    left = sorted(known, key=lambda event: (event.on, event.seq))
    taken_back = {event.repayment for event in left if isinstance(event, Reversed)}
    state, day, states = opened(agreed), START, list[LoanState]()
    while day <= until:
        state = advance(state, agreed, day)
        for event in left:
            if event.on == day and not (event.seq in taken_back and isinstance(event, Repaid | Prepaid)):
                state = happen(state, agreed, event)
        states.append(state)
        day += ONE_DAY
    return states


@settings(max_examples=120, deadline=None)
@given(terms(), events(), st.integers(0, 500))
def test_a_night_s_step_from_the_day_before_is_what_a_replay_comes_to(
    agreed: Terms, known: list[Event], days: int
) -> None:
    until = START + timedelta(days)
    states = day_by_day(agreed, known, until)
    assert replay(agreed, known, until) == states[-1]
    for state in states:
        check(state)


@settings(max_examples=120, deadline=None)
@given(terms(), events(), st.randoms(use_true_random=False))
def test_facts_that_become_known_in_any_order_make_the_same_loan(
    agreed: Terms, known: list[Event], random: Random
) -> None:
    whole = replay(agreed, known, END)
    check(whole)
    shuffled = random.sample(known, len(known))
    assert replay(agreed, shuffled, END) == whole
    # Whatever the order they come in, what was posted on the way is what the accounts hold in the end.
    posted, before = balances_of(Flows()), Flows()
    first = next(event for event in known if event.seq == 0)
    arrived: list[Event] = [first]
    for event in [*(event for event in shuffled if event is not first), None]:
        today = replay(agreed, arrived, max(fact.on for fact in arrived) if event else END)
        for source, target, minor in postings_of(before, today.flows):
            assert minor > 0
            posted[source] += minor
            posted[target] -= minor
        before = today.flows
        arrived = [*arrived, event] if event else arrived
    assert posted == balances_of(whole.flows)


@settings(max_examples=120, deadline=None)
@given(terms(), events(), st.integers(0, 480), st.integers(1, 300_000))
def test_a_repayment_that_is_reversed_has_never_been(agreed: Terms, known: list[Event], days: int, minor: int) -> None:
    late = Repaid(START + timedelta(days), 100, minor)
    taken_back = Reversed(END, 101, 100)
    assert replay(agreed, [*known, late, taken_back], END) == replay(agreed, known, END)


@settings(max_examples=50, deadline=None)
@given(terms())
def test_the_days_of_a_period_earn_its_whole_interest(agreed: Terms) -> None:
    states = day_by_day(agreed, numbered([]), AFTER_ALL)
    for row in schedule_of(agreed):
        accrued = {state.day: state.flows.accrued for state in states if row.start <= state.day <= row.due}
        assert accrued[row.due] - accrued[row.start] == row.earned
        daily = [accrued[day + ONE_DAY] - accrued[day] for day in list(accrued)[:-1]]
        assert min(daily, default=0) >= 0


@settings(max_examples=120, deadline=None)
@given(terms(), events(6), st.integers(0, 480))
def test_the_payoff_settles_a_loan_on_its_day_and_a_minor_unit_less_does_not(
    agreed: Terms, known: list[Event], days: int
) -> None:
    day = START + timedelta(days)
    known = [event for event in known if event.on <= day]
    state = replay(agreed, known, day)
    if state.status != "active":
        return
    assert state.payoff > 0
    settled = happen(state, agreed, Repaid(day, 100, state.payoff))
    assert (settled.status, settled.payoff, settled.flows.credit) == ("settled", 0, 0)
    if state.payoff > 1:
        short = happen(state, agreed, Repaid(day, 100, state.payoff - 1))
        assert (short.status, short.payoff) == ("active", 1)
