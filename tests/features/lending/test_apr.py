"""Annual percentage rates: the examples of Regulation Z, the EU rule, and another library's figures."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.features.lending.apr import Flow, apr_eu, apr_us, flows_of
from bursar.features.lending.calendar import add_months
from bursar.features.lending.product import Charge, Product, Terms, Unit
from bursar.features.lending.schedule import schedule_of
from bursar.kernel.refusal import InvalidArgument


def monthly(first: date, count: int, minor: int, every: int = 1) -> list[Flow]:
    return [(add_months(first, n * every), minor) for n in range(count)]


def weekly(first: date, count: int, minor: int, every: int = 1) -> list[Flow]:
    return [(first + timedelta(weeks=n * every), minor) for n in range(count)]


# Regulation Z, Appendix J to Part 1026 (12 CFR), section (c), examples for the actuarial method.
REGULATION_Z: dict[str, tuple[Flow, Sequence[Flow], int, Unit, str]] = {
    "c1i": ((date(1978, 1, 10), 5000_00), monthly(date(1978, 2, 10), 24, 230_00), 1, "month", "9.69"),
    "c1ii": ((date(1978, 2, 10), 6000_00), monthly(date(1978, 4, 1), 36, 200_00), 1, "month", "11.82"),
    "c1iv": ((date(1978, 5, 23), 10000_00), monthly(date(1978, 10, 1), 40, 385_00, 3), 3, "month", "8.97"),
    "c1v": ((date(1978, 3, 20), 500_00), weekly(date(1978, 4, 21), 30, 17_60), 1, "week", "14.96"),
    "c2i": (
        (date(1978, 1, 10), 5000_00),
        [(date(1978, 2, 10), 250_00), *monthly(date(1978, 3, 10), 23, 230_00)], 1, "month", "10.08",
    ),
    "c2ii": (
        (date(1978, 3, 18), 400_00),
        [(date(1978, 4, 20), 39_50), *weekly(date(1978, 5, 18), 11, 38_31, 4)], 4, "week", "28.50",
    ),
    "c3i": (
        (date(1978, 1, 10), 5000_00),
        [*monthly(date(1978, 2, 10), 23, 230_00), (date(1980, 1, 10), 280_00)], 1, "month", "10.50",
    ),
    "c3ii": (
        (date(1978, 4, 3), 200_00),
        [*weekly(date(1978, 4, 11), 19, 9_50, 2), (date(1979, 1, 2), 30_00)], 2, "week", "12.22",
    ),
    "c4i": (
        (date(1978, 1, 10), 5000_00),
        [(date(1978, 2, 10), 250_00), *monthly(date(1978, 3, 10), 22, 230_00), (date(1980, 1, 10), 280_00)],
        1, "month", "10.90",
    ),
    "c4ii": (
        (date(1978, 1, 10), 8000_00),
        [(date(1978, 3, 1), 449_36), *monthly(date(1978, 5, 1), 18, 465_00, 2), (date(1981, 5, 1), 200_00)],
        2, "month", "7.30",
    ),
    "c5i": ((date(1978, 1, 3), 1000_00), [(date(1978, 9, 15), 1080_00)], 1, "month", "11.45"),
}  # fmt: skip


@pytest.mark.parametrize("example", REGULATION_Z)
def test_the_us_rate_is_that_of_regulation_z(example: str) -> None:
    lent, paid, every, unit, published = REGULATION_Z[example]
    assert f"{apr_us(lent, paid, every, unit) / 10_000:.2f}" == published


def test_one_payment_after_more_than_a_year_is_counted_in_years() -> None:
    # 1.1 squared after two years; simple interest for the half of a year that is left at the start.
    lent = (date(2024, 1, 1), 1000_00)
    assert apr_us(lent, [(date(2026, 1, 1), 1210_00)], 1, "month") == 100_000
    assert apr_us(lent, [(date(2025, 7, 1), 1155_00)], 1, "month") == 100_000
    assert apr_us(lent, [(date(2025, 1, 1), 1100_00)], 1, "month") == 100_000


def test_the_european_rate_is_that_of_the_directive_s_rule() -> None:
    # One year, 1,000.00 for 1,100.00, is 10 % however the year is counted.
    assert apr_eu((date(2025, 1, 1), 1000_00), [(date(2026, 1, 1), 1100_00)]) == 100_000
    # Nothing but what was lent costs nothing.
    assert apr_eu((date(2025, 1, 1), 1000_00), monthly(date(2025, 2, 1), 10, 100_00)) == 0
    # Months are twelfths of a year, however long: 1.045 a month for twelve of them.
    assert apr_eu((date(2024, 1, 31), 1000_00), [(date(2024, 2, 29), 1045_00)]) == round((1.045**12 - 1) * 1e6)
    assert apr_eu((date(2012, 10, 10), 500_00), [(date(2012, 10, 15), 510_00)]) == round((1.02**73 - 1) * 1e6)


@settings(max_examples=150, deadline=None)
@given(st.integers(1_000, 10**9), st.integers(1, 120), st.integers(1, 900_000), st.integers(0, 100_000))
def test_both_rates_are_those_of_another_library(minor: int, count: int, rate_ppm: int, fee_ppm: int) -> None:
    product = Product("EUR", (1, 10**9), (count, count), rate_ppm, disbursement_fee=Charge(ppm=fee_ppm))
    terms = Terms(product, minor, count, date(2025, 3, 10))
    lent, paid = flows_of(terms, schedule_of(terms))
    by_month = {(day.year - 2025) * 12 + day.month - 3: float(sum_) for day, sum_ in paid}
    irr = pyxirr.irr([-lent[1], *(by_month.get(n, 0.0) for n in range(1, count + 1))])
    assert irr is not None
    assert apr_eu(lent, paid) == pytest.approx(((1 + irr) ** 12 - 1) * 1e6, rel=1e-6, abs=2)
    if len(paid) > 1:
        assert apr_us(lent, paid, 1, "month") == pytest.approx(irr * 12 * 1e6, rel=1e-6, abs=2)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4_000), st.integers(1, 10**7)), min_size=1, max_size=40), st.integers(1, 99))
def test_the_european_rate_of_odd_days_is_that_of_another_library(rows: list[tuple[int, int]], percent: int) -> None:
    start = date(2025, 1, 31)
    # A payment on an odd day keeps it from being a loan of whole months or weeks.
    paid = [(start + timedelta(days), minor) for days, minor in [*rows, (5, 10)]]
    sum_lent = max(1, sum(minor for _, minor in paid) * percent // 100)
    rate = pyxirr.xirr([start, *(day for day, _ in paid)], [-sum_lent, *(float(minor) for _, minor in paid)])
    if rate is not None and rate < 1e6:
        assert apr_eu((start, sum_lent), paid) == pytest.approx(rate * 1e6, rel=1e-6, abs=2)


def test_what_is_no_loan_has_no_rate() -> None:
    start = date(2025, 1, 1)
    for lent, paid in (
        (100, []),
        (100, [(start, 100)]),
        (101, [(date(2025, 2, 1), 100)]),
        (0, [(date(2025, 2, 1), 100)]),
    ):
        with pytest.raises(InvalidArgument):
            apr_eu((start, lent), paid)
        with pytest.raises(InvalidArgument):
            apr_us((start, lent), paid, 1, "month")
