"""Desk tests start from an operator's story, too."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from uuid import UUID

import pytest

from bursar.core.authority.desk import Desk
from bursar.core.identity.model import KeyCredential
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, Draft, Stale
from tests.core.authority.ahead import Ahead
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


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """Counts them."""
    seen, real = Ahead(), Database.carry_out

    async def counted(self: Database, draft: Draft, locks: Sequence[int]) -> datetime:
        seen.drafts.append(draft)
        try:
            clock = await real(self, draft, locks)
        except Stale:
            seen.stale += 1
            seen.came_to_nothing.set()
            raise
        seen.written += 1
        return clock

    monkeypatch.setattr(Database, "carry_out", counted)
    return seen


@pytest.fixture
async def elsewhere(database_url: str) -> AsyncGenerator[Desk]:
    """The desk of another process."""
    database = await Database.open(database_url, connections=4)
    yield Desk(database, assess)
    await database.close()


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    """The database as the worker has it."""
    opened = await Database.open(database_url, role="bursar_worker", connections=4)
    yield opened
    await opened.close()
