"""A lender whose borrowers may be reminded at any hour, and the database as the worker sees it."""

from collections.abc import AsyncGenerator

import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.collections.late import ANY_TIME
from tests.features.lending.applying import Lender, lender_of


@pytest.fixture
async def lender(database: Database) -> AsyncGenerator[Lender]:
    async with served(database) as app, client_of(app) as client:
        ours = await lender_of(database, client, await enrol(database, client, "ours"))
        await ours.ok("operator", "/contact-rules", ANY_TIME)
        yield ours


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=4)
    yield opened
    await opened.close()
