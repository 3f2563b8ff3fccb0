"""Processes that answer together: started, each followed by another, told to end and waited for."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from bursar.faces.cli import processes
from bursar.faces.cli.place import CannotServe
from bursar.faces.cli.processes import keep_answering

_SECONDS = 20

# Each leaves a file with its id, so that the test knows who there was; it ends when it is told to.
ANSWERS = """
import os, pathlib, select, sys
(pathlib.Path(sys.argv[1]) / str(os.getpid())).touch()
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.1)[0]:
    print("ready", flush=True)
"""
# The first two say nothing more, and hear of nothing.
HANGS = ANSWERS.replace("while", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                        "while len(os.listdir(sys.argv[1])) <= 2: signal.pause()\nwhile")  # fmt: skip
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + ANSWERS
FAILS = "import sys; sys.exit('no')"
FAILS_LATER = "import pathlib, sys; pathlib.Path(sys.argv[1], 'later').exists() and sys.exit('no')" + ANSWERS


@pytest.fixture
def listener() -> Generator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


class Kept:
    """Two processes that run a program, and what became of them."""

    def __init__(self, program: str, listener: socket.socket, seen: Path) -> None:
        self.ready = asyncio.Event()
        self._seen = seen
        command = [sys.executable, "-c", program, str(seen)]
        self.task = asyncio.create_task(keep_answering(2, command, listener, self.ready.set))

    def ids(self) -> set[int]:
        """Of all there were."""
        return {int(path.name) for path in self._seen.iterdir() if path.name.isdigit()}

    async def there_were(self, number: int) -> None:
        async with asyncio.timeout(_SECONDS):
            while len(self.ids()) < number:  # noqa: ASYNC110 -- other processes set no event
                await asyncio.sleep(0.01)

    async def stopped(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(_SECONDS):
            await self.task
        assert not any(is_alive(pid) for pid in self.ids())


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def test_all_are_ready_before_it_is_told_and_all_end_when_it_stops(
    listener: socket.socket, tmp_path: Path
) -> None:
    kept = Kept(ANSWERS, listener, tmp_path)
    async with asyncio.timeout(_SECONDS):
        await kept.ready.wait()
    assert len(kept.ids()) == 2
    await kept.stopped()
    assert listener.fileno() == -1


async def test_one_that_ends_is_followed_by_another(listener: socket.socket, tmp_path: Path) -> None:
    kept = Kept(ANSWERS, listener, tmp_path)
    await kept.ready.wait()
    with structlog.testing.capture_logs() as logs:
        for times in range(1, 3):
            os.kill(max(pid for pid in kept.ids() if is_alive(pid)), signal.SIGKILL)
            await kept.there_were(2 + times)
    assert [(log["code"], log["seconds"]) for log in logs] in ([(-9, 0.2), (-9, 0.4)], [(-9, 0.2), (-9, 0.2)])
    await kept.stopped()


async def test_one_that_hangs_is_killed_and_followed_by_another(
    listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_WAITS_FOR_A_WORD", 1)
    with structlog.testing.capture_logs() as logs:
        kept = Kept(HANGS, listener, tmp_path)
        await kept.there_were(3)
        hung = [log for log in logs if log["event"] == "a process hangs"]
        await kept.stopped()
    assert hung
    assert -9 in [log.get("code") for log in logs]


async def test_one_that_fails_again_is_tried_later(listener: socket.socket, tmp_path: Path) -> None:
    kept = Kept(FAILS_LATER, listener, tmp_path)
    await kept.ready.wait()
    (tmp_path / "later").touch()
    with structlog.testing.capture_logs() as logs:
        os.kill(max(kept.ids()), signal.SIGKILL)
        async with asyncio.timeout(_SECONDS):
            while len(logs) < 3:  # noqa: ASYNC110 -- the log sets no event
                await asyncio.sleep(0.01)
    assert [log["code"] for log in logs] == [-9, 1, 1]
    assert [log["seconds"] for log in logs] == [0.2, 0.4, 0.8]
    (tmp_path / "later").unlink()
    await kept.there_were(3)
    await kept.stopped()


@pytest.mark.soak
async def test_one_that_does_not_end_is_killed(listener: socket.socket, tmp_path: Path) -> None:
    kept = Kept(DEAF.replace("while not", "while True or"), listener, tmp_path)
    await kept.ready.wait()
    await kept.stopped()


async def test_a_service_whose_first_processes_fail_does_not_start(listener: socket.socket, tmp_path: Path) -> None:
    kept = Kept(FAILS, listener, tmp_path)
    with pytest.raises(CannotServe, match="ended before it answered"):
        await kept.task
    assert not kept.ready.is_set()
