"""What happens to a database server: all of it is gone at once, or one of its processes, or it is told to stop."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def cut(data: Path) -> int:
    """Kill the PostgreSQL of a data directory and all its processes; returns how many there were."""
    postmaster = _postmaster(data)
    # The parent first: it must not see its children fall.
    processes = [postmaster, *_children(postmaster)]
    for pid in processes:
        with suppress(ProcessLookupError):  # Some end by themselves meanwhile.
            os.kill(pid, signal.SIGKILL)
    return len(processes)


def kill_a_backend(data: Path) -> None:
    """Kill one process that works for a client; the others then end and the server recovers by itself."""
    serving = [pid for pid in _children(_postmaster(data)) if b"postgres: postgres" in _command(pid)]
    os.kill(serving[0], signal.SIGKILL)


def stop(data: Path) -> None:
    """Tell it to stop now, as an administrator does: sessions are ended, nothing is lost."""
    os.kill(_postmaster(data), signal.SIGINT)


def _postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def _children(parent: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        # The name of the program stands in parentheses and may hold anything; then come state and parent.
        try:
            facts = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(facts[1]) == parent:
            yield int(path.parent.name)


def _command(pid: int) -> bytes:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""
