"""A new version of the rules runs in the shadow of the old one, and the comparison says what would change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.risk.model import Assessment, Change, Comparison, Outcome
from bursar.features.risk.score import compare

OUTCOMES: tuple[Outcome, ...] = ("allow", "needs_approval", "step_up", "deny")


def assessed(version: int, *outcomes: Outcome) -> list[Assessment]:
    return [Assessment(version, 0, outcome, ()) for outcome in outcomes]


def test_changes_are_counted_by_what_became_what() -> None:
    old = assessed(1, "allow", "allow", "deny", "allow", "step_up")
    new = assessed(2, "allow", "needs_approval", "allow", "needs_approval", "step_up")
    assert compare(old, new) == Comparison(
        payments=5,
        unchanged=2,
        changes=[Change("allow", "needs_approval", 2, [1, 3]), Change("deny", "allow", 1, [2])],
    )


def test_only_the_first_five_are_examples() -> None:
    (change,) = compare(assessed(1, "allow") * 7, assessed(2, "deny") * 7).changes
    assert (change.payments, change.examples) == (7, [0, 1, 2, 3, 4])


@given(st.lists(st.tuples(st.sampled_from(OUTCOMES), st.sampled_from(OUTCOMES))))
def test_every_payment_is_counted_once(outcomes: list[tuple[Outcome, Outcome]]) -> None:
    old: list[Outcome] = [before for before, _ in outcomes]
    new: list[Outcome] = [after for _, after in outcomes]
    found = compare(assessed(1, *old), assessed(2, *new))
    assert found.unchanged + sum(c.payments for c in found.changes) == found.payments == len(outcomes)
    assert all(c.old != c.new for c in found.changes)


def test_different_payments_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare(assessed(1, "allow", "deny"), assessed(2, "allow"))
