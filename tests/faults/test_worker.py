"""Work that goes up is done in the end, whatever went wrong on the way."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg
import structlog

from bursar import worker
from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import Tenant, bearing, enrol

_SECONDS = 20


@asynccontextmanager
async def working(database_url: str) -> AsyncGenerator[None]:
    """A worker beside the test."""
    database = await Database.open(database_url, role="bursar_worker", connections=2)
    work = asyncio.create_task(worker.work(database))
    try:
        yield
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await database.close()


async def test_a_hold_that_is_due_is_given_back_though_the_worker_failed_before(
    database: Database, database_url: str
) -> None:
    """The table is gone for a moment: a bug as good as any."""
    async with served(database) as app, client_of(app) as client:
        tenant = await enrol(database, client, "ours")
        hold = await place_hold(client, tenant)
        with psycopg.connect(database_url, autocommit=True) as connection, structlog.testing.capture_logs() as logs:
            connection.execute("ALTER TABLE bursar.hold RENAME TO hold_gone")
            async with working(database_url):
                await until(lambda: bool(logs))
                connection.execute("ALTER TABLE bursar.hold_gone RENAME TO hold")
                async with asyncio.timeout(_SECONDS):
                    while not (found := await expiries(client, tenant, hold)):
                        pass
        (event,) = found
        assert event["actor"] == {"kind": "system", "id": None, "name": None, "key": None}
        balance = (await client.get(f"/v1/accounts/{tenant.main}/balance", headers=bearing(tenant.agent))).json()
        assert (balance["held"], balance["available"]) == ("0.00", balance["posted"])


async def until(fact: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    async with asyncio.timeout(_SECONDS):
        while not fact():  # noqa: ASYNC110 -- the log sets no event
            await asyncio.sleep(0.05)


async def place_hold(client: httpx2.AsyncClient, tenant: Tenant) -> str:
    """A hold whose time is over almost at once."""
    soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    body = {"account": tenant.main, "amount": "1.00", "currency": "USD", "expires_at": soon}
    placed = await client.post("/v1/holds", json=body, headers=bearing(tenant.agent))
    assert placed.status_code == 201, placed.text
    return placed.json()["id"]


async def expiries(client: httpx2.AsyncClient, tenant: Tenant, hold: str) -> list[dict[str, Any]]:
    """What the record says of its end."""
    answer = await client.get(f"/v1/events?object={hold}&action=expire_hold", headers=bearing(tenant.operator))
    return answer.json()["items"]
