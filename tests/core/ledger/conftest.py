"""Every ledger test may tell a story."""

from uuid import UUID

import pytest

from bursar.kernel.db import Database
from tests.stories import Story


@pytest.fixture
async def story(database: Database, tenant_id: UUID) -> Story:
    return await Story.begin(database, tenant_id)
