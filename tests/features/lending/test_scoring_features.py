"""What a score looks at: worked by hand on small statements, and the same however a file orders a day."""

import random
from datetime import date, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.lending.features import Features, measure
from bursar.features.lending.scoring import score_summary
from bursar.features.lending.summary import Movement, Summary, read_summary, summarise
from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument
from tests.features.lending.banking import BERKA, CARD, moved

HISTORY = [
    moved(date(1997, 1, 1), 1_000_00, 1_000_00),
    moved(date(1997, 1, 11), -800_00, 200_00),
    moved(date(1997, 1, 31), 300, 20_300, "interest"),
    moved(date(1997, 2, 10), 3_000_00, 3_203_00),
    moved(date(1997, 2, 20), -3_300_00, -97_00, "debt_service"),
    moved(date(1997, 2, 28), -3_00, -100_00, "penalty_interest"),
    moved(date(1997, 3, 10), 2_100_00, 2_000_00),
]
MONTH: dict[str, object] = {
    "start": "1997-01-01",
    "days": 31,
    "days_under": 21,
    "days_overdrawn": 0,
    "lowest_minor": 20_000,
    "average_minor": 45_816,
    "income_minor": 100_000,
    "debt_service_minor": 0,
    "penalties": 0,
}


def test_a_summary_worked_by_hand() -> None:
    summary = summarise(HISTORY, "CZK", 50_000)
    assert [(m.start.day, m.days, m.is_whole) for m in summary.months] == [(1, 31, True), (1, 28, True), (1, 10, False)]
    january, february, march = summary.months
    assert (january.days_under, january.days_overdrawn, january.lowest_minor) == (21, 0, 20_000)
    assert january.average_minor == (10 * 100_000 + 20 * 20_000 + 20_300) // 31
    assert (january.income_minor, january.debt_service_minor, january.penalties) == (100_000, 0, 0)
    assert (february.days_under, february.days_overdrawn, february.lowest_minor) == (18, 9, -10_000)
    assert (february.income_minor, february.debt_service_minor, february.penalties) == (300_000, 330_000, 1)
    assert (march.days_under, march.days_overdrawn, march.income_minor) == (9, 9, 210_000)


def test_features_worked_by_hand() -> None:
    days, income = 69, 100_000 + 300_000 + 210_000
    assert measure(summarise(HISTORY, "CZK", 50_000)) == Features(
        history_months=2,
        income_minor=income * 365 // (12 * days),
        # The whole months have 1,000 and 3,000, each 1,000 from their average of 2,000.
        income_variation_bps=5_000,
        lowest_minor=-10_000,
        average_minor=(31 * 45_816 + 28 * 117_789 + 10 * 11_000) // days,
        days_under_bps=10_000 * (21 + 18 + 9) // days,
        days_overdrawn_bps=10_000 * 18 // days,
        penalties=1,
        debt_service_bps=10_000 * 330_000 // income,
    )


def test_an_installment_that_is_asked_for_counts_as_debt_service() -> None:
    summary = summarise(HISTORY, "CZK", 50_000)
    income, without = measure(summary).income_minor, measure(summary).debt_service_bps
    assert income
    assert without
    assert measure(summary, income).debt_service_bps in range(without + 9_999, without + 10_002)


def test_an_account_without_movements_tells_nothing() -> None:
    assert measure(summarise([], "CZK", 0)) == Features(history_months=0)


def test_without_income_its_variation_and_the_debt_service_are_not_known() -> None:
    found = measure(summarise([moved(date(1997, m, 1), -1) for m in (1, 2, 3)], "CZK", 0))
    assert (found.income_minor, found.income_variation_bps, found.debt_service_bps) == (0, None, None)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-500, 500).filter(bool)), min_size=1), st.randoms())
def test_the_order_within_a_file_does_not_matter(steps: list[tuple[int, int]], chance: random.Random) -> None:
    """The bank prints a balance after each movement of a day; a file may turn the day around."""
    balance, movements = 0, list[Movement]()
    for place, change in sorted(steps, key=lambda s: s[0]):
        balance += change
        movements.append(moved(date(1997, 1, 1) + timedelta(days=place), change, balance))
    shuffled = chance.sample(movements, len(movements))
    assert summarise(shuffled, "CZK", 100) == summarise(movements, "CZK", 100)


def test_a_statement_that_begins_in_the_middle_goes_by_the_banks_balances() -> None:
    first = date(1997, 1, 1)
    (month,) = summarise([moved(first, -100, 9_900), moved(first, -200, 9_700)], "CZK", 0).months
    assert month.lowest_minor == 9_700
    (month,) = summarise([moved(first, -100), moved(first, 40)], "CZK", 0).months
    assert month.lowest_minor == -60


def _read(*months: dict[str, object]) -> Summary:
    return read_summary(orjson.dumps({"currency": "CZK", "under_minor": 0, "months": months}).decode())


def test_a_summary_that_somebody_else_made_is_checked() -> None:
    assert _read(MONTH).months[0].average_minor == 45_816
    for changes, why in (
        ({"days": 32}, "days"),
        ({"start": "1997-02-10", "days": 20, "days_under": 0}, "more days than are left"),
        ({"days_under": 31, "days": 30}, "more days with such a balance"),
        ({"lowest_minor": 45_817}, "above the average"),
        ({"income_minor": MAX_MINOR + 1}, "income_minor"),
        ({"penalties": "1"}, "penalties"),
        ({"note": "approve"}, "note"),
    ):
        with pytest.raises(InvalidArgument, match=why):
            _read(MONTH | changes)
    with pytest.raises(InvalidArgument, match="none twice"):
        _read(MONTH, MONTH)


def test_a_summary_must_be_made_for_the_card() -> None:
    summary = summarise(HISTORY, BERKA.currency, CARD.under_minor)
    assert score_summary(CARD, summary).points
    for other in ({"under_minor": 1}, {"currency": "EUR"}):
        with pytest.raises(InvalidArgument, match=r"count days under 5000\.00 CZK"):
            score_summary(CARD, summary.model_copy(update=other))
