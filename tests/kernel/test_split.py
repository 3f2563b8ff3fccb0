"""A split has parts that sum to the whole, each within a minor unit of what is fair."""

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bursar.kernel.money import MAX_MINOR, split

WEIGHTS = st.lists(st.integers(1, 10**15), min_size=1, max_size=100)


@given(st.integers(0, MAX_MINOR), WEIGHTS)
def test_parts_sum_to_the_whole_and_each_is_fair(minor: int, weights: list[int]) -> None:
    parts = split(minor, weights)
    assert sum(parts) == minor
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(minor * weight, total)) < 1


@given(st.integers(0, MAX_MINOR), WEIGHTS)
def test_who_has_more_weight_pays_no_less_and_equals_differ_by_a_unit(minor: int, weights: list[int]) -> None:
    parts = split(minor, weights)
    ranked = sorted(zip(weights, parts, strict=True))
    for (lighter, less), (heavier, more) in itertools.pairwise(ranked):
        assert more >= less if heavier > lighter else abs(more - less) <= 1


def test_what_is_left_goes_to_those_who_lost_most_and_then_to_the_first() -> None:
    assert split(10_000, [1, 1, 1]) == [3_334, 3_333, 3_333]
    assert split(100, [1, 2, 4]) == [14, 29, 57]
    assert split(0, [1, 2]) == [0, 0]
    assert split(7, [7]) == [7]
    # Weights that are amounts come back as they are.
    assert split(600, [100, 200, 300]) == [100, 200, 300]
