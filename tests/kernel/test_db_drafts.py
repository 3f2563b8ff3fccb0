"""Drafts: one statement that locks, checks and writes, as its own transaction, or has had no effect."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bursar.core.identity import service as identity
from bursar.kernel.db import CommitLost, Database, Draft, Stale, Unforeseen, connect
from bursar.kernel.ids import new_id

HIRE = "INSERT INTO principal (tenant_id, id, kind, name) VALUES ($1, $2, 'agent', $3)"
STANDS = "SELECT p.id FROM gate JOIN principal p ON p.tenant_id = gate.tenant_id AND p.name = $1"
LOCK = 4711


def _hiring(tenant_id: UUID, name: str) -> Draft:
    draft = Draft(tenant_id)
    draft.later(HIRE, tenant_id, new_id(), name)
    return draft


async def _names(database: Database, tenant_id: UUID) -> set[str]:
    async with database.transaction(tenant_id, read_only=True) as tx:
        return set(await tx.column(str, "SELECT name FROM principal"))


async def _until_blocking(connection: Any) -> None:
    """Until somebody waits for a lock of this connection's."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    while not await connection.fetchval(waiting):  # noqa: ASYNC110 -- another process's state has no event
        await asyncio.sleep(0.01)


async def test_it_writes_what_it_holds_and_tells_the_time(database: Database, tenant_id: UUID) -> None:
    draft = _hiring(tenant_id, "first")
    draft.must(STANDS, "operator", rows=1)
    draft.later(HIRE, tenant_id, new_id(), "second")
    clock = await database.carry_out(draft, [LOCK])
    assert await _names(database, tenant_id) == {"operator", "first", "second"}
    assert abs(datetime.now(UTC) - clock) < timedelta(minutes=1)


@pytest.mark.parametrize("rows", [0, 2])
async def test_it_comes_to_nothing_if_one_condition_has_another_number_of_rows(
    database: Database, tenant_id: UUID, rows: int
) -> None:
    draft = _hiring(tenant_id, "first")
    draft.must(STANDS, "operator", rows=1)
    draft.must(STANDS, "operator", rows=rows)
    with pytest.raises(Stale):
        await database.carry_out(draft, [LOCK])
    assert await _names(database, tenant_id) == {"operator"}


async def test_it_comes_to_nothing_if_a_row_cannot_be_written(database: Database, tenant_id: UUID) -> None:
    draft = _hiring(tenant_id, "first")
    draft.later(HIRE, tenant_id, new_id(), "operator")
    with pytest.raises(Stale):
        await database.carry_out(draft, [LOCK])
    assert await _names(database, tenant_id) == {"operator"}


async def test_row_security_is_that_of_its_tenant(database: Database, tenant_id: UUID) -> None:
    other_id = new_id()
    async with database.transaction(other_id) as tx:
        await identity.create_tenant(tx, "other")
        await identity.create_principal(tx, "operator", "stranger")
    draft = _hiring(tenant_id, "first")
    draft.must("SELECT p.id FROM gate, principal p WHERE gate.tenant_id IS NOT NULL AND name = $1", "stranger", rows=0)
    await database.carry_out(draft, [])
    foreign = Draft(tenant_id)
    foreign.later(HIRE, other_id, new_id(), "planted")
    with pytest.raises(Stale):
        await database.carry_out(foreign, [])
    assert await _names(database, other_id) == {"stranger"}
    async with database.transaction(other_id, read_only=True) as tx:
        assert await tx.value(str, "SELECT current_setting('app.tenant_id')") == str(other_id)


async def test_nothing_of_its_tenant_stays_with_the_connection(database_url: str, tenant_id: UUID) -> None:
    database = await Database.open(database_url, connections=1)
    await database.carry_out(_hiring(tenant_id, "first"), [])
    async with database.transaction(read_only=True) as tx:
        assert await tx.value(int, "SELECT count(*) FROM principal") == 0
    await database.close()


async def test_it_waits_for_its_locks_before_it_looks(database: Database, tenant_id: UUID, database_url: str) -> None:
    draft = _hiring(tenant_id, "first")
    draft.must(STANDS + " FOR SHARE OF p", "operator", rows=1)
    connection = await connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        writing = asyncio.create_task(database.carry_out(draft, [LOCK]))
        await _until_blocking(connection)
        await connection.execute("UPDATE bursar.principal SET name = 'gone' WHERE name = 'operator'")
    await connection.close()
    with pytest.raises(Stale):
        await writing
    assert await _names(database, tenant_id) == {"gone"}


async def test_a_lock_that_is_not_had_soon_leaves_it_undone(
    database: Database, tenant_id: UUID, database_url: str
) -> None:
    connection = await connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        with pytest.raises(Stale):
            await database.carry_out(_hiring(tenant_id, "first"), [LOCK])
    await connection.close()
    assert await _names(database, tenant_id) == {"operator"}


async def test_a_server_that_goes_away_leaves_its_fate_open(
    database: Database, tenant_id: UUID, database_url: str
) -> None:
    connection = await connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        writing = asyncio.create_task(database.carry_out(_hiring(tenant_id, "first"), [LOCK]))
        await _until_blocking(connection)
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        await connection.execute(ended)
        with pytest.raises(CommitLost):
            await writing
    await connection.close()
    assert await _names(database, tenant_id) == {"operator"}


async def test_it_asks_nothing(tenant_id: UUID) -> None:
    draft = _hiring(tenant_id, "first")
    await draft.send()
    with pytest.raises(Unforeseen):
        await draft.column(str, "SELECT name FROM principal")


async def test_a_look_sees_its_tenants_rows_only_and_leaves_no_tenant_behind(
    database_url: str, database: Database, tenant_id: UUID
) -> None:
    async with database.transaction(tenant_id) as tx:
        await identity.create_principal(tx, "agent", "ours")
    async with database.transaction(other_id := new_id()) as tx:
        await identity.create_tenant(tx, "other")
        await identity.create_principal(tx, "agent", "theirs")
    one = await Database.open(database_url, connections=1)
    seen = "SELECT p.name FROM gate, principal p WHERE gate.tenant_id IS NOT NULL AND p.name <> $1"
    assert await one.look(tenant_id, str, seen, "operator") == ["ours"]
    assert await one.look(other_id, str, seen, "operator") == ["theirs"]
    async with one.transaction(read_only=True) as tx:
        assert await tx.value(int, "SELECT count(*) FROM principal") == 0
    await one.close()
