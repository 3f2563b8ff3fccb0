"""A crew at a service, and the database as the worker sees it, for every test of this room."""

from collections.abc import AsyncGenerator

import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.crews import Crew, crew_of


@pytest.fixture
async def crew(database: Database) -> AsyncGenerator[Crew]:
    async with served(database) as app, client_of(app) as client:
        yield await crew_of(database, client, await enrol(database, client, "ours"))


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    """The database as the worker sees it."""
    opened = await Database.open(database_url, role="bursar_worker", connections=2)
    yield opened
    await opened.close()
