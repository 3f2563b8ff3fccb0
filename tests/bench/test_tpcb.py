"""pgbench's own log is believed, line by line."""

from pathlib import Path

import pytest

from bench.services import ServiceFailed
from bench.tpcb import TPCB, pgbench, run, told_by


def test_its_log_is_added_up(tmp_path: Path) -> None:
    logs = [tmp_path / "tpcb-1.7", tmp_path / "tpcb-1.7.1"]
    logs[0].write_text("0 1 1000 0 1700000000 10\n1 1 3000 0 1700000000 20\n")
    logs[1].write_text("2 1 2000 0 1700000000 30\n")
    seen = told_by(logs, 2, 0.5)
    assert (seen.rate, seen.transfers, seen.errors, seen.cpu_seconds) == (1.5, 3, 0, 0.5)
    assert seen.latency
    assert (seen.latency.p50, seen.latency.max) == pytest.approx((2.0, 3.0))
    assert not list(tmp_path.iterdir())


def test_it_runs_on_the_cluster(empty_database_url: str, tmp_path: Path) -> None:
    seen = pgbench(empty_database_url, tmp_path, scale=1).measure(TPCB, 1, 1.0)
    assert seen.transfers > 0
    assert seen.cpu_seconds > 0
    with pytest.raises(ServiceFailed, match="pgbench ended with 1"):
        run("--scale=none")
