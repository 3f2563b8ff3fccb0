"""The service over ASGI, on a database of the test's own, with two tenants in it; and the sandbox."""

from collections.abc import AsyncGenerator, Iterator

import httpx2
import psycopg
import pytest
from starlette.types import ASGIApp

from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from tests.api.books import Books
from tests.api.operations import Operation, operations_of
from tests.api.serving import client_of, served
from tests.api.tenants import Tenant, enrol


@pytest.fixture
async def app(database: Database) -> AsyncGenerator[ASGIApp]:
    """The service; nothing in it is open without a key."""
    async with served(database) as app:
        yield app


@pytest.fixture
async def client(app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of it."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def tenant(database: Database, client: httpx2.AsyncClient) -> Tenant:
    """The tenant whose keys the test uses."""
    return await enrol(database, client, "ours")


@pytest.fixture
async def other(database: Database, client: httpx2.AsyncClient) -> Tenant:
    """A tenant whose things must stay out of reach."""
    return await enrol(database, client, "theirs")


@pytest.fixture
async def sandboxed(database: Database) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the sandbox: open without a key, for this machine only."""
    tenant_id = tenant_id_of(sandbox.TENANT)
    async with database.transaction(tenant_id) as tx:
        await sandbox.ensure(tx)
    async with served(database, tenant_id) as app, client_of(app) as client:
        yield client


@pytest.fixture
def books(database_url: str) -> Iterator[Books]:
    """What each tenant has."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield Books(connection)


@pytest.fixture
async def operations(client: httpx2.AsyncClient) -> list[Operation]:
    """Every operation that the OpenAPI document of the service names."""
    return operations_of((await client.get("/openapi.json")).json())
