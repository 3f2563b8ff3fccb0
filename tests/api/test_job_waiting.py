"""Who waits for a job is told when it changes, with or without a notification."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import psycopg
import pytest

from bursar.api import waiting
from bursar.kernel.db import Bell, Database
from tests.api.tenants import Tenant, bearing
from tests.crews import Crew, crew_of
from tests.served import serving


async def rung(ear: asyncio.Event, _: float) -> None:
    """Wait for the bell alone."""
    await ear.wait()
    ear.clear()


@pytest.fixture
async def crew(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Crew:
    return await crew_of(database, client, tenant)


@pytest.fixture
def by_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by themselves, not even in the end, so that only a notification wakes them."""
    monkeypatch.setattr(waiting, "woken", rung)


@asynccontextmanager
async def meanwhile(crew: Crew, path: str, who: str = "ann") -> AsyncGenerator["asyncio.Task[httpx2.Response]"]:
    """A request that waits, begun."""
    verb = crew.client.post if path.startswith("/claim") else crew.client.get
    task = asyncio.create_task(verb(f"/v1/jobs{path}", headers=bearing(crew.keys[who])))
    yield task
    async with asyncio.timeout(60):
        await task


@pytest.mark.usefixtures("by_the_bell")
async def test_a_job_is_waited_for_until_it_changes(crew: Crew) -> None:
    job = await crew.job()
    async with meanwhile(crew, f"/{job}?wait=30&after=1") as task:
        token = await crew.claim("ann", job)
    assert task.result().json()["version"] == 2
    assert (await crew.get(f"/{job}?wait=30&after=1"))["version"] == 2
    async with meanwhile(crew, f"/{job}/events?wait=30&after=2") as task:
        await crew.ok("ann", f"/{job}/complete", {"token": token})
    assert [event["type"] for event in task.result().json()["items"]] == ["completed"]


@pytest.mark.usefixtures("by_the_bell")
async def test_a_step_is_waited_for_until_there_is_one_to_do(crew: Crew) -> None:
    async with meanwhile(crew, "/claim?wait=30", "bob") as task:
        job = await crew.job()
    assert task.result().json()["job"]["id"] == job


async def test_a_lost_notification_costs_seconds(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf(_: Bell, __: str) -> None:
        """Nobody hears it."""

    monkeypatch.setattr(Bell, "ring", deaf)
    job = await crew.job()
    async with meanwhile(crew, f"/{job}?wait=30&after=1") as task:
        await crew.claim("ann", job)
    assert task.result().json()["version"] == 2


async def test_without_a_change_the_answer_comes_in_time_and_says_so(crew: Crew) -> None:
    job = await crew.job()
    assert (await crew.get(f"/{job}?wait=1&after=1"))["version"] == 1
    assert (await crew.get(f"/{job}/events?wait=1&after=1"))["items"] == []
    await crew.claim("ann", job)
    assert await crew.ok("bob", "/claim?wait=1") == {"job": None, "token": None}
    assert (await crew.client.get(f"/v1/jobs/{job}?wait=31", headers=bearing(crew.keys["ann"]))).status_code == 422


async def test_the_listening_connection_comes_back_when_it_is_cut(
    crew: Crew, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await crew.job()
    with psycopg.connect(database_url, autocommit=True) as connection:
        cut = connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND query ILIKE 'LISTEN%'"""
        ).fetchall()
        assert len(cut) == 1
        async with asyncio.timeout(30):
            while not connection.execute(  # noqa: ASYNC110 -- another process connects
                """SELECT FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"""
            ).fetchall():
                await asyncio.sleep(0.05)
    monkeypatch.setattr(waiting, "woken", rung)
    async with meanwhile(crew, f"/{job}?wait=30&after=1") as task:
        await crew.claim("ann", job)
    assert task.result().json()["version"] == 2


async def test_what_happens_comes_as_a_stream_that_is_taken_up_where_it_broke(
    database_url: str, database: Database, crew: Crew
) -> None:
    """Over a real connection, for a stream must arrive piece by piece."""
    job = await crew.job()
    accepting = {**bearing(crew.keys["ann"]), "Accept": "text/event-stream"}
    with serving(database_url=database_url) as served:
        async with httpx2.AsyncClient(base_url=served.url) as client:
            async with client.stream("GET", f"/v1/jobs/{job}/events", headers=accepting) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                lines = stream.aiter_lines()
                assert await _next(lines) == ("1", "created")
                token = await crew.claim("ann", job)
                assert await _next(lines) == ("2", "claimed")
            await crew.ok("ann", f"/{job}/complete", {"token": token})
            again = {**accepting, "Last-Event-ID": "2"}
            async with client.stream("GET", f"/v1/jobs/{job}/events", headers=again) as stream:
                lines = stream.aiter_lines()
                assert await _next(lines) == ("3", "completed")
                await crew.ok("ann", f"/{job}/cancel", {"reason": "Never mind."})
                kinds = [await _next(lines), await _next(lines)]
                assert [kind for _, kind in kinds] == ["compensating", "compensated"]
                # The job has ended, and so does the stream.
                assert [line async for line in lines] == [""]
            unknown = await client.get("/v1/jobs/job_0/events", headers=accepting)
            assert unknown.status_code == 404


async def _next(lines: AsyncIterator[str]) -> tuple[str, str]:
    """The id and kind of the next event; comments are passed by."""
    found: dict[str, str] = {}
    async with asyncio.timeout(60):
        async for line in lines:
            name, _, value = line.partition(": ")
            found[name] = value
            if name == "data":
                break
    return found["id"], found["event"]


async def test_a_report_is_text_for_people_too(crew: Crew) -> None:
    job = await crew.until("reconciled", reference="order-7")
    headers = {**bearing(crew.keys["ann"]), "Accept": "text/plain"}
    text = (await crew.client.get(f"/v1/jobs/{job}/report", headers=headers)).text
    assert text.splitlines()[0] == f"Job {job} order-7: checkout 1, done, reconciled"
    assert "Amount 10.00 USD: captured 10.00, reversed 0.00, held 0.00" in text
    assert [line.split()[:3] for line in text.splitlines() if line.startswith("check_risk")] == [
        ["check_risk", "check_risk", "bob"]
    ]
