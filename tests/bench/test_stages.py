"""The profile shares the service's time out by what was seen at work."""

import os
import signal
from pathlib import Path
from types import FrameType

from bench.load import Measurement
from bench.page import Environment
from bench.profiling import LOOP, STAGES, Looks, stage_of, stage_of_file
from bench.stages import Report, as_table, counts_of, shared_out
from bursar.core.events import model as events

HERE = Environment("A processor", 2, "3.11", "FastAPI 1.0", "PostgreSQL 18.6", "on", "on")
ROOT = Path(events.__file__).parents[2]


def frame_in(path: str) -> FrameType:
    """A frame of code that stands in this file, and is called from here."""
    names: dict[str, FrameType] = {}
    exec(compile("import sys\nframe = sys._getframe()", path, "exec"), names)
    return names["frame"]


def test_every_file_of_the_hot_path_belongs_to_the_stage_that_it_is_named_for() -> None:
    assert stage_of_file(events.__file__) == "the record, kept answers"
    assert stage_of_file(str(ROOT / "core" / "authority" / "desk.py")) == "the desk"
    assert stage_of_file(str(ROOT / "core" / "authority" / "evaluate.py")) == "who asks, mandates, risk"
    assert stage_of_file("/usr/lib/python3.11/asyncio/events.py") is None
    ours = [part for part in STAGES if part.startswith("/bursar/")]
    assert all((ROOT.parent / part.strip("/")).exists() for part in ours)


def test_the_innermost_frame_that_has_a_stage_counts() -> None:
    assert stage_of(frame_in("/lib/uvicorn/server.py")) == "uvicorn"
    assert stage_of(frame_in("/lib/somewhere/else.py")) == LOOP
    assert stage_of(None) == LOOP


def test_looks_are_told_when_asked_for_and_then_begin_anew(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "looks.json")
    before = signal.signal(signal.SIGUSR1, looks.tell)
    try:
        looks.look(0, frame_in("/lib/uvicorn/server.py"))
        looks.look(0, None)
        looks.look(0, None)
        assert counts_of(os.getpid(), tmp_path / "looks.json") == {"uvicorn": 1, LOOP: 2}
        assert counts_of(os.getpid(), tmp_path / "looks.json") == {}
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_whole_is_shared_out_in_proportion_and_shown_with_its_sum() -> None:
    operator = shared_out({"the book": 1, "uvicorn": 3}, 120.0)
    assert list(operator.items()) == [("uvicorn", 90.0), ("the book", 30.0)]
    nothing = Measurement(0.0, 0, 0, 0, 0.0, {}, {}, None, [])
    stages = {"operator": operator, "agent": {"uvicorn": 90.0, "risk": 40.0}}
    table = as_table(Report(HERE, stages, dict.fromkeys(stages, nothing), None))
    rows = [list(map(str, row)) for row in zip(*(column.cells for column in table.columns), strict=True)]
    assert rows == [["uvicorn", "90", "90"], ["the book", "30", "0"], ["risk", "0", "40"], ["all", "120", "130"]]
