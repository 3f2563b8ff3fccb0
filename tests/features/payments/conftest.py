"""A counter at which payments are taken, for every test of this room."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import pytest

from bursar.features.payments.connecting import with_upstream
from bursar.features.payments.providers.stripe import StripeProvider
from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.payments.branch import SIDES, Branch
from tests.features.payments.counter import Clock, Counter, Cut, Faulty, connected
from tests.simulated import KEY, Simulated, simulating
from tests.upstreams import Upstream


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


@pytest.fixture
async def branch(counter: Counter) -> AsyncGenerator[Branch]:
    upstream = Upstream(balances={"p-1": 10_000})
    providers = with_upstream(counter.providers, upstream, counter.tenant.id)
    async with served(counter.database, providers=providers) as app, client_of(app) as client:
        branch = Branch(replace(counter, client=client, providers=providers), upstream)
        for number, there in zip(SIDES, ("p-1", "s-1"), strict=True):
            assert (await branch.mark(number, there)).status_code == 200
        yield branch


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulating(tmp_path_factory.mktemp("simulator")) as started:
        yield started


@pytest.fixture
def simulator(process: Simulated) -> Iterator[Simulated]:
    process.control("POST", "reset")
    process.control("POST", "clock", hold=True)
    yield process
    process.books()


@pytest.fixture
async def stripe(simulator: Simulated) -> AsyncGenerator[StripeProvider]:
    made = StripeProvider(KEY, api=simulator.url, return_url="https://shop.example/back")
    yield made
    await made.close()
