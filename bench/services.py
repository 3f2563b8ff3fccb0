"""Starts the services on one PostgreSQL, with the same accounts and the same money in them."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final, LiteralString

import psycopg
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
# Verification looks at everything, however much it is.
SECONDS_OF_A_COMMAND: Final = 7_200.0
# The benchmark's own server is meant, never one that the caller's shell happens to point at.
FOREIGN: Final = frozenset({"DATABASE_URL", "BURSAR_DATABASE_URL", "BURSAR_DATA"})
# Neither service logs its requests: the baseline's access log is off too.
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name not in FOREIGN} | {
    "BURSAR_LOG_LEVEL": "warning"
}

# Where Bursar's data is: the variables of its environment that say so.
Place = Mapping[str, str]
NOWHERE: Final[Place] = {}
DATABASE_URL: Final = "BURSAR_DATABASE_URL"


class ServiceFailed(Exception):
    """A service did not start, or refused to be set up; the message says what it printed."""


class CreatedKey(BaseModel):
    """What `bursar key create --json` prints, as far as the benchmark needs it."""

    key: str


@contextmanager
def running_baseline(url: str, scratch: Path) -> Generator[Endpoint]:
    """The tutorial-style service in a process and a database of its own."""
    own = empty_database(url, "bench_baseline")
    baseline.create_accounts(own, ACCOUNTS, FUNDS)
    with running("bench.baseline", own, log=scratch / "baseline.log", path=baseline.PATH) as endpoint:
        yield endpoint


def empty_database(url: str, name: LiteralString) -> str:
    """The URL of a new database on the same PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres?", f"/{name}?")


@contextmanager
def running_empty(scratch: Path) -> Generator[Endpoint]:
    """The route that does nothing, in a process of its own."""
    with running("bench.empty", log=scratch / "empty.log", path=empty.PATH) as endpoint:
        yield endpoint


@contextmanager
def running_bursar(place: Place, scratch: Path) -> Generator[Endpoint]:
    """Bursar as a user starts it, its accounts opened and funded through its own door."""
    with serving_bursar(place, scratch) as endpoint:
        yield stocked(endpoint, place, "--operator", "bench")


@contextmanager
def serving_bursar(place: Place, scratch: Path, *options: str) -> Generator[Endpoint]:
    """Bursar as a user starts it, and nobody's key to it; `options` are of `serve`."""
    command = ("bursar", "serve", "--port", "0", *options)
    with running(*command, log=scratch / "bursar.log", path="/v1/transfers", place=place) as endpoint:
        yield endpoint


def stocked(service: Endpoint, place: Place, *whose: str) -> Endpoint:
    """A tenant with accounts and funds in them, as its operator reaches it; `whose` are options of `key create`."""
    endpoint = tenant_of(service, place, *whose)
    open_accounts(endpoint, ACCOUNTS)
    post_all(endpoint, endpoint.path, [transfer_body(FUNDING, number, str(FUNDS)) for number in ACCOUNTS])
    return endpoint


def tenant_of(service: Endpoint, place: Place, *whose: str) -> Endpoint:
    """A tenant with an account that funds others, as its operator reaches it; the sandbox has one."""
    endpoint = replace(service, key=new_key(place, *whose))
    if "--tenant" in whose or DATABASE_URL in place:
        world = json.dumps({"number": FUNDING, "name": "Funding", "currency": "USD", "floor": "none"})
        post_all(endpoint, "/v1/accounts", [world])
    return endpoint


def open_accounts(endpoint: Endpoint, numbers: Sequence[str]) -> None:
    """Open accounts without any money in them."""
    opened = [json.dumps({"number": number, "name": number, "currency": "USD"}) for number in numbers]
    post_all(endpoint, "/v1/accounts", opened)


def post_all(endpoint: Endpoint, path: str, bodies: Sequence[str]) -> None:
    """Send every body once, many at a time; ServiceFailed when one of them is refused."""
    requests = (post(endpoint, path, body, secrets.token_hex(16)) for body in bodies)
    seen = asyncio.run(drive(endpoint, requests, seconds=SET_UP_SECONDS, connections=16))
    if seen.errors or seen.requests != len(bodies):
        raise ServiceFailed(f"{path}: {seen.errors} of {seen.requests} failed: {seen.broken} {seen.samples}")


def new_key(place: Place, *whose: str) -> str:
    """A key to Bursar; `whose` are options of `key create`."""
    return CreatedKey.model_validate_json(bursar(place, "key", "create", *whose, "--json")).key


def bursar(place: Place, *arguments: str) -> str:
    """Run one of Bursar's commands and return what it printed; ServiceFailed when it does not succeed."""
    command = [sys.executable, "-m", "bursar", *arguments]
    done = subprocess.run(
        command, env={**ENVIRONMENT, **place}, capture_output=True, text=True, timeout=SECONDS_OF_A_COMMAND, check=False
    )
    if done.returncode:
        raise ServiceFailed(f"bursar {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def violations(place: Place) -> str | None:
    """What `bursar verify` complains about; None when every invariant holds."""
    try:
        bursar(place, "verify")
    except ServiceFailed as failure:
        return str(failure)
    return None


@contextmanager
def running(module: str, *arguments: str, log: Path, path: str, place: Place = NOWHERE) -> Generator[Endpoint]:
    """Run a module that prints its address; yields that path of it, and stops it at the end."""
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        command, env = [sys.executable, "-m", module, *arguments], {**ENVIRONMENT, **place}
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
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
