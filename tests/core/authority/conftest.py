"""Desk tests start from an operator's story, too."""

from uuid import UUID

import pytest

from bursar.kernel.db import Database
from tests.stories import Story


@pytest.fixture
async def story(database: Database, tenant_id: UUID) -> Story:
    """A tenant in which alice has 1000.00 USD and bob nothing."""
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        alice has 1000.00 USD
        bob has 0.00 USD
    """)
    return story
