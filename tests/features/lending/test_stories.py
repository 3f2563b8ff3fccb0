"""What becomes of one loan, by hand: 1,200.00 at 12 %, 100.00 of principal a month, paid out on 1 January."""

from dataclasses import replace
from datetime import date

import pytest

from bursar.features.lending.delinquency import bucket_of, days_past_due
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
from bursar.features.lending.postings import Flows, Movement, balances_of, postings_of
from bursar.features.lending.product import Charge, Penalties, Product, Provisions, Terms
from bursar.features.lending.replay import happen, opened, replay
from bursar.features.lending.state import LoanState, Parts
from bursar.kernel.refusal import InvalidArgument
from tests.features.lending.fates import check

PRODUCT = Product(
    currency="USD",
    amount=(100_00, 10_000_00),
    installments=(1, 24),
    rate_ppm=120_000,
    method="equal_principal",
    disbursement_fee=Charge(ppm=10_000),
    penalties=Penalties(grace_days=5, late_fee=Charge(5_00), rate_ppm=240_000),
    provisions=Provisions(current=10_000, days_1_30=50_000, days_over_90=1_000_000),
)
TERMS = Terms(PRODUCT, 1200_00, 12, date(2024, 1, 1))
PAID_OUT = Disbursed(TERMS.disbursed_on, 0)


def on(month: int, day: int) -> date:
    return date(2024, month, day)


def loan(until: date, *happened: Event) -> LoanState:
    state = replay(TERMS, [PAID_OUT, *happened], until)
    check(state)
    return state


def test_what_is_overdue_costs_after_its_grace_and_a_repayment_pays_in_order() -> None:
    assert loan(on(2, 6)).overdue == 112_00
    # 100.00 at 24 % is 6 2/3 cents a day; the late fee comes once.
    assert loan(on(2, 7)).open[0].unpaid == Parts(5_06, 0, 12_00, 100_00)
    late = loan(on(2, 11))
    assert late.open[0].unpaid == Parts(5_33, 0, 12_00, 100_00)
    assert (days_past_due(late), bucket_of(days_past_due(late))) == (10, "1-30")
    paid = loan(on(2, 11), Repaid(on(2, 11), 1, 50_00))
    assert paid.open[0].unpaid == Parts(0, 0, 0, 67_33)
    assert paid.flows.paid_penalty == 5_33
    # From then on 67.33 at 24 %, with what was carried of a cent: 3 days are 13.466 and 0.333 cents.
    assert loan(on(2, 14), Repaid(on(2, 11), 1, 50_00)).open[0].unpaid == Parts(13, 0, 0, 67_33)


def test_a_back_dated_repayment_takes_back_what_its_lateness_cost() -> None:
    was, after = loan(on(2, 20)), loan(on(2, 20), Repaid(on(2, 1), 1, 112_00))
    assert (after.overdue, after.flows.penalty_charged, days_past_due(after)) == (0, 0, 0)
    assert Movement("penalty_income", "penalties", was.flows.penalty_charged) in postings_of(was.flows, after.flows)
    # Reversed again, everything is as it was.
    assert loan(on(2, 20), Repaid(on(2, 1), 1, 112_00), Reversed(on(2, 20), 2, 1)) == was


def test_money_that_comes_early_waits_for_the_due_date() -> None:
    early = Repaid(on(1, 20), 1, 112_00)
    assert loan(on(1, 31), early).flows.credit == 112_00
    assert loan(on(2, 1), early).flows.credit == 0
    assert loan(on(2, 20), early).overdue == 0


def test_more_than_everything_settles_the_loan_and_leaves_a_credit_to_return() -> None:
    # Half of January has earned 6.00.
    assert loan(on(1, 16)).payoff == 1206_00
    settled = loan(on(1, 16), Repaid(on(1, 16), 1, 1216_00))
    assert (settled.status, settled.flows.credit, settled.plan) == ("settled", 10_00, ())
    returned = loan(on(3, 1), Repaid(on(1, 16), 1, 1216_00), Returned(on(1, 17), 2, 10_00))
    assert (returned.status, returned.flows.credit) == ("settled", 0)
    # What was returned of money that then bounced is owed as well.
    bounced = loan(on(1, 17), Repaid(on(1, 16), 1, 1216_00), Returned(on(1, 17), 2, 10_00), Reversed(on(1, 18), 3, 1))
    assert (bounced.status, bounced.open[0].unpaid) == ("active", Parts(principal=10_00))
    assert bounced.payoff == 1200_00 + 6_40 + 10_00


def test_a_partial_prepayment_makes_fewer_installments_or_smaller_ones() -> None:
    first = Repaid(on(2, 1), 1, 112_00)
    fewer = loan(on(2, 1), first, Prepaid(on(2, 1), 2, 300_00, "installment"))
    assert [row.principal for row in fewer.plan] == [100_00] * 8
    assert fewer.plan[0].interest == 8_00
    smaller = loan(on(2, 1), first, Prepaid(on(2, 1), 2, 300_00, "term"))
    assert [row.principal for row in smaller.plan] == [72_73] * 10 + [72_70]
    # Within a period: 15 days on 1,200.00 and 15 on 1,100.00.
    within = loan(on(1, 16), Prepaid(on(1, 16), 1, 100_00, "term"))
    assert within.plan[0].interest == 6_00 + 5_50
    assert within.flows.accrued == 6_00
    # What is due is paid first.
    assert loan(on(2, 3), Prepaid(on(2, 3), 1, 112_00, "term")).plan == loan(on(2, 3), Repaid(on(2, 3), 1, 112_00)).plan


def test_a_prepayment_keeps_the_size_of_equal_installments_or_their_number() -> None:
    product = replace(PRODUCT, method="equal_installments")
    terms = replace(TERMS, product=product)
    facts = [PAID_OUT, Repaid(on(2, 1), 1, 106_62)]
    assert {row.total for row in replay(terms, facts, on(2, 1)).plan[:-1]} == {106_62}
    *kept, last = replay(terms, [*facts, Prepaid(on(2, 1), 2, 300_00, "installment")], on(2, 1)).plan
    assert [row.total for row in kept] == [106_62] * 7
    assert 0 < last.total <= 106_62
    *smaller, last = replay(terms, [*facts, Prepaid(on(2, 1), 2, 300_00, "term")], on(2, 1)).plan
    assert [row.total for row in smaller] == [77_68] * 10
    assert abs(last.total - 77_68) <= 11


def test_a_pause_stops_the_count_and_the_penalties() -> None:
    paused = [Paused(on(2, 11), 1), Resumed(on(3, 12), 2)]
    still = loan(on(3, 11), *paused)
    assert (still.flows.penalty_charged, days_past_due(still)) == (5_33, 10)
    state = loan(on(3, 12), *paused)
    # The second installment fell due within the pause, so that its days begin now.
    assert (state.flows.penalty_charged, [row.clock for row in state.open]) == (5_33, [on(3, 2), on(3, 12)])
    assert days_past_due(state) == 10
    assert days_past_due(loan(on(3, 15), *paused)) == 13
    # Twice is once, and what never began does not end.
    again = [Paused(on(2, 20), 3), Resumed(on(3, 20), 4), Resumed(on(1, 5), 5)]
    assert loan(on(3, 25), *paused, *again) == loan(on(3, 25), *paused)


def test_what_is_charged_off_is_off_the_books_and_still_owed_and_money_for_it_is_recovered() -> None:
    off = loan(on(1, 16), ChargedOff(on(1, 16), 1))
    books = balances_of(off.flows)
    assert (off.status, off.overdue, books["principal"], books["interest"]) == ("charged_off", 1206_00, 0, 0)
    assert (books["provision_expense"], books["allowance"]) == (1206_00, 0)
    assert loan(on(12, 1), ChargedOff(on(1, 16), 1)).overdue == 1206_00
    paid = loan(on(5, 1), ChargedOff(on(1, 16), 1), Repaid(on(4, 1), 2, 50_00))
    assert (paid.overdue, paid.flows.recovered, balances_of(paid.flows)["recovery_income"]) == (1156_00, 50_00, -50_00)
    given_up = loan(on(5, 1), ChargedOff(on(1, 16), 1), WrittenOff(on(4, 1), 2), Repaid(on(4, 2), 3, 1_00))
    assert (given_up.status, given_up.overdue, given_up.flows.recovered) == ("written_off", 0, 1_00)
    assert given_up.flows.lost == 1206_00
    # Nothing but money changes such a loan.
    assert loan(on(5, 1), WrittenOff(on(1, 16), 1), FeeCharged(on(2, 1), 2, 5_00)) == loan(
        on(5, 1), WrittenOff(on(1, 16), 1)
    )


def test_what_was_recovered_returned_and_then_reversed_is_lost() -> None:
    off, money = ChargedOff(on(1, 16), 1), Repaid(on(2, 1), 2, 1300_00)
    over = loan(on(2, 2), off, money, Returned(on(2, 2), 3, 94_00))
    assert (over.overdue, over.flows.credit, over.flows.recovered) == (0, 0, 1206_00)
    bounced = loan(on(2, 3), off, money, Returned(on(2, 2), 3, 94_00), Reversed(on(2, 3), 4, 2))
    assert (bounced.overdue, bounced.flows.credit, bounced.flows.recovered) == (1206_00, 0, -94_00)


def test_before_it_is_paid_out_a_loan_is_pending() -> None:
    state = replay(TERMS, [PAID_OUT], date(2023, 12, 31))
    assert (state.status, state.payoff, state.flows) == ("pending", 0, Flows())


def test_a_waiver_forgives_what_is_due_and_no_more() -> None:
    part = loan(on(2, 11), Waived(on(2, 11), 1, 2_00, "penalty"))
    assert part.open[0].unpaid == Parts(3_33, 0, 12_00, 100_00)
    assert balances_of(part.flows)["penalty_income"] == -3_33
    assert loan(on(2, 11), Waived(on(2, 11), 1, 999_00, "interest")).open[0].unpaid.interest == 0


def test_a_reschedule_spreads_all_unpaid_principal_anew() -> None:
    state = loan(on(3, 15), Rescheduled(on(3, 15), 1, 6, on(4, 15), 60_000))
    assert [row.principal for row in state.plan] == [200_00] * 6
    assert [(row.number, row.due.month) for row in state.plan] == [(n + 9, n) for n in range(4, 10)]
    # 14 days of March at 12 % on what was not due, then a month at 6 % on everything.
    assert state.plan[0].interest == 4_66 + 6_00
    assert [(row.unpaid.interest, row.unpaid.principal) for row in state.open] == [(12_00, 0), (11_00, 0)]
    assert [row.owed.principal for row in state.open] == [0, 0]
    for count, first_due, rate_ppm in ((6, on(3, 15), None), (0, None, None), (1201, None, None), (6, None, -1)):
        with pytest.raises(InvalidArgument):
            loan(on(3, 15), Rescheduled(on(3, 15), 1, count, first_due, rate_ppm))


def test_grace_is_over_once_its_installments_are_due_or_the_loan_is_rescheduled() -> None:
    terms = replace(TERMS, product=replace(PRODUCT, installments=(3, 24), principal_grace=2))
    paid = [PAID_OUT, Repaid(on(2, 1), 1, 12_00)]
    # One of the two is left after the first.
    prepaid = replay(terms, [*paid, Prepaid(on(2, 1), 2, 200_00, "term")], on(2, 1))
    assert [row.principal for row in prepaid.plan] == [0] + [100_00] * 10
    rescheduled = replay(terms, [*paid, Rescheduled(on(2, 1), 2, 12)], on(2, 1))
    assert [row.principal for row in rescheduled.plan] == [100_00] * 12


def test_a_fee_is_due_at_once_even_after_the_loan_was_settled() -> None:
    assert loan(on(1, 10), FeeCharged(on(1, 10), 1, 7_00)).open[0].unpaid == Parts(fee=7_00)
    after = loan(on(1, 20), Repaid(on(1, 16), 1, 1206_00), FeeCharged(on(1, 18), 2, 7_00))
    assert (after.status, after.payoff) == ("active", 7_00)


def test_each_change_is_posted_as_arrows_between_accounts() -> None:
    paid_out = loan(on(1, 1))
    assert postings_of(Flows(), paid_out.flows) == [
        Movement("principal", "funding", 1188_00),
        Movement("principal", "fee_income", 12_00),
        Movement("provision_expense", "allowance", 12_00),
    ]
    # 12.00 for 30 days is 40 cents for each.
    assert postings_of(paid_out.flows, loan(on(1, 2)).flows) == [Movement("interest", "interest_income", 40)]
    repaid = loan(on(2, 1), Repaid(on(2, 1), 1, 112_00))
    assert postings_of(loan(on(2, 1)).flows, repaid.flows) == [
        Movement("funding", "credit", 112_00),
        Movement("credit", "interest", 12_00),
        Movement("credit", "principal", 100_00),
        Movement("allowance", "provision_expense", 1_00),
    ]
    assert postings_of(repaid.flows, repaid.flows) == []


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "current"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "90+"),
    ],
)
def test_a_bucket_ends_where_the_next_begins(days: int, bucket: str) -> None:
    assert bucket_of(days) == bucket


def test_facts_that_make_no_loan_are_refused() -> None:
    with pytest.raises(InvalidArgument):
        replay(TERMS, [Repaid(on(1, 2), 1, 1_00)], on(2, 1))
    with pytest.raises(InvalidArgument):
        replay(TERMS, [PAID_OUT, Disbursed(on(1, 2), 1)], on(2, 1))
    with pytest.raises(InvalidArgument):
        replay(TERMS, [Disbursed(date(2023, 12, 31), 0)], on(2, 1))
    with pytest.raises(InvalidArgument):
        happen(opened(TERMS), TERMS, Disbursed(on(1, 2), 0))
    for minor in (0, -1, 10**15 + 1):
        with pytest.raises(InvalidArgument):
            Repaid(on(1, 2), 1, minor)
