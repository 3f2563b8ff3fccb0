"""What is used of a limit, as a process remembers it by pieces of time."""

from datetime import timedelta

import pytest

from bursar.core.authority.facts import NOTHING_USED, Used
from bursar.core.authority.rulebook import Pieces
from bursar.core.authority.turn_store import Piece
from bursar.kernel.db import Unforeseen
from tests.core.authority.mandates import NOW

SECOND = timedelta(seconds=1)


def test_pieces_of_time_that_are_over_count_no_more() -> None:
    pieces = Pieces({NOW - SECOND: Piece(5, 1, 0), NOW: Piece(3, 2, 4)}, NOW - SECOND)
    assert pieces.since(NOW - SECOND) == Used(8, 3)
    assert pieces.use(NOW, Used(2, 1)) == 4
    assert pieces.since(NOW - SECOND) == Used(10, 4)
    assert pieces.since(NOW) == Used(5, 3)
    assert pieces.use(NOW + SECOND, Used(1, 1)) == 0
    assert (pieces.since(NOW), pieces.since(NOW + SECOND)) == (Used(6, 4), Used(1, 1))
    assert pieces.since(NOW + 2 * SECOND) == NOTHING_USED


def test_what_was_forgotten_is_not_taken_for_nothing_when_a_clock_is_set_back() -> None:
    found = Pieces({}, NOW)
    with pytest.raises(Unforeseen):
        found.since(NOW - SECOND)
    later = Pieces({NOW: Piece(5, 1, 0)}, NOW)
    assert later.since(NOW + SECOND) == NOTHING_USED
    with pytest.raises(Unforeseen):
        later.since(NOW)
