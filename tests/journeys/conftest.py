"""Stages: the service in the test's own process, over ASGI; and whatever PostgreSQL a real process is to be given."""

from collections.abc import AsyncGenerator, Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp

from bursar.client import Bursar, Reply
from bursar.core.identity import service as identity
from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.ids import new_id
from tests.api.serving import BASE, served
from tests.api.tenants import key_for
from tests.databases import own_database
from tests.journeys.stage import Stage, staged

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


def over_asgi(app: ASGIApp, key: str | None, replies: list[Reply]) -> Bursar:
    """A client that hands its requests to the application itself."""
    return Bursar(BASE, key, transport=httpx2.ASGITransport(app), on_reply=replies.append)


@pytest.fixture
async def stage(database: Database) -> AsyncGenerator[Stage]:
    """A stage in this process; nothing in its service is open without a key."""
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, "journey")
        key = await key_for(tx, "operator", "boss")
    async with served(database) as app, staged(partial(over_asgi, app), key) as stage:
        yield stage


@pytest.fixture
async def sandbox_app(database: Database) -> AsyncGenerator[ASGIApp]:
    """The sandbox in this process: open without a key, for this machine only."""
    tenant_id = tenant_id_of(sandbox.TENANT)
    async with database.transaction(tenant_id) as tx:
        await sandbox.ensure(tx)
    async with served(database, tenant_id) as app:
        yield app


@pytest.fixture(scope="session")
def postgres15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's URL of Debian's PostgreSQL 15, started for the tests that ask for it."""
    if not (DEBIAN_15 / "postgres").exists():
        pytest.skip(f"There is no PostgreSQL 15 in {DEBIAN_15}.")
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres15"), binaries=DEBIAN_15) as server:
        yield server.start()


@pytest.fixture
def empty_database_15(postgres15: str) -> Iterator[str]:
    """A database without anything in it, on PostgreSQL 15."""
    with own_database(postgres15, "template1") as url:
        yield url
