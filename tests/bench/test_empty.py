"""The route that does nothing answers every request that the services get, so that their rates can be compared."""

from pathlib import Path

from bench.load import Load, measure
from bench.pace import at_pace
from bench.services import running_empty
from bench.workloads import ANY_TWO


def test_it_is_driven_by_the_generator_in_processes_of_their_own(tmp_path: Path) -> None:
    with running_empty(tmp_path) as endpoint:
        seen = measure(Load(endpoint, ANY_TWO, seed=1, seconds=30.0, connections=4, most=100))
        paced = at_pace(endpoint, 200.0).measure("", 1, 0.2)
    assert (seen.statuses, seen.transfers, seen.errors) == ({201: 100}, 100, 0)
    assert 0 < paced.transfers == paced.requests <= 41  # Not one more than were due in that time, however late.
    assert min(seen.cpu_seconds, paced.cpu_seconds) > 0
