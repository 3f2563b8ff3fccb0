"""Which mandate covers an agent: the closest, and a pause takes nothing out of the choice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.core.authority.covering import chain_for
from bursar.core.authority.mandate import Mandate, MandateStatus
from bursar.core.authority.refusals import MandateMissing
from tests.core.authority.mandates import NOW, mandate

BUYER, OTHER = UUID(int=0xB), UUID(int=0xC)
OWN: dict[str, Any] = {"agent_id": BUYER}
TEAMS: dict[str, Any] = {"team": "buyers"}
ALL: dict[str, Any] = {}


def chosen(known: Sequence[Mandate], named: Mandate | None = None) -> list[int]:
    """The numbers of the mandates that a buyer's payment is decided by."""
    return [m.id.int for m in chain_for(BUYER, "buyers", known, named and named.id)]


@pytest.mark.parametrize(("near", "wide"), [(OWN, TEAMS), (OWN, ALL), (TEAMS, ALL)])
def test_a_paused_mandate_holds_against_a_wider_one_named_or_not(near: dict[str, Any], wide: dict[str, Any]) -> None:
    known = [mandate(1, **near, status="paused"), mandate(2, **wide)]
    assert chosen(known) == chosen(known, known[0]) == chosen(known, known[1]) == [1]


@pytest.mark.parametrize("status", ["revoked", "draft"])
def test_what_was_taken_away_or_never_given_leaves_the_next_wider_one(status: MandateStatus) -> None:
    known = [mandate(1, **OWN, status=status), mandate(2, **TEAMS), mandate(3)]
    assert chosen(known) == [2]
    assert chosen(known, known[2]) == [3]


@pytest.mark.parametrize(
    "time",
    [{"expires_at": NOW - timedelta(days=1)}, {"not_before": NOW + timedelta(days=1)}],
    ids=["over", "not begun"],
)
def test_no_clock_gives_an_agent_a_wider_mandate(time: dict[str, Any]) -> None:
    assert chosen([mandate(1, **OWN, **time), mandate(2)]) == [1]


def test_of_two_the_paused_one_stops_nothing_that_is_named_beside_it() -> None:
    paused, beside, wide = known = [mandate(1, **OWN, status="paused"), mandate(2, **OWN), mandate(3)]
    assert chosen(known, beside) == [2]
    assert chosen(known, paused) == chosen(known, wide) == [1]
    with pytest.raises(MandateMissing, match="More than one mandate of yours"):
        chosen(known)


def test_what_is_below_a_paused_mandate_is_paused_with_it() -> None:
    above = mandate(1, agent_id=OTHER, status="paused")
    mine, wide = mandate(2, **OWN, parent_id=above.id), mandate(3)
    known = [above, mine, wide]
    assert chosen(known) == chosen(known, wide) == [2, 1]
    assert chosen([replace(above, status="revoked"), mine, wide], wide) == [3]


def test_a_paused_mandate_holds_neither_for_a_closer_one_nor_for_others() -> None:
    assert chosen([mandate(1, **OWN), mandate(2, **TEAMS, status="paused"), mandate(3)]) == [1]
    of_others = [mandate(1, agent_id=OTHER, status="paused"), mandate(2, team="sellers", status="paused")]
    assert chosen([*of_others, mandate(3)]) == [3]


def test_where_none_stands_one_that_is_over_says_so() -> None:
    assert chosen([mandate(1, **OWN, status="revoked"), mandate(2, **TEAMS, status="revoked")]) == [1]
    for known in ([], [mandate(1, agent_id=OTHER)]):
        with pytest.raises(MandateMissing, match="You have no mandate"):
            chosen(known)
    with pytest.raises(MandateMissing, match="You have no such mandate"):
        chosen([mandate(1, **OWN)], mandate(2))


@given(
    st.lists(
        st.tuples(st.sampled_from([OWN, OWN, TEAMS, ALL, {"agent_id": OTHER}]), st.integers(0, 4),
                  st.sampled_from(["active", "active", "paused", "revoked", "draft"])),
        min_size=1, max_size=5,
    ),
    st.none() | st.integers(0, 4), st.integers(0, 4),
)  # fmt: skip
def test_a_pause_lets_nothing_go_that_would_not_have_gone_without_it(
    rows: list[tuple[dict[str, Any], int, MandateStatus]], named: int | None, pausing: int
) -> None:
    before = [
        mandate(n, **whose, status=status, parent_id=UUID(int=above) if 0 < above < n else None)
        for n, (whose, above, status) in enumerate(rows, 1)
    ]
    after = [replace(m, status="paused") if n == pausing and m.status == "active" else m for n, m in enumerate(before)]
    asked = None if named is None else before[min(named, len(before) - 1)]
    goes = _under(after, asked)
    assert goes is None or goes == _under(before, asked)


def _under(known: Sequence[Mandate], named: Mandate | None) -> list[Mandate] | None:
    """What it goes under, if it goes."""
    try:
        chain = chain_for(BUYER, "buyers", known, named and named.id)
    except MandateMissing:
        return None
    return chain if all(m.status == "active" for m in chain) else None
