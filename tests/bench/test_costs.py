"""What a measurement costs is charged to whoever used it, and to nobody else."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import pytest

from bench import costs
from bench.costs import Costs, Reading

BURN = "import sys, time\nwhile time.process_time() < 0.3: pass\n"
# A family: the parent has one child that burns and ends, and one that burns and stays.
STAY = f"{BURN}print(flush=True)\nsys.stdin.read()"
FAMILY = f"""
import subprocess, sys
ended = subprocess.Popen([sys.executable, "-c", {BURN!r}])
ended.wait()
stays = subprocess.Popen([sys.executable, "-c", {STAY!r}], stdin=subprocess.PIPE)
stays.wait()
"""


@contextmanager
def family() -> Generator[int]:
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        try:
            parent.stdout.readline()
            yield parent.pid
        finally:
            parent.kill()


def test_a_family_is_charged_what_its_children_use_also_those_that_have_ended() -> None:
    with family() as pid:
        assert 0.55 <= costs.cpu_seconds(pid) < 60
    assert costs.cpu_seconds(pid) == 0.0


def test_what_is_written_is_read_off_the_log_and_a_service_of_its_own_costs_nothing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        before = costs.read(database_url, None)
        connection.execute("CREATE TABLE written AS SELECT n FROM generate_series(1, 20000) AS n")
        after = costs.read(database_url, None)
    assert before.service == after.service == 0.0
    assert after.wal - before.wal > 20_000 * 28
    assert 0.0 < before.postgres <= after.postgres


def test_costs_are_those_of_one_transfer_in_microseconds_and_bytes() -> None:
    before, after = Reading(1.0, 5.0, 1_000), Reading(1.5, 5.25, 13_000)
    assert costs.between(before, after, 0.125, 10) == pytest.approx(Costs(50_000, 25_000, 12_500, 1_200))
    assert costs.between(before, after, 0.125, 0) is None
