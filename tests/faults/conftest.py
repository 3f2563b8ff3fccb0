"""Who asks, in tests of faults."""

import pytest

from bursar.core.identity import service as identity
from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database


@pytest.fixture
async def key(database: Database) -> str:
    """A key of the sandbox's agent: outside of the sandbox nothing is open without one."""
    async with database.transaction(tenant_id_of(sandbox.TENANT)) as tx:
        await sandbox.ensure(tx)
        agent = await identity.find_agent(tx, sandbox.AGENT)
        _, made = await identity.create_key(tx, agent, None, live=True)
    return made.text
