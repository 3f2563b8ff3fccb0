"""`bursar` as a user starts it: a process with its own environment, and the service among them."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

_START_SECONDS = 60
_SAYS = "Bursar is listening on "


def surroundings(**settings: str | Path) -> dict[str, str]:
    """The environment of a user who has set this and nothing else of Bursar's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BURSAR_", "DATABASE_URL"))}
    return {**kept, "COLUMNS": "120", **{name: str(value) for name, value in settings.items()}}


async def start(environment: Mapping[str, str], *arguments: str) -> Process:
    """Start `bursar` and return at once."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "bursar", *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command came to."""

    code: int
    out: str
    errors: str


def is_running(data: Path) -> bool:
    """Whether any process, such as PostgreSQL, runs on this data directory."""
    return any(os.fsencode(data) in _bytes(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # It has ended meanwhile.
        return b""


async def run(environment: Mapping[str, str], *arguments: str) -> Ended:
    """Run `bursar` to its end."""
    process = await start(environment, *arguments)
    out, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), errors.decode())


async def make_key(environment: Mapping[str, str], *who: str) -> str:
    """A key from the command line, such as `--operator NAME`."""
    made = await run(environment, "key", "create", *who, "--json")
    assert made.code == 0, made.errors
    facts: dict[str, Any] = json.loads(made.out)
    return facts["key"]


@dataclass(frozen=True, slots=True)
class Serving:
    """A service that answers at `address`."""

    address: str
    process: Process

    async def closed(self) -> None:
        """Return when nobody listens there any more."""
        url = httpx2.URL(self.address)
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while True:
                    _, writer = await asyncio.open_connection(url.host, url.port)
                    writer.close()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[float, Ended]:
        """Send a signal; how many seconds the end took, and what the process left."""
        began = time.monotonic()
        self.process.send_signal(number)
        out, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return time.monotonic() - began, Ended(self.process.returncode, out.decode(), errors.decode())


@asynccontextmanager
async def serving(environment: Mapping[str, str], *options: str) -> AsyncGenerator[Serving]:
    """`bursar serve` on a port that is free, with these options."""
    process = await start(environment, "serve", "--port", "0", *options)
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = (await process.stdout.readline()).decode()
        assert line.startswith(_SAYS), (await process.stderr.read()).decode()
        yield Serving(line.removeprefix(_SAYS).strip(), process)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
