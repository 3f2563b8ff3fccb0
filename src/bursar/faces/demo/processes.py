"""The processes beside the demo: the service and the commands, which end with it however it ends."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

_START_SECONDS = 120
_STOP_SECONDS = 30
_LOG = "service.log"
_SAYS = "Bursar is listening on "

# The demo has its own database, whatever the caller's environment names.
_NOT_FOR_THE_DEMO = ("BURSAR_DATABASE_URL", "DATABASE_URL")


class DemoFailed(Exception):
    """Something the demo needs did not come about; the message says what."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to: its exit code and the JSON it printed."""

    code: int
    facts: Any


@asynccontextmanager
async def serving(data: Path, port: int) -> AsyncGenerator[tuple[str, Process]]:
    """`bursar serve` on a data directory: its address, and the process, which is stopped at the end."""
    with _log(data) as log:
        process = await _start("serve", "--port", str(port), "--data", str(data), stderr=log)
    try:
        yield await _address(process, data), process
    finally:
        await _stop(process)


def _log(data: Path) -> TextIO:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (data / _LOG).open("w")
    except OSError as error:
        raise DemoFailed(f"The demo cannot write to its directory: {error}. Name another with --data.") from error


async def _address(process: Process, data: Path) -> str:
    assert process.stdout
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        line = ""
    if not line.startswith(_SAYS):
        raise DemoFailed(f"The service did not start. {_last_word(data)}")
    return line.removeprefix(_SAYS).strip()


def _last_word(data: Path) -> str:
    said = (data / _LOG).read_text(errors="replace").strip().splitlines()
    return said[-1] if said else ""


async def command(data: Path, *arguments: str) -> Said:
    """Run a command of Bursar to its end; what it shows on the way goes to this terminal."""
    process = await _start(*arguments, "--data", str(data), "--json")
    try:
        out, _ = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, json.loads(out))
    except json.JSONDecodeError as error:
        raise DemoFailed(f"`bursar {' '.join(arguments)}` failed with exit code {process.returncode}.") from error
    finally:
        await _stop(process)


async def _start(*arguments: str, stderr: TextIO | None = None) -> Process:
    """Start `bursar` in a session of its own, so that Ctrl-C reaches it through the demo and not beside it."""
    bursar = (sys.executable, "-P", "-m", "bursar", *arguments)
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_THE_DEMO}
    return await asyncio.create_subprocess_exec(
        *_tether(), *bursar, stdin=DEVNULL, stdout=PIPE, stderr=stderr, env=kept, start_new_session=True
    )


@cache
def _tether() -> tuple[str, ...]:
    """Have the kernel end a child whose parent was killed, where the program that asks for it is at hand (Linux)."""
    tether = ("setpriv", "--pdeathsig", "TERM")
    if shutil.which(tether[0]) is None:
        return ()
    return tether if subprocess.run([*tether, "true"], capture_output=True, check=False).returncode == 0 else ()


async def _stop(process: Process) -> None:
    """End a child and wait for its end; who is cancelled meanwhile waits too, so that nothing is left running."""
    ending = asyncio.ensure_future(_end(process))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await ending
        raise


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
