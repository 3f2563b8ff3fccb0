"""Schedules sum exactly, have no negative part, and bear the interest that a count with fractions comes to."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bursar.features.lending.business_days import is_business_day
from bursar.features.lending.day_count import DAY_COUNTS, DayCount
from bursar.features.lending.product import Charge, Method, Product, Terms
from bursar.features.lending.rounding import share
from bursar.features.lending.schedule import Installment, schedule_of
from bursar.kernel.refusal import InvalidArgument

METHODS: tuple[Method, ...] = get_args(Method)


def _of_its_year(day: date) -> Fraction:
    return Fraction(1, (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days)


def thirty(start: date, first: int, end: date, last: int) -> Fraction:
    months = 12 * (end.year - start.year) + end.month - start.month
    return Fraction(months, 12) + Fraction(last - first, 360)


def bond_basis(start: date, end: date) -> Fraction:
    """The US rule in the order in which it is told: ends of February, then a last day of 31, then a first one."""
    ends = [day.month == 2 and (day + timedelta(1)).month == 3 for day in (start, end)]
    first, last = start.day, end.day
    if all(ends):
        last = 30
    if ends[0]:
        first = 30
    if last == 31 and first >= 30:
        last = 30
    return thirty(start, min(first, 30), end, last)


@dataclass(frozen=True)
class Oracle:
    """The parts of a year by another way than the engine's: a sum over days, or the rule's own formula in fractions."""

    convention: DayCount

    def year(self, start: date, end: date) -> Fraction:
        match self.convention:
            case "actual/360" | "actual/365":
                return Fraction((end - start).days, int(self.convention[-3:]))
            case "actual/actual":
                return sum((_of_its_year(start + timedelta(n)) for n in range((end - start).days)), Fraction(0))
            case "30E/360":
                return thirty(start, min(30, start.day), end, min(30, end.day))
            case "30/360":
                return bond_basis(start, end)

    def interest(self, balance: int, rate_ppm: int, start: date, end: date) -> int:
        exact = balance * Fraction(rate_ppm, 10**6) * self.year(start, end)
        whole = exact.numerator // exact.denominator
        return whole + (exact - whole >= Fraction(1, 2))


@st.composite
def loans(draw: st.DrawFn) -> Terms:
    count = draw(st.integers(1, 120))
    method = draw(st.sampled_from(METHODS))
    grace = draw(st.integers(0, min(count - 1, 5)))
    calendar = draw(st.sampled_from([None, "US", "DE-BY", "CZ"]))
    product = Product(
        currency="EUR",
        amount=(1, 10**12),
        installments=(count, count),
        rate_ppm=draw(st.integers(0, 600_000)),
        method=method,
        interest_on=draw(st.sampled_from(["declining", "flat"])),
        day_count=draw(st.sampled_from(DAY_COUNTS)),
        every=draw(st.integers(1, 4)),
        unit=draw(st.sampled_from(["week", "month"])),
        month_end=draw(st.booleans()),
        business_day=draw(st.sampled_from(["none", "following", "modified_following", "preceding"])),
        calendar=calendar,
        principal_grace=grace,
        interest_grace=draw(st.integers(0, grace)),
        interest_free=draw(st.integers(0, min(count, 5))),
        balloon_ppm=draw(st.integers(1, 900_000)) if method == "balloon" else 0,
        installment_fee=Charge(draw(st.integers(0, 500)), draw(st.integers(0, 20_000))),
    )
    start = draw(st.dates(date(1990, 1, 1), date(2060, 12, 31)))
    first = draw(st.none() | st.integers(8, 60).map(lambda days: start + timedelta(days)))
    return Terms(product, draw(st.integers(1, 10**12)), count, start, first)


def plain(principal: int, rate_ppm: int, count: int, every: int = 1) -> Terms:
    product = Product("EUR", (1, 10**12), (count, count), rate_ppm, every=every)
    return Terms(product, principal, count, date(2024, 1, 1))


# Its first installment has more interest than an installment is large.
LONG_FIRST_PERIOD = Terms(
    Product("EUR", (1, 10**9), (100, 100), 600_000, interest_on="flat", unit="week"),
    1_000_00,
    100,
    date(2024, 1, 1),
    date(2024, 4, 30),
)


@settings(max_examples=500, deadline=None)
@given(terms=loans())
@example(terms=plain(10, 0, 360))
@example(terms=plain(100_000, 10_000_000, 1200))
@example(terms=plain(1, 120_000, 12))
@example(terms=LONG_FIRST_PERIOD)
def test_a_schedule_sums_exactly_and_its_interest_is_that_of_the_oracle(terms: Terms) -> None:
    product, rows = terms.product, schedule_of(terms)
    assert sum(row.principal for row in rows) == terms.principal
    assert sum(row.interest for row in rows) == sum(row.earned for row in rows)
    assert all(min(row.principal, row.interest, row.fee, row.earned) >= 0 for row in rows)
    assert all(row.start <= row.due for row in rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    oracle, balance = Oracle(product.day_count), terms.principal
    for row in rows:
        base = terms.principal if product.interest_on == "flat" else balance
        rate_ppm = 0 if row.number <= product.interest_free else product.rate_ppm
        assert row.earned == oracle.interest(base, rate_ppm, row.start, row.due)
        balance -= row.principal


@settings(max_examples=500, deadline=None)
@given(terms=loans())
@example(terms=plain(10, 0, 360))
@example(terms=plain(100_000, 10_000_000, 1200))
@example(terms=plain(123_456_789, 600_000, 120, every=4))
def test_the_last_installment_is_within_one_installment_of_the_others(terms: Terms) -> None:
    product, rows = terms.product, schedule_of(terms)
    if product.method == "interest_only":
        return
    levelled = [_levelled(row, product) for row in rows[product.principal_grace :]]
    *others, last = levelled
    last -= share(terms.principal, product.balloon_ppm) if len(rows) == terms.installments else 0
    # Where there are fewer minor units than installments, an installment is one or none.
    assert not others or abs(last - max(others)) <= max([1, *others])
    if product.principal_grace or product.interest_on == "flat" or not others:
        return
    # None is far from another but where the first period is longer or shorter than all others.
    assert max(others) - min(others) <= max(1, len(others) // 10)
    assert abs(last - others[-1]) <= len(rows)


def _levelled(row: Installment, product: Product) -> int:
    return row.principal if product.method == "equal_principal" else row.principal + row.interest


def test_interest_only_pays_the_principal_last_and_a_balloon_leaves_its_share_to_the_last() -> None:
    only = Product("USD", (1, 10**9), (12, 12), 60_000, method="interest_only")
    rows = schedule_of(Terms(only, 1_000_000, 12, date(2025, 1, 15)))
    assert [row.principal for row in rows] == [0] * 11 + [1_000_000]
    assert {row.interest for row in rows} == {5_000}
    balloon = Product("USD", (1, 10**9), (12, 12), 60_000, method="balloon", balloon_ppm=400_000)
    rows = schedule_of(Terms(balloon, 1_000_000, 12, date(2025, 1, 15)))
    assert {row.principal + row.interest for row in rows[:-1]} == {53_640}
    assert abs(rows[-1].principal + rows[-1].interest - 400_000 - 53_640) <= 12


def test_grace_puts_off_principal_and_interest_and_free_installments_bear_none() -> None:
    product = Product(
        "USD",
        (1, 10**9),
        (6, 6),
        120_000,
        principal_grace=2,
        interest_grace=1,
        interest_free=1,
        method="equal_principal",
    )
    rows = schedule_of(Terms(product, 120_000, 6, date(2025, 1, 1)))
    assert [row.principal for row in rows] == [0, 0, 30_000, 30_000, 30_000, 30_000]
    assert [row.interest for row in rows] == [0, 1_200, 1_200, 900, 600, 300]
    put_off = Product("USD", (1, 10**9), (6, 6), 120_000, principal_grace=2, interest_grace=2)
    rows = schedule_of(Terms(put_off, 120_000, 6, date(2025, 1, 1)))
    assert [row.total for row in rows[:2]] == [0, 0]
    assert [row.earned for row in rows[:3]] == [1_200, 1_200, 1_200]
    assert rows[2].interest == 3_600
    assert max(row.total for row in rows[2:]) - min(row.total for row in rows[2:]) <= 6


@pytest.mark.parametrize(
    ("changes", "start", "dues"),
    [
        ({}, date(2024, 1, 31), ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ({}, date(2023, 11, 30), ["2023-12-30", "2024-01-30", "2024-02-29"]),
        ({"month_end": True}, date(2023, 11, 30), ["2023-12-31", "2024-01-31", "2024-02-29"]),
        ({"every": 2, "unit": "week"}, date(2024, 2, 20), ["2024-03-05", "2024-03-19", "2024-04-02"]),
        # 31 August and 30 November 2024 are Saturdays.
        ({"every": 3, "business_day": "following"}, date(2024, 2, 29), ["2024-05-29", "2024-08-29", "2024-11-29"]),
        ({"business_day": "following"}, date(2024, 7, 31), ["2024-09-02", "2024-09-30", "2024-10-31"]),
        ({"business_day": "modified_following"}, date(2024, 7, 31), ["2024-08-30", "2024-09-30", "2024-10-31"]),
        ({"business_day": "preceding"}, date(2024, 7, 31), ["2024-08-30", "2024-09-30", "2024-10-31"]),
        # The first Monday of September is Labor Day in the US, and 25 December is a holiday.
        (
            {"business_day": "following", "calendar": "US"},
            date(2024, 7, 31),
            ["2024-09-03", "2024-09-30", "2024-10-31"],
        ),
        (
            {"business_day": "preceding", "calendar": "CZ"},
            date(2024, 11, 26),
            ["2024-12-23", "2025-01-24", "2025-02-26"],
        ),
    ],
)
def test_due_dates_keep_to_the_rules_of_month_ends_and_business_days(
    changes: dict[str, object], start: date, dues: list[str]
) -> None:
    product = Product("USD", (1, 10**9), (3, 3), 0, **changes)  # pyright: ignore[reportArgumentType] # A case's changes.
    rows = schedule_of(Terms(product, 300, 3, start))
    assert [row.due.isoformat() for row in rows] == dues


def test_no_installment_is_due_before_the_loan_is_paid_out() -> None:
    product = Product("USD", (1, 10**9), (2, 2), 0, unit="week", business_day="preceding")
    # Paid out on a Saturday; the Sunday after is no business day, nor is any day between.
    rows = schedule_of(Terms(product, 300, 2, date(2024, 6, 1), date(2024, 6, 2)))
    assert [row.due for row in rows] == [date(2024, 6, 1), date(2024, 6, 7)]


def test_holidays_are_those_of_the_calendar() -> None:
    assert not is_business_day(date(2024, 11, 28), "US")
    assert is_business_day(date(2024, 11, 28), "DE-BY")
    # Corpus Christi is a holiday of Bavaria and not of Berlin.
    assert not is_business_day(date(2024, 5, 30), "DE-BY")
    assert is_business_day(date(2024, 5, 30), "DE-BE")


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"amount": (0, 5)}, "amount"),
        ({"installments": (5, 2)}, "installments"),
        ({"rate_ppm": -1}, "rate_ppm"),
        ({"every": 0}, "every"),
        ({"every": 52, "installments": (1, 1200)}, "installments"),
        ({"method": "balloon"}, "balloon_ppm"),
        ({"interest_grace": 1}, "interest_grace"),
        ({"allocation": ("principal", "interest", "fee", "fee")}, "allocation"),
        ({"installment_fee": Charge(-1)}, "installment_fee.minor"),
        ({"business_day": "following", "calendar": "XX"}, "calendar"),
        ({"calendar": "DE-XX"}, "calendar"),
        ({"calendar": "HolidayBase"}, "calendar"),
    ],
)
def test_terms_that_make_no_loan_are_refused(changes: dict[str, object], argument: str) -> None:
    values: dict[str, object] = {"amount": (1, 100), "installments": (1, 12), **changes}
    with pytest.raises(InvalidArgument) as refused:
        Product("USD", rate_ppm=values.pop("rate_ppm", 0), **values)  # pyright: ignore[reportArgumentType] # A case's.
    assert refused.value.argument == argument


def test_a_loan_that_the_product_does_not_offer_is_refused() -> None:
    product = Product("USD", (100, 200), (2, 4), 0, disbursement_fee=Charge(150))
    for principal, count, first in (
        (99, 2, None),
        (201, 2, None),
        (200, 5, None),
        (200, 2, date(2024, 1, 1)),
        (120, 2, None),
    ):
        with pytest.raises(InvalidArgument):
            Terms(product, principal, count, date(2024, 1, 1), first)
    assert Terms(product, 200, 2, date(2024, 1, 1), date(2024, 1, 2))
    for start, first in ((date(9999, 12, 1), None), (date(1, 1, 1), None), (date(2024, 1, 1), date(9999, 12, 1))):
        with pytest.raises(InvalidArgument):
            Terms(product, 200, 2, start, first)
