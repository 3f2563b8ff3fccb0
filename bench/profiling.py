"""Where the service's CPU time goes: `bursar serve` in this process, looked at every millisecond of CPU time it uses.

A look finds the innermost frame that belongs to a stage. What has no frames of its own, such as a library in C, counts
for whoever called it.
"""

import json
import os
import signal
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from bursar.__main__ import main as bursar

# By what the path of a file holds; the first that fits.
STAGES: Final = {
    "/uvicorn/": "uvicorn",
    "/fastapi/": "FastAPI and Starlette",
    "/starlette/": "FastAPI and Starlette",
    "/asyncpg/": "driver, transactions",
    "/bursar/kernel/db/": "driver, transactions",
    "/pydantic": "the door: bodies, keys, answers",
    "/bursar/wire/": "the door: bodies, keys, answers",
    "/bursar/api/": "the door: bodies, keys, answers",
    "/bursar/features/transfers/": "the door: bodies, keys, answers",
    "/bursar/core/authority/desk.py": "the desk",
    "/bursar/core/ledger/": "the book",
    "/bursar/core/events/": "the record, kept answers",
    "/bursar/core/idempotency/": "the record, kept answers",
    "/bursar/kernel/canonical.py": "the record, kept answers",
    "/bursar/core/": "who asks, mandates, risk",
    "/bursar/features/risk/": "who asks, mandates, risk",
}
LOOP: Final = "the event loop, all else"
EVERY_SECONDS: Final = 0.001
# The variable that says where the counts are written.
OUTPUT: Final = "BENCH_PROFILE"


@cache
def stage_of_file(path: str) -> str | None:
    """The stage that a file belongs to, if it belongs to one."""
    return next((stage for part, stage in STAGES.items() if part in path), None)


def stage_of(frame: FrameType | None) -> str:
    """The stage of the innermost frame that has one."""
    while frame:
        if stage := stage_of_file(frame.f_code.co_filename):
            return stage
        frame = frame.f_back
    return LOOP


class Looks:
    """How often each stage was found at work since it was last told."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._counts: Counter[str] = Counter()

    def look(self, _: int, frame: FrameType | None) -> None:
        """Count for the stage that is at work now."""
        self._counts[stage_of(frame)] += 1

    def tell(self, _: int, __: FrameType | None) -> None:
        """Write what was counted, and begin anew."""
        fresh = self._output.with_suffix(".new")
        fresh.write_text(json.dumps(self._counts))
        fresh.rename(self._output)
        self._counts.clear()


def main() -> None:
    """Be `bursar`, and look at it; SIGUSR1 has the counts written."""
    looks = Looks(Path(os.environ[OUTPUT]))
    signal.signal(signal.SIGUSR1, looks.tell)
    signal.signal(signal.SIGPROF, looks.look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    sys.argv[0] = "bursar"
    bursar()


if __name__ == "__main__":
    main()
