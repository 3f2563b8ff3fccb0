"""A counter at which payments are taken, for every test of this room."""

from collections.abc import AsyncGenerator

import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.payments.counter import Clock, Counter, Cut, Faulty, connected


@pytest.fixture
async def counter(database: Database, database_url: str) -> AsyncGenerator[Counter]:
    """The service over ASGI with a tenant in it, and its worker's database."""
    clock, around = Clock(), Cut.around(database)
    workers = await Database.open(database_url, role="bursar_worker", connections=4)
    async with served(database) as plain, client_of(plain) as client:
        tenant = await enrol(database, client, "ours")
    provider = Faulty(database, tenant.id, clock)
    providers = connected(provider, clock)
    async with served(around, providers=providers) as app, client_of(app) as client:
        yield Counter(client, tenant, clock, provider, around, workers, providers)
    await workers.close()
