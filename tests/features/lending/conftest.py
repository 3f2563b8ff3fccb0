"""A lender with two agents who may do everything and two operators, and the database as the worker sees it."""

from collections.abc import AsyncGenerator

import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol, key_for
from tests.features.lending.applying import Lender


@pytest.fixture
async def lender(database: Database) -> AsyncGenerator[Lender]:
    async with served(database) as app, client_of(app) as client:
        tenant = await enrol(database, client, "ours")
        async with database.transaction(tenant.id) as tx:
            keys = {name: await key_for(tx, "agent", name) for name in ("ann", "bob")}
            keys["olivia"] = await key_for(tx, "operator", "olivia")
        yield Lender(client, tenant, {**keys, "operator": tenant.operator})


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=2)
    yield opened
    await opened.close()
