"""One of several processes that answer dies, or the one that started them: nothing is lost, doubled or left behind."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from tests.faults.clients import SOURCE, Clients
from tests.faults.ledgers import check
from tests.journeys.processes import is_running
from tests.served import Served, serving

OPENING = 500_000
TWO = ("bursar", "serve", "--workers", "2")
_SECONDS = 30


def answering(served: Served) -> set[int]:
    """The ids of the processes that answer."""
    parent = served.process.pid
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not fact():  # noqa: ASYNC110 -- other processes set no event
            await asyncio.sleep(0.02)


async def clients_live_through(database_url: str, key: str, times: int) -> None:
    with serving(database_url=database_url, program=TWO) as served:
        clients = Clients(served.url, {"Authorization": f"Bearer {key}"})
        running = asyncio.create_task(clients.run())
        for _ in range(times):
            await clients.after(50)
            before = answering(served)
            assert len(before) == 2
            os.kill(min(before), signal.SIGKILL)
            # The other goes on answering meanwhile.
            await clients.after(50)
            await until(lambda before=before: len(answering(served) - before) == 1)
        clients.stop()
        await running
        assert served.stop() == 0
    await check(database_url, clients.told, OPENING)


async def test_one_of_two_processes_killed_leaves_nothing_half_done_and_the_port_answering(
    database_url: str, key: str
) -> None:
    await clients_live_through(database_url, key, times=1)


@pytest.mark.soak
async def test_processes_killed_twenty_times_leave_nothing_half_done(database_url: str, key: str) -> None:
    await clients_live_through(database_url, key, times=20)


async def test_they_count_together_the_work_is_done_once_and_all_end_with_the_one_that_started_them(
    database_url: str, key: str
) -> None:
    with serving(database_url=database_url, program=TWO) as served, psycopg.connect(database_url) as books:
        place_hold(served.url, key)
        for _ in range(20):
            with httpx2.Client(base_url=served.url) as client:
                assert client.get("/healthz").status_code == 200
        # Each counts just after it has answered.
        await until(lambda: counted(served.url) == 20)
        for _ in range(6):
            assert counted(served.url) == 20
        await until(lambda: expiries(books) > 0)
        left = answering(served)
        served.kill()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
        refuse_nobody(served.url)
        assert expiries(books) == 1


@pytest.mark.soak
async def test_postgresql_stops_too_when_the_one_that_started_all_is_killed(tmp_path: Path) -> None:
    """Whoever lets go of it last stops it."""
    with serving(data=tmp_path, program=TWO) as served:
        served.kill()
        await until(lambda: not is_running(tmp_path))
        refuse_nobody(served.url)


def refuse_nobody(url: str) -> None:
    """The port is free again."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", urlsplit(url).port))


def counted(url: str) -> float:
    """How often it was asked whether it lives, whichever process tells."""
    with httpx2.Client(base_url=url) as client:
        said = client.get("/metrics").text
    (number,) = re.findall(r'bursar_requests_total\{method="GET",route="/healthz",status="200"\} (\S+)', said)
    return float(number)


def place_hold(url: str, key: str) -> None:
    """A hold whose time is over almost at once."""
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    body = {"account": SOURCE, "amount": "1.00", "currency": "USD", "expires_at": soon}
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        placed = client.post("/v1/holds", json=body, headers={"Idempotency-Key": "one"})
    assert placed.status_code == 201, placed.text


def expiries(books: psycopg.Connection[Any]) -> int:
    """How often it was written down that a hold is over."""
    found = books.execute("SELECT count(*) FROM bursar.event WHERE action = 'expire_hold'").fetchone()
    books.rollback()
    assert found
    return found[0]
