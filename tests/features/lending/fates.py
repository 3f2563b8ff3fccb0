"""Loans of all kinds and what may happen to them, for tests that hold for any."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, permutations
from typing import get_args

from hypothesis import strategies as st

from bursar.features.lending.day_count import DAY_COUNTS
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
from bursar.features.lending.postings import balances_of
from bursar.features.lending.product import Charge, Method, Part, Penalties, Product, Provisions, Terms
from bursar.features.lending.state import LoanState, Parts

START = date(2024, 1, 31)
END = START + timedelta(500)
# Longer than the longest of these loans.
AFTER_ALL = START + timedelta(740)
METHODS: tuple[Method, ...] = get_args(Method)
PARTS: tuple[Part, ...] = get_args(Part)
ORDERS = list(permutations(PARTS))


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    count, method = draw(st.integers(1, 12)), draw(st.sampled_from(METHODS))
    product = Product(
        currency="EUR",
        amount=(1, 10**9),
        installments=(count, count),
        rate_ppm=draw(st.sampled_from([0, 95_000, 240_000])),
        method=method,
        interest_on=draw(st.sampled_from(["declining", "flat"])),
        day_count=draw(st.sampled_from(DAY_COUNTS)),
        every=draw(st.integers(1, 2)),
        unit=draw(st.sampled_from(["week", "month"])),
        principal_grace=(grace := draw(st.integers(0, min(2, count - 1)))),
        interest_grace=draw(st.integers(0, grace)),
        interest_free=draw(st.integers(0, 1)),
        balloon_ppm=300_000 if method == "balloon" else 0,
        disbursement_fee=Charge(ppm=draw(st.sampled_from([0, 20_000]))),
        installment_fee=Charge(draw(st.sampled_from([0, 150]))),
        penalties=Penalties(draw(st.integers(0, 10)), Charge(draw(st.sampled_from([0, 500])), 10_000), 80_000),
        allocation=draw(st.sampled_from(ORDERS)),
        provisions=Provisions(10_000, 50_000, 200_000, 500_000, 1_000_000),
    )
    return Terms(product, draw(st.integers(100, 1_000_000)), count, START)


DAYS = st.integers(0, 480).map(lambda days: START + timedelta(days))
SUMS = st.sampled_from([1, 700, 9_000, 100_000, 2_000_000]) | st.integers(1, 300_000)
SEQ = st.just(0)
MONEY = st.builds(Repaid, DAYS, SEQ, SUMS)
# Money comes more often than anything else, and a loan is rarely given up.
HAPPENINGS: st.SearchStrategy[Event] = st.one_of(
    MONEY,
    MONEY,
    MONEY,
    st.builds(Prepaid, DAYS, SEQ, SUMS, st.sampled_from(["installment", "term"])),
    st.builds(Waived, DAYS, SEQ, SUMS, st.sampled_from(["penalty", "fee", "interest"])),
    st.builds(FeeCharged, DAYS, SEQ, st.integers(1, 5_000)),
    st.builds(Rescheduled, DAYS, SEQ, st.integers(1, 8), st.none(), st.none() | st.integers(0, 300_000)),
    st.builds(Reversed, DAYS, SEQ, st.integers(1, 12)),
    st.builds(Paused, DAYS, SEQ),
    st.builds(Resumed, DAYS, SEQ),
    st.builds(Returned, DAYS, SEQ, st.integers(1, 900)),
    st.builds(ChargedOff, DAYS, SEQ) | st.builds(WrittenOff, DAYS, SEQ),
)


def events(most: int = 12) -> st.SearchStrategy[list[Event]]:
    """A loan is paid out, and then anything happens, on any days, in the order in which it becomes known."""
    return st.lists(HAPPENINGS, max_size=most).map(numbered)


def numbered(made: Sequence[Event]) -> list[Event]:
    return [Disbursed(START, 0), *(replace(event, seq=seq) for seq, event in enumerate(made, 1))]


def check(state: LoanState) -> None:
    """What is true of every state: what the loan owes is what its accounts say, and no part is below zero."""
    books = balances_of(state.flows)
    assert sum(books.values()) == 0
    on_books = state.status != "charged_off"
    owed = {part: sum(getattr(row.unpaid, part) for row in state.open if on_books) for part in Parts._fields}
    assert books["principal"] == owed["principal"] + sum(row.principal for row in state.plan)
    assert books["interest"] == owed["interest"] + state.not_yet_due
    assert books["fees"] == owed["fee"]
    assert books["penalties"] == owed["penalty"]
    assert books["credit"] == -state.flows.credit
    assert -books["allowance"] >= 0
    assert all(min(row.unpaid) >= 0 for row in state.open)
    assert all(any(row.unpaid) for row in state.open)
    assert not any(any(row.unpaid) for row in state.closed)
    assert all(min(row[3:]) >= 0 for row in state.plan)
    assert min(state.flows._replace(recovered=0)) >= 0
    assert state.not_yet_due >= 0
    # Money waits only for what is not due yet.
    assert state.flows.credit == 0 or not state.open
    assert state.flows.credit >= 0
    if state.plan:
        assert state.status == "active"
        assert state.plan[0].start <= state.day
        assert all(row.due == after.start for row, after in pairwise(state.plan))
        # All that is earned falls due.
        assert sum(row.interest for row in state.plan) == state.pending + sum(row.earned for row in state.plan)
    if state.status in {"settled", "written_off"}:
        assert not state.open
