"""Starts the services on one PostgreSQL, with the same accounts and the same money in them."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import BaseModel

from bench import baseline, empty
from bench.load import drive
from bench.wire import Endpoint, post
from bench.workloads import ACCOUNTS, transfer_body

FUNDING: Final = "world:funding:USD"
FUNDS: Final = Decimal("1000000000.00")
HOST: Final = "127.0.0.1"
ADDRESS_LINE: Final = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
SET_UP_SECONDS: Final = 120.0
# The benchmark's own server is meant, never one that the caller's shell happens to point at.
FOREIGN: Final = frozenset({"DATABASE_URL", "BURSAR_DATABASE_URL", "BURSAR_DATA"})
# Neither service logs its requests: the baseline's access log is off too.
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name not in FOREIGN} | {
    "BURSAR_LOG_LEVEL": "warning"
}


class ServiceFailed(Exception):
    """A service did not start, or refused to be set up; the message says what it printed."""


class CreatedKey(BaseModel):
    """What `bursar key create --json` prints, as far as the benchmark needs it."""

    key: str


@contextmanager
def running_baseline(url: str, scratch: Path) -> Generator[Endpoint]:
    """The tutorial-style service in a process and a database of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench_baseline")
    own = make_conninfo(url, dbname="bench_baseline")
    baseline.create_accounts(own, ACCOUNTS, FUNDS)
    with running("bench.baseline", own, log=scratch / "baseline.log", path=baseline.PATH) as endpoint:
        yield endpoint


@contextmanager
def running_empty(scratch: Path) -> Generator[Endpoint]:
    """The route that does nothing, in a process of its own."""
    with running("bench.empty", log=scratch / "empty.log", path=empty.PATH) as endpoint:
        yield endpoint


@contextmanager
def running_bursar(data: Path, scratch: Path) -> Generator[Endpoint]:
    """Bursar as a user starts it, its accounts opened and funded through its own door."""
    with serving_bursar(data, scratch) as endpoint:
        yield stocked(endpoint, data, "--operator", "bench")


@contextmanager
def serving_bursar(data: Path, scratch: Path) -> Generator[Endpoint]:
    """Bursar as a user starts it, and nobody's key to it."""
    command = ("bursar", "serve", "--port", "0", "--data", str(data))
    with running(*command, log=scratch / "bursar.log", path="/v1/transfers") as endpoint:
        yield endpoint


def stocked(service: Endpoint, data: Path, *whose: str) -> Endpoint:
    """A tenant with accounts and funds in them, as its operator reaches it; `whose` are options of `key create`."""
    created = bursar("key", "create", "--data", str(data), *whose, "--json")
    endpoint = replace(service, key=CreatedKey.model_validate_json(created).key)
    openings = (json.dumps({"number": number, "name": number, "currency": "USD"}) for number in ACCOUNTS)
    world = json.dumps({"number": FUNDING, "name": "Funding", "currency": "USD", "floor": "none"})
    post_all(endpoint, "/v1/accounts", [*openings, *([world] if "--tenant" in whose else [])])
    post_all(endpoint, endpoint.path, [transfer_body(FUNDING, number, str(FUNDS)) for number in ACCOUNTS])
    return endpoint


def post_all(endpoint: Endpoint, path: str, bodies: Sequence[str]) -> None:
    """Send every body once, many at a time; ServiceFailed when one of them is refused."""
    requests = (post(endpoint, path, body, secrets.token_hex(16)) for body in bodies)
    seen = asyncio.run(drive(endpoint, requests, seconds=SET_UP_SECONDS, connections=16))
    if seen.errors or seen.requests != len(bodies):
        raise ServiceFailed(f"{path}: {seen.errors} of {seen.requests} failed: {seen.broken} {seen.samples}")


def bursar(*arguments: str) -> str:
    """Run one of Bursar's commands and return what it printed; ServiceFailed when it does not succeed."""
    command = [sys.executable, "-m", "bursar", *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=SET_UP_SECONDS, check=False)
    if done.returncode:
        raise ServiceFailed(f"bursar {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def violations(data: Path) -> str | None:
    """What `bursar verify` complains about; None when every invariant holds."""
    try:
        bursar("verify", "--data", str(data))
    except ServiceFailed as failure:
        return str(failure)
    return None


@contextmanager
def running(module: str, *arguments: str, log: Path, path: str) -> Generator[Endpoint]:
    """Run a module that prints its address; yields that path of it, and stops it at the end."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield Endpoint(HOST, printed_port(process, log), path, pid=process.pid)
    finally:
        stop(process)


def printed_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait for the line with the address; ServiceFailed when the process ends or is silent for too long."""
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        if found := ADDRESS_LINE.search(log.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.02)
    raise ServiceFailed(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-4_000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it end when it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
