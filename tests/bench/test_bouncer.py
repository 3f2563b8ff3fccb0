"""PgBouncer, where it is installed, stands between the benchmark and its PostgreSQL."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from bench.bouncer import bouncing, program, wait_for
from bench.page import Environment
from bench.processes import ONE, POOLED, section_of
from bench.report import Report, Summary
from bench.services import ServiceFailed
from bench.workloads import ANY_TWO

HERE = Environment("A processor", 2, "3.11", "FastAPI 1.0", "PostgreSQL 18.6", "on", "on")


def test_transactions_go_through_it_to_the_same_database(empty_database_url: str, tmp_path: Path) -> None:
    if not program():  # There is nothing to measure then, and the table says so.
        return
    with bouncing(empty_database_url, tmp_path) as url:
        assert url != empty_database_url
        with psycopg.connect(url) as through, psycopg.connect(empty_database_url) as straight:
            ask = "SELECT current_database()"
            assert through.execute(ask).fetchone() == straight.execute(ask).fetchone()
    assert not (tmp_path / "bouncer" / ".s.PGSQL.5432").exists()


def test_one_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen(["false"]) as process, pytest.raises(ServiceFailed, match="PgBouncer did not start"):
        wait_for(tmp_path / "never", process)


def test_where_it_is_not_installed_the_table_says_so() -> None:
    seen = {name: Summary(1.0, None, 1, 0, None) for name in (ONE, POOLED)}
    for known, said in ((seen, "–"), ({ONE: seen[ONE]}, "not installed")):
        table = section_of(Report(HERE, 1.0, {ANY_TWO: known}, [], None, [])).tables[0]
        assert list(table.columns[1].cells) == [ONE, POOLED]
        shown = [str(cell) for column in table.columns for cell in list(column.cells)[1:]]
        assert said in shown
