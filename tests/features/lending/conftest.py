"""A lender with two agents who may do everything and two operators, and the database as the worker sees it."""

from collections.abc import AsyncGenerator

import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.lending.applying import Lender, lender_of


@pytest.fixture
async def lender(database: Database) -> AsyncGenerator[Lender]:
    async with served(database) as app, client_of(app) as client:
        yield await lender_of(database, client, await enrol(database, client, "ours"))


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=2)
    yield opened
    await opened.close()
