"""Ids sort by their time, and a text is an id of its kind or none."""

import subprocess
import sys
import time
from uuid import UUID

import pytest

from bursar.kernel.ids import new_id, read, show


def test_an_id_is_a_uuid_of_version_7_that_holds_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= after


def test_ids_are_in_the_order_of_their_making() -> None:
    made: list[UUID] = []
    while len(made) < 200:
        made.append(new_id())
        moment = time.time_ns()
        # The order is kept to a quarter of a microsecond; within it chance decides.
        while time.time_ns() < moment + 1_000:
            pass
    assert made == sorted(made)


def test_ids_are_told_apart_even_within_one_moment() -> None:
    assert len({new_id(0) for _ in range(20_000)}) == 20_000


def test_a_forked_process_draws_other_ids_than_its_parent() -> None:
    program = """
import os
from bursar.kernel.ids import new_id
new_id()
child = os.fork()
made = [new_id(0).hex[-15:] for _ in range(100)]
if child:
    os.waitpid(child, 0)
print(*made, flush=True)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert len(set(told.stdout.split())) == 200


def test_an_id_made_for_a_moment_holds_that_moment() -> None:
    assert new_id(1_700_000_000_123).int >> 80 == 1_700_000_000_123


def test_a_shown_id_is_read_back() -> None:
    made = new_id()
    assert read("tr", show("tr", made)) == made


@pytest.mark.parametrize("text", [
    "", "tr", "tr_", "tr_0", "TR_" + "0" * 32, "tr_" + "0" * 31, "tr_" + "0" * 33, "tr_" + "G" * 32, "tr_" + "A" * 32,
    "acct_" + "0" * 32, "0" * 32, "tr-" + "0" * 32, " tr_" + "0" * 32, "tr_" + "0" * 32 + "\n", "tr_" + "\uff10" * 32,
    "tr_00000000-0000-0000-0000-000000000000", "tr_" + "0" * 31 + "\0",
])  # fmt: skip
def test_any_other_text_is_no_id(text: str) -> None:
    assert read("tr", text) is None
