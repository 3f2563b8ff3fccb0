"""Desk tests start from an operator's story, too."""

from uuid import UUID

import pytest

from bursar.core.identity.model import KeyCredential
from bursar.kernel.db import Database
from tests.core.authority.offices import Office
from tests.people import enrol
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


@pytest.fixture
async def office(story: Story) -> Office:
    """Alice has 1000.00 USD; the clerk pays up to 10.00 alone."""
    return await Office.open(story)


@pytest.fixture
async def ann(office: Office) -> KeyCredential:
    """An operator."""
    return await enrol(office.database, office.story.tenant_id, "operator", "ann")


@pytest.fixture
async def ben(office: Office) -> KeyCredential:
    """Another operator."""
    return await enrol(office.database, office.story.tenant_id, "operator", "ben")
