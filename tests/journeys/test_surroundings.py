"""The whole job on a service that runs as users run it: on the embedded PostgreSQL, and on one of their own."""

import json
from functools import partial
from pathlib import Path

import httpx2
import pytest

from bursar.client import Bursar, Reply
from tests.journeys.processes import make_key, run, serving, surroundings
from tests.journeys.rooms import ROOMS
from tests.journeys.stage import staged


def over_http(address: str, key: str | None, replies: list[Reply]) -> Bursar:
    """A client that reaches a real service directly."""
    return Bursar(address, key, transport=httpx2.AsyncHTTPTransport(), on_reply=replies.append)


async def do_the_whole_job(environment: dict[str, str]) -> None:
    async with serving(environment) as service:
        key = await make_key(environment, "--operator", "boss")
        async with staged(partial(over_http, service.address), key) as stage:
            for room in ROOMS:
                await room(stage)
    verified = await run(environment, "verify", "--json")
    assert (verified.code, json.loads(verified.out)["ok"]) == (0, True)


# The demo's test does most of it on every change.
@pytest.mark.soak
async def test_the_sandbox_does_the_whole_job_on_the_embedded_postgresql(tmp_path: Path) -> None:
    await do_the_whole_job(surroundings(BURSAR_DATA=tmp_path))


async def test_a_configured_postgresql_15_does_the_whole_job(empty_database_15: str, tmp_path: Path) -> None:
    await do_the_whole_job(surroundings(DATABASE_URL=empty_database_15, BURSAR_DATA=tmp_path / "unused"))
    assert not (tmp_path / "unused").exists()
