"""Several processes that answer at one port: started, watched, each followed by another, and stopped together."""

import asyncio
import os
import signal
import socket
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

import structlog

from bursar.faces.cli.place import CannotServe

# What a process says on its standard output once it answers, and from then on again and again.
READY = "ready"
SECONDS_BETWEEN_WORDS = 1.0
# So often it is waited for as long: two that stand still together are not taken for one that hangs.
_WAITS_FOR_A_WORD = 10
# A little more than a process gives the requests in flight.
_SECONDS_TO_END = 4.5
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
# Whoever ends sooner will do so again, so the next waits longer.
_SECONDS_OF_A_STEADY_ONE = 10.0


@contextmanager
def signals_taken(stop: Callable[[], None]) -> Generator[None]:
    """A signal ends the serving, not the process: the database beside it must be left in order first."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def keep_answering(
    number: int, command: Sequence[str], listener: socket.socket, told: Callable[[], None]
) -> None:
    """Have so many processes run `command` until SIGINT or SIGTERM; `told` is called when all of them are ready.

    Each has the bound socket under the number of its descriptor here, and is to end when its standard input does.
    """
    stop = asyncio.Event()
    ready = [asyncio.Event() for _ in range(number)]
    with signals_taken(stop.set), tempfile.TemporaryDirectory(prefix="bursar-metrics-") as metrics:
        # What a process has counted stays counted when it ends.
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": metrics}
        kept = [asyncio.create_task(_keep(command, listener, environment, each)) for each in ready]
        beside = [asyncio.create_task(stop.wait()), asyncio.create_task(_tell(ready, told))]
        try:
            await asyncio.wait([*kept, beside[0]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listener.close()
            for task in (*kept, *beside):
                task.cancel()
            ended = await asyncio.gather(*kept, return_exceptions=True)
    for failure in ended:
        if failure and not isinstance(failure, asyncio.CancelledError):
            raise failure


async def _tell(ready: Sequence[asyncio.Event], told: Callable[[], None]) -> None:
    for each in ready:
        await each.wait()
    told()


async def _keep(
    command: Sequence[str], listener: socket.socket, environment: dict[str, str], ready: asyncio.Event
) -> None:
    """Have one process run, and another when it ends, until cancelled; refuses when the first never was ready."""
    pause = _SHORTEST_PAUSE
    while True:
        began = time.monotonic()
        code = await _run(command, listener, environment, ready)
        if not ready.is_set():
            raise CannotServe("One of the processes ended before it answered. What it said stands above.")
        steady = time.monotonic() - began > _SECONDS_OF_A_STEADY_ONE
        pause = _SHORTEST_PAUSE if steady else min(2 * pause, _LONGEST_PAUSE)
        structlog.get_logger().error("a process ended, another follows", code=code, seconds=pause)
        await asyncio.sleep(pause)


async def _run(
    command: Sequence[str], listener: socket.socket, environment: dict[str, str], ready: asyncio.Event
) -> int:
    """One process from its start to its end; its exit code. Cancelled, it is told to end and waited for."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=environment, pass_fds=(listener.fileno(),),
            # Ctrl-C in the terminal is not its business: it is told by this process.
            start_new_session=True,
        )
    )  # fmt: skip
    try:
        process = await asyncio.shield(starting)
        await _listen(process, ready)
        return await process.wait()
    finally:
        await _end(await starting)


async def _listen(process: Process, ready: asyncio.Event) -> None:
    """Return when a process ends; one that was ready and has been silent for long hangs, and is killed."""
    assert process.stdout
    answers, waited = False, 0
    while waited < _WAITS_FOR_A_WORD:
        try:
            async with asyncio.timeout(SECONDS_BETWEEN_WORDS if answers else None):
                said = await process.stdout.readline()
        except TimeoutError:
            waited += 1
            continue
        if not said:
            return
        if said == f"{READY}\n".encode():
            answers, waited = True, 0
            ready.set()
    structlog.get_logger().error("a process hangs")
    process.kill()


async def say_ready(answering: asyncio.Event) -> None:
    """Say that this process answers, and that it still does, until cancelled: one that hangs does not."""
    await answering.wait()
    # Whoever listened may be gone; the end of standard input tells of it.
    with suppress(OSError):
        while True:
            print(READY, flush=True)
            await asyncio.sleep(SECONDS_BETWEEN_WORDS)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_SECONDS_TO_END):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
