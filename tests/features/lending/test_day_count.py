"""Parts of a year by each convention, at the days where they differ."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.lending.day_count import BASIS, DAY_COUNTS, DayCount, units


@pytest.mark.parametrize(
    ("convention", "start", "end", "part"),
    [
        # ISDA, EMU and Market Conventions: Recent Developments (1998), the semi-annual and the long first period.
        ("actual/actual", date(2003, 11, 1), date(2004, 5, 1), Fraction(61, 365) + Fraction(121, 366)),
        ("actual/actual", date(1999, 2, 1), date(1999, 7, 1), Fraction(150, 365)),
        ("actual/actual", date(2023, 1, 1), date(2025, 1, 1), Fraction(2)),
        ("actual/360", date(2024, 2, 1), date(2024, 3, 1), Fraction(29, 360)),
        ("actual/365", date(2024, 1, 1), date(2025, 1, 1), Fraction(366, 365)),
        ("30/360", date(2024, 1, 30), date(2024, 1, 31), Fraction(0)),
        ("30/360", date(2024, 1, 29), date(2024, 1, 31), Fraction(2, 360)),
        ("30E/360", date(2024, 1, 29), date(2024, 1, 31), Fraction(1, 360)),
        ("30/360", date(2023, 2, 28), date(2023, 3, 31), Fraction(30, 360)),
        ("30E/360", date(2023, 2, 28), date(2023, 3, 31), Fraction(32, 360)),
        ("30/360", date(2023, 2, 28), date(2024, 2, 29), Fraction(1)),
        ("30E/360", date(2023, 2, 28), date(2024, 2, 29), Fraction(361, 360)),
    ],
)
def test_a_part_of_a_year_is_what_the_convention_says(
    convention: DayCount, start: date, end: date, part: Fraction
) -> None:
    assert Fraction(units(convention, start, end), BASIS[convention]) == part


@given(st.sampled_from(DAY_COUNTS), st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 900))
def test_a_later_day_is_never_a_smaller_part(convention: DayCount, start: date, length: int) -> None:
    end = start + timedelta(length)
    assert 0 <= units(convention, start, end) <= units(convention, start, end + timedelta(1))
