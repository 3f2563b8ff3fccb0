"""A COMMIT that nobody waits for, or whose answer was lost, has one fate; no server is used that could lose it."""

import asyncio
from uuid import UUID

import pytest

from bursar.kernel.db import CannotConnect, CommitLost, Database, NotDurable, Tx, connect


async def _name(database: Database, tenant_id: UUID) -> str:
    async with database.transaction(tenant_id, read_only=True) as tx:
        return await tx.value(str, "SELECT name FROM principal")


async def test_a_commit_under_way_is_finished_though_its_caller_is_cancelled(
    database: Database, tenant_id: UUID
) -> None:
    for turns in range(12):
        name = f"after {turns} turns"
        inside = asyncio.Event()
        task = asyncio.create_task(_rename(database, tenant_id, name, inside))
        await inside.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        # The event was set as the last thing before COMMIT, so the transaction is committed at any rate.
        assert await _name(database, tenant_id) == name
    async with asyncio.timeout(10):
        await asyncio.gather(*(_name(database, tenant_id) for _ in range(20)))


async def _rename(database: Database, tenant_id: UUID, name: str, inside: asyncio.Event) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run("UPDATE principal SET name = $1", name)
        inside.set()


async def test_cancelling_at_any_moment_costs_no_connection(database_url: str, tenant_id: UUID) -> None:
    database = await Database.open(database_url, connections=2)
    for turns in range(60):
        task = asyncio.create_task(_rename(database, tenant_id, f"name {turns}", asyncio.Event()))
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async with database.transaction(tenant_id), database.transaction(tenant_id):
        pass
    await database.close()


@pytest.mark.parametrize(("traced", "fate"), [(True, "committed"), (False, "aborted")])
async def test_the_fate_of_a_lost_commit_is_told_by_its_trace(
    database: Database, tenant_id: UUID, traced: bool, fate: str
) -> None:
    async def left_a_trace(tx: Tx) -> bool:
        return await tx.value(bool, "SELECT $1::boolean", traced)

    assert await database.fate_of(CommitLost(42), tenant_id, left_a_trace) == fate


async def test_a_transaction_that_has_not_ended_has_no_fate_yet(database: Database, tenant_id: UUID) -> None:
    async def left_a_trace(_: Tx) -> bool:
        raise AssertionError("it cannot be known")

    async with database.transaction(locks=[42]):
        assert await database.fate_of(CommitLost(42), tenant_id, left_a_trace) == "unknown"


@pytest.mark.parametrize("value", ["off", "local"])
async def test_a_database_that_may_lose_what_it_acknowledged_is_refused(
    unverified_database_url: str, value: str
) -> None:
    owner = await connect(unverified_database_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = {value}")
    await owner.close()
    with pytest.raises(NotDurable, match=f"synchronous_commit is {value}"):
        await Database.open(unverified_database_url)
    # The control in the crash tests asks for it.
    await (await Database.open(unverified_database_url, durable=False)).close()


async def test_a_role_that_is_not_there_is_said_so(database_url: str) -> None:
    with pytest.raises(CannotConnect, match="nobody_here"):
        await Database.open(database_url, role="nobody_here")


async def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(CannotConnect):
        await Database.open("postgresql://postgres@/postgres?host=/nowhere&port=5432")
    with pytest.raises(CannotConnect):
        await connect("postgresql://postgres@/postgres?host=/nowhere&port=5432")
