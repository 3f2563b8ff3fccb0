"""A tenant with an operator who makes endpoints, and a worker that follows and sends."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from bursar.kernel.db import Database
from tests.features.notifications.tellers import Teller


@pytest.fixture
async def teller(database: Database, database_url: str, tenant_id: UUID) -> AsyncGenerator[Teller]:
    """Has things happen in the tenant, and follows them."""
    worker = await Database.open(database_url, role="bursar_worker", connections=4)
    yield Teller(database, worker, tenant_id)
    await worker.close()
