"""`bursar serve` as a process of its own, for tests that need a real one: to kill it, to have two, to be a stranger."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SAYS = "Bursar is listening on "
_SECONDS_TO_STOP = 15
_PROGRAM = ("bursar", "serve")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Served:
    """A service that listens at `url`."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Tell it to stop; returns its exit code."""
        self.process.terminate()
        return self.process.wait(_SECONDS_TO_STOP)


@contextmanager
def serving(
    *,
    database_url: str | None = None,
    data: Path | None = None,
    port: int = 0,
    program: Sequence[str] = _PROGRAM,
    **settings: str,
) -> Generator[Served]:
    """A service on this database, or in the sandbox of this data directory; stopped at the end if it still runs.

    `settings` are those of its environment, by their names.
    """
    process = start(database_url=database_url, data=data, port=port, program=program, **settings)
    try:
        yield listening(process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            finally:
                process.kill()
        assert process.stdout
        process.stdout.close()


def start(
    *,
    database_url: str | None = None,
    data: Path | None = None,
    port: int = 0,
    program: Sequence[str] = _PROGRAM,
    **settings: str,
) -> subprocess.Popen[str]:
    """Start one without waiting for it; `program` is the module that serves, and what it is told first."""
    places = {"BURSAR_DATABASE_URL": database_url, "BURSAR_DATA": str(data) if data else None}
    return subprocess.Popen(
        [sys.executable, "-m", *program, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**_environment(), **{name: value for name, value in places.items() if value}, **settings},
    )


def listening(process: subprocess.Popen[str]) -> Served:
    """Wait until it says where it listens."""
    assert process.stdout
    said = process.stdout.readline()
    assert said.startswith(_SAYS), f"it said {said!r} and ended with {process.poll()}"
    return Served(process, said.removeprefix(_SAYS).strip())


def _environment() -> Mapping[str, str]:
    """This process's, but for what would lead the service elsewhere."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BURSAR_", "DATABASE_URL"))}
    return {**ours, "BURSAR_LOG_LEVEL": "error"}
