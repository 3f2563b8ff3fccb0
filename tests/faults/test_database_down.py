"""While the database is gone or busy, callers are told so, nothing moves, and nobody has to restart anything."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bursar.api.door import SANDBOX_AGENT
from bursar.core.identity.keys import make_key
from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.ids import new_id
from bursar.kernel.migrate import migrate
from tests.api.serving import client_of, served
from tests.faults import power
from tests.faults.clients import SOURCE, TARGET
from tests.faults.ledgers import violations
from tests.served import Served, serving

TRANSFER = {"from_account": SOURCE, "to_account": TARGET, "amount": "0.01"}
_SECONDS = 30


async def answered(client: httpx2.AsyncClient, status: int, method: str, path: str, **how: Any) -> httpx2.Response:
    """Ask until the answer is this; nothing but a passing refusal may come before."""
    async with asyncio.timeout(_SECONDS):
        while (answer := await client.request(method, path, **how)).status_code != status:
            assert answer.status_code in (200, 503), answer.text
            await asyncio.sleep(0.1)
    return answer


def check_refused(answer: httpx2.Response) -> None:
    """Nothing moved, and the same request may be sent again."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "upstream_unavailable"), answer.text
    assert (problem["money_moved"], problem["retry"]) == ("no", "same_key")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the test's own, which it may kill."""
    with EmbeddedPostgres(tmp_path) as server:
        yield server


async def test_a_configured_database_that_is_gone_is_told_and_found_again(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Somebody else keeps that database; the service must only live through it."""
    url = server.start()
    await migrate(url)
    await fill(url)
    with serving(database_url=url) as service:
        async with httpx2.AsyncClient(base_url=service.url, timeout=20) as client:
            await answered(client, 200, "GET", "/readyz")
            power.cut(tmp_path)
            await answered(client, 503, "GET", "/readyz")
            check_refused(await client.get("/readyz"))
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/metrics")).status_code == 200
            # A well-formed key that nobody has: with the database there it is refused, now nobody can say.
            key = make_key(tenant_id_of(sandbox.TENANT), live=True).text
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": new_id().hex}
            check_refused(await client.get("/v1/accounts", headers=headers))
            check_refused(await client.post("/transfers", json=TRANSFER, headers=headers))
            server.start()
            await answered(client, 200, "GET", "/readyz")
            assert (await client.get("/v1/accounts", headers=headers)).status_code == 401
    assert await violations(url) == []


async def test_the_embedded_database_is_brought_up_again_by_the_service(tmp_path: Path) -> None:
    async with sandbox_of(tmp_path) as (_, client):
        power.cut(tmp_path)
        key = {"Idempotency-Key": new_id().hex}
        first = await answered(client, 200, "POST", "/transfers", json=TRANSFER, headers=key)
        again = await client.post("/transfers", json=TRANSFER, headers=key)
        assert again.content == first.content
        assert (await client.get("/readyz")).status_code == 200


async def test_the_service_goes_on_trying_when_the_embedded_database_does_not_come_up_at_once(tmp_path: Path) -> None:
    version = tmp_path / "postgres" / "PG_VERSION"
    async with sandbox_of(tmp_path) as (service, client):
        right = version.read_text()
        # As if somebody had taken the directory for another PostgreSQL: it refuses to start.
        version.write_text("99\n")
        power.cut(tmp_path)
        await answered(client, 503, "GET", "/readyz")
        # The service looks twice a second, and each look fails until the file is right again.
        for _ in range(3):
            check_refused(await client.post("/transfers", json=TRANSFER, headers={"Idempotency-Key": new_id().hex}))
            await asyncio.sleep(0.5)
        assert service.process.poll() is None
        version.write_text(right)
        await answered(client, 200, "GET", "/readyz")


@pytest.mark.parametrize("starts", [True, False], ids=["it comes up again", "it does not"])
async def test_the_service_stops_in_time_though_its_database_has_just_died(tmp_path: Path, starts: bool) -> None:
    async with sandbox_of(tmp_path) as (service, client):
        if not starts:
            (tmp_path / "postgres" / "PG_VERSION").write_text("99\n")
        power.cut(tmp_path)
        check_refused(await client.post("/transfers", json=TRANSFER, headers={"Idempotency-Key": new_id().hex}))
        began = time.monotonic()
        assert await asyncio.to_thread(service.stop) == 0
        assert time.monotonic() - began < 5


@asynccontextmanager
async def sandbox_of(data: Path) -> AsyncGenerator[tuple[Served, httpx2.AsyncClient]]:
    """The sandbox of a data directory, and a client of it."""
    with serving(data=data) as service:
        async with httpx2.AsyncClient(base_url=service.url, timeout=20) as client:
            yield service, client


async def fill(url: str) -> None:
    """The sandbox's accounts, in a database that is none."""
    database = await Database.open(url, connections=1)
    async with database.transaction(tenant_id_of(sandbox.TENANT)) as tx:
        await sandbox.ensure(tx)
    await database.close()


@pytest.fixture
async def narrow(database_url: str) -> AsyncGenerator[Database]:
    """A database with one connection, for which nobody waits long."""
    await fill(database_url)
    database = await Database.open(database_url, connections=1, seconds_to_wait=0.2)
    yield database
    await database.close()


async def test_when_all_connections_are_taken_callers_are_refused_and_then_served(narrow: Database) -> None:
    tenant_id = tenant_id_of(sandbox.TENANT)
    key = {"Idempotency-Key": new_id().hex}
    async with served(narrow, tenant_id) as app, client_of(app) as client:
        async with narrow.transaction(tenant_id):
            check_refused(await client.post("/transfers", json=TRANSFER, headers=key))
            check_refused(await client.get(f"/accounts/{SOURCE}/balance"))
            check_refused(await client.get("/readyz"))
            assert (await client.get("/healthz")).status_code == 200
        assert (await client.post("/transfers", json=TRANSFER, headers=key)).status_code == 200
        assert (await client.get(f"/accounts/{SOURCE}/balance")).json()["balance"] == "12499.99"


async def test_a_flood_waits_its_turn_or_is_refused_and_never_fails(narrow: Database) -> None:
    """Two hundred at once on one connection: whoever got no answer gets it with the same key."""
    keys: list[str] = [new_id().hex for _ in range(200)]
    async with served(narrow, tenant_id_of(sandbox.TENANT)) as app, client_of(app) as client:

        async def send(key: str) -> int:
            answer = await client.post("/transfers", json=TRANSFER, headers={"Idempotency-Key": key})
            read = await client.get(f"/agent/{SANDBOX_AGENT}/events")
            assert {answer.status_code, read.status_code} <= {200, 503}
            return answer.status_code

        while keys:
            statuses: list[int] = await asyncio.gather(*(send(key) for key in keys))
            keys = [key for key, status in zip(keys, statuses, strict=True) if status == 503]
        assert (await client.get(f"/accounts/{TARGET}/balance")).json()["balance"] == "5002.00"
