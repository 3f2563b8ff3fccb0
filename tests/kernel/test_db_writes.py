"""Writes that wait for others, and writes that are sent ahead: one round trip, in order, all or nothing."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id

RENAME = "UPDATE principal SET name = $1"
HIRE = "INSERT INTO principal (tenant_id, id, kind, name) VALUES ($1, $2, 'agent', $3)"


def _hire(tx: Tx, name: str) -> None:
    tx.later(HIRE, tx.tenant, new_id(), name)


async def _names(database: Database, tenant_id: UUID) -> set[str]:
    async with database.transaction(tenant_id, read_only=True) as tx:
        return set(await tx.column(str, "SELECT name FROM principal"))


async def test_what_waits_goes_as_one_statement_before_the_commit(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "first")
        tx.later(RENAME + " WHERE tenant_id = $2 AND name = $3", "renamed", tenant_id, "operator")
        _hire(tx, "second")
    assert await _names(database, tenant_id) == {"first", "second", "renamed"}
    async with database.transaction(tenant_id, read_only=True) as tx:
        # cmin is the number, within its transaction, of the statement that wrote a row.
        commands = await tx.column(str, "SELECT DISTINCT cmin::text FROM principal WHERE name <> 'operator'")
    assert len(commands) == 1


async def test_whoever_reads_sees_what_waited(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "new")
        assert await tx.value(int, "SELECT count(*) FROM principal WHERE name = 'new'") == 1
        _hire(tx, "newer")
        await tx.run(RENAME + " WHERE name = 'newer'", "newest")
    assert {"new", "newest"} < await _names(database, tenant_id)


async def test_what_waits_inside_a_savepoint_is_undone_with_it(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "before")
        with pytest.raises(asyncpg.UniqueViolationError):
            await _hire_twice(tx)
        with pytest.raises(ZeroDivisionError):
            await _hire_and_raise(tx)
        _hire(tx, "after")
    assert await _names(database, tenant_id) == {"operator", "before", "after"}


async def _hire_twice(tx: Tx) -> None:
    async with tx.savepoint():
        _hire(tx, "twin")
        _hire(tx, "twin")


async def _hire_and_raise(tx: Tx) -> None:
    async with tx.savepoint():
        _hire(tx, "undone")
        raise ZeroDivisionError


async def test_what_waits_and_fails_leaves_nothing(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await _hire_twice_at_the_end(database, tenant_id)
    assert await _names(database, tenant_id) == {"operator"}


async def _hire_twice_at_the_end(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "new")
        await _hire_twice(tx)


async def test_what_is_sent_goes_while_the_caller_makes_more_and_in_order(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "first")
        await tx.send()
        tx.later(RENAME + " WHERE tenant_id = $2 AND name = $3", "renamed", tenant_id, "first")
        await tx.send()
        await tx.send()  # There is nothing to send.
        _hire(tx, "second")
    assert await _names(database, tenant_id) == {"operator", "renamed", "second"}


async def test_whoever_reads_sees_what_was_sent(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "new")
        await tx.send()
        assert await tx.value(int, "SELECT count(*) FROM principal WHERE name = 'new'") == 1


async def test_what_was_sent_and_failed_is_told_at_the_next_statement_or_at_the_end(
    database: Database, tenant_id: UUID
) -> None:
    for ask in (True, False):
        with pytest.raises(asyncpg.UniqueViolationError):
            await _send_twins(database, tenant_id, ask=ask)
        assert await _names(database, tenant_id) == {"operator"}


async def _send_twins(database: Database, tenant_id: UUID, *, ask: bool) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "twin")
        _hire(tx, "twin")
        await tx.send()
        if ask:
            await tx.run("SELECT 1")


async def test_an_error_after_something_was_sent_undoes_it_and_costs_no_connection(
    database_url: str, tenant_id: UUID
) -> None:
    database = await Database.open(database_url, connections=1)
    for inner in (False, True):
        with pytest.raises(ZeroDivisionError):
            await _send_and_raise(database, tenant_id, inner=inner)
        assert await _names(database, tenant_id) == {"operator"}
    await database.close()


async def _send_and_raise(database: Database, tenant_id: UUID, *, inner: bool) -> None:
    async with database.transaction(tenant_id) as tx:
        if inner:
            async with tx.savepoint():
                await _hire_send_and_raise(tx)
        await _hire_send_and_raise(tx)


async def _hire_send_and_raise(tx: Tx) -> None:
    _hire(tx, "undone")
    await tx.send()
    raise ZeroDivisionError


async def test_a_savepoint_keeps_what_was_sent_before_it(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "before")
        await tx.send()
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                await _hire_send_and_raise(tx)
    assert await _names(database, tenant_id) == {"operator", "before"}


async def test_a_caller_who_is_cancelled_after_sending_leaves_nothing_and_costs_no_connection(
    database_url: str, tenant_id: UUID
) -> None:
    database = await Database.open(database_url, connections=1)
    for turns in range(12):
        task = asyncio.create_task(_send_and_linger(database, tenant_id))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await _names(database, tenant_id) == {"operator"}
    await database.close()


async def _send_and_linger(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        _hire(tx, "lingering")
        await tx.send()
        await tx.run("SELECT pg_sleep(5)")
