"""A loan's statement: what each fact and the days between did, so that it sums up over any period."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bursar.features.lending.events import ChargedOff, Disbursed, Prepaid, Repaid, Reversed
from bursar.features.lending.loan_statement import Owed, owed_of, statement_of
from bursar.features.lending.product import Terms
from bursar.features.lending.replay import Event, replay
from tests.features.lending.fates import DAYS, END, START, events, terms
from tests.features.lending.test_stories import PAID_OUT, TERMS, on

BEFORE = START - timedelta(1)


@given(terms(), events(), DAYS, st.integers(0, 200))
def test_a_statement_leads_from_its_opening_to_its_closing_and_on_to_the_next(
    terms: Terms, events: list[Event], first: date, days: int
) -> None:
    last = min(first + timedelta(days), END)
    whole = statement_of(terms, events, START, END)
    before, period = statement_of(terms, events, START, first - timedelta(1)), statement_of(terms, events, first, last)
    after = statement_of(terms, events, last + timedelta(1), END)
    assert (whole.opening, whole.closing) == (Owed(), owed_of(replay(terms, events, END).flows))
    assert (before.closing, period.closing, after.closing) == (period.opening, after.opening, whole.closing)
    for statement in (whole, before, period, after):
        running = statement.opening
        for line in statement.lines:
            assert statement.first <= line.on <= statement.last
            running = Owed(*map(sum, zip(running, line.change, strict=True)))
            assert line.after == running
        assert running == statement.closing
    # A period has the facts that the whole has, each once.
    facts = [line for line in whole.lines if line.seq]
    assert [line.seq for part in (before, period, after) for line in part.lines if line.seq] == [f.seq for f in facts]
    assert len({(line.on, line.seq) for line in whole.lines}) == len(whole.lines)


@given(terms(), events())
def test_all_that_is_repaid_is_allocated(terms: Terms, events: list[Event]) -> None:
    for line in statement_of(terms, events, START, END).lines:
        if isinstance(line.event, Repaid | Prepaid):
            change = line.change
            paid = -(change.principal + change.interest + change.fees + change.penalties)
            assert paid + change.credit + change.recovered == (0 if line.is_undone else line.event.minor)


def test_what_was_paid_late_is_shown_with_what_it_cost_and_what_it_paid() -> None:
    paid = statement_of(TERMS, [PAID_OUT, Repaid(on(2, 11), 1, 50_00)], on(2, 1), on(2, 11))
    # 30 days of January are the whole month here.
    assert paid.opening == Owed(1200_00, 12_00)
    assert [(line.on, line.seq, line.change) for line in paid.lines] == [
        (on(2, 11), 0, Owed(interest=3_66, penalties=5_33)),
        (on(2, 11), 1, Owed(principal=-32_67, interest=-12_00, penalties=-5_33)),
    ]
    assert paid.closing == Owed(1167_33, 3_66)
    assert paid.closing.balance == 1170_99


def test_a_reversed_repayment_is_shown_and_did_nothing_and_money_for_a_lost_loan_is_recovered() -> None:
    facts: list[Event] = [
        PAID_OUT, Repaid(on(1, 11), 1, 50_00), Reversed(on(1, 12), 2, 1), ChargedOff(on(1, 16), 3),
        Repaid(on(1, 20), 4, 10_00),
    ]  # fmt: skip
    lines = {line.seq: line for line in statement_of(TERMS, facts, on(1, 1), on(1, 20)).lines if line.seq}
    assert (lines[1].is_undone, lines[1].change, lines[2].change) == (True, Owed(), Owed())
    assert lines[3].change == Owed(-1200_00, -6_00)
    assert lines[4].change == Owed(recovered=10_00)


def test_a_period_before_the_loan_was_paid_out_is_empty() -> None:
    statement = statement_of(TERMS, [Disbursed(TERMS.disbursed_on, 1)], date(2023, 12, 1), date(2023, 12, 31))
    assert (statement.opening, list(statement.lines), statement.closing) == (Owed(), [], Owed())
