"""A session leaves the planner one way, and keeps no plan for long."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bursar.kernel.db import Database
from bursar.kernel.db import database as databases

# A statement that tells under which name the driver keeps it: it has another when it is planned anew.
NAME = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%its own name%'"
SECONDS = "_SECONDS_OF_A_PLAN"


async def test_nothing_is_compiled_and_no_table_read_from_end_to_end(database: Database) -> None:
    async with database.transaction(read_only=True) as tx:
        settings = await tx.pairs("SELECT name, setting FROM pg_settings WHERE name IN ('jit', 'enable_seqscan')")
    assert dict(settings) == {"jit": "off", "enable_seqscan": "off"}


async def test_only_who_is_patient_has_no_limits_of_time(database_url: str, database: Database) -> None:
    """Verification reads everything, and between two questions it may count for long."""
    limits = "SELECT name, setting::int FROM pg_settings WHERE name = ANY($1::text[])"
    names = ["statement_timeout", "idle_in_transaction_session_timeout"]
    patient = await Database.open(database_url, role="bursar_verify", connections=1, patient=True)
    async with patient.transaction(read_only=True) as tx:
        assert dict(await tx.pairs(limits, names)) == dict.fromkeys(names, 0)
    await patient.close()
    async with database.transaction(read_only=True) as tx:
        assert all(milliseconds > 0 for _, milliseconds in await tx.pairs(limits, names))


async def test_a_plan_is_made_anew_after_a_while(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < vars(databases)[SECONDS] <= 20
    monkeypatch.setattr(databases, SECONDS, 0.05)
    database = await Database.open(database_url, connections=1)
    names: set[str] = set()
    async with asyncio.timeout(20):
        while len(names) < 2:
            async with database.transaction(read_only=True) as tx:
                names.update(await tx.column(str, NAME))
    await database.close()


async def test_a_connection_that_is_lost_while_it_is_given_back_takes_nothing_away(
    database: Database, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncpg.Pool.release

    async def lost_on_the_way(pool: Any, connection: Any) -> None:
        asyncio.get_running_loop().call_soon(connection.terminate)
        await release(pool, connection)

    monkeypatch.setattr(asyncpg.Pool, "release", lost_on_the_way)
    async with database.transaction(tenant_id) as tx:
        await tx.run("UPDATE principal SET name = 'new'")
    async with database.transaction(tenant_id, read_only=True) as tx:
        assert await tx.value(str, "SELECT name FROM principal") == "new"
