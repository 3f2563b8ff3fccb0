"""Transactions commit or leave nothing, errors say what they mean, and nobody waits without end."""

import asyncio
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import asyncpg
import pytest

from bursar.kernel.db import Busy, Database, Tx, UpstreamUnavailable, connect, retrying
from bursar.kernel.ids import new_id

RENAME = "UPDATE principal SET name = $1"


async def _run(database: Database, tenant_id: UUID | None, *statements: LiteralString) -> None:
    """All statements in one transaction."""
    async with database.transaction(tenant_id) as tx:
        for sql in statements:
            await tx.run(sql)


async def _name(database: Database, tenant_id: UUID) -> str:
    async with database.transaction(tenant_id, read_only=True) as tx:
        return await tx.value(str, "SELECT name FROM principal")


async def test_what_was_done_in_a_transaction_that_ends_well_stays(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "new")
    assert await _name(database, tenant_id) == "new"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, asyncio.CancelledError])
async def test_an_error_of_any_kind_undoes_it(database: Database, tenant_id: UUID, error: type[BaseException]) -> None:
    with pytest.raises(error):
        await _rename_and_raise(database, tenant_id, error)
    assert await _name(database, tenant_id) == "operator"


async def _rename_and_raise(database: Database, tenant_id: UUID, error: type[BaseException]) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "new")
        raise error


async def test_an_error_that_is_swallowed_inside_is_a_bug_and_not_a_commit(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(AssertionError, match="swallowed"):
        await _swallow(database, tenant_id)
    assert await _name(database, tenant_id) == "operator"


async def _swallow(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "new")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tx.run("SELECT 1 / 0")


async def test_a_savepoint_undoes_what_failed_inside_it_and_only_that(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "kept")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await _rename_and_fail(tx)
        async with tx.savepoint():
            await tx.run("UPDATE principal SET name = name || '!'")
    assert await _name(database, tenant_id) == "kept!"


async def _rename_and_fail(tx: Tx) -> None:
    async with tx.savepoint():
        await tx.run(RENAME, "undone")
        await tx.run("SELECT 1 / 0")


async def test_a_savepoint_that_failed_inside_another_leaves_that_one_whole(
    database: Database, tenant_id: UUID
) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run(RENAME, "kept")
        with pytest.raises(ZeroDivisionError):
            await _rename_fail_and_go_on(tx)
    assert await _name(database, tenant_id) == "kept"


async def _rename_fail_and_go_on(tx: Tx) -> None:
    async with tx.savepoint():
        await tx.run(RENAME, "undone too")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await _rename_and_fail(tx)
        raise ZeroDivisionError


async def test_a_reading_transaction_sees_one_moment_and_writes_nothing(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id, read_only=True) as tx:
        before = await tx.value(str, "SELECT name FROM principal")
        async with database.transaction(tenant_id) as other:
            await other.run(RENAME, "new")
        assert await tx.value(str, "SELECT name FROM principal") == before
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.transaction(tenant_id, read_only=True) as tx:
            await tx.run(RENAME, "newer")


async def test_the_tenant_lasts_as_long_as_its_transaction(database_url: str, tenant_id: UUID) -> None:
    database = await Database.open(database_url, connections=1)
    async with database.transaction(tenant_id) as tx:
        assert await tx.value(int, "SELECT count(*) FROM principal") == 1
    async with database.transaction() as tx:
        assert await tx.value(int, "SELECT count(*) FROM principal") == 0
        with pytest.raises(AssertionError):
            _ = tx.tenant
    await database.close()


async def test_times_are_told_in_utc_and_a_wrong_type_is_a_bug(database: Database) -> None:
    async with database.transaction() as tx:
        assert (await tx.value(datetime, "SELECT '2020-01-01 00:00+02'::timestamptz")) == datetime(
            2019, 12, 31, 22, tzinfo=UTC
        )
        with pytest.raises(AssertionError, match="expected int, got str"):
            await tx.value(int, "SELECT 'one'")


async def test_a_row_that_another_holds_too_long_is_busy(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as holder:
        await holder.run(RENAME, "held")
        with pytest.raises(Busy, check=lambda busy: not busy.at_start):
            await _run(database, tenant_id, "SET LOCAL lock_timeout = '50ms'", "UPDATE principal SET name = 'wanted'")


async def test_a_lock_that_another_holds_too_long_is_busy_and_a_free_one_is_not(database: Database) -> None:
    async with database.transaction(locks=[7, 5]):
        async with database.transaction(locks=[6]):
            pass
        with pytest.raises(Busy, check=lambda busy: busy.at_start):
            async with database.transaction(locks=[6, 7]):
                pass
    async with database.transaction(locks=[5, 6, 7]):
        pass


async def test_waiting_for_a_connection_has_an_end(database_url: str) -> None:
    database = await Database.open(database_url, connections=1, seconds_to_wait=0.2)
    async with database.transaction():
        with pytest.raises(UpstreamUnavailable):
            async with database.transaction():
                pass
    async with database.transaction():
        pass
    await database.close()


@pytest.mark.parametrize("how", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_a_session_that_an_operator_ends_is_unavailable_and_the_next_is_well(
    database: Database, tenant_id: UUID, database_url: str, how: str
) -> None:
    operator = await connect(database_url)
    sleeper = asyncio.create_task(_run(database, tenant_id, "UPDATE principal SET name = 'new'", "SELECT pg_sleep(20)"))
    end = f"SELECT {how}(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    while not await operator.fetchval(end):  # noqa: ASYNC110 -- another session cannot wake us
        await asyncio.sleep(0.01)
    with pytest.raises(UpstreamUnavailable):
        await sleeper
    await operator.close()
    assert await _name(database, tenant_id) == "operator"


async def test_a_server_that_takes_no_new_session_is_unavailable(database_url: str) -> None:
    name = database_url.partition("/test_")[2].partition("?")[0]
    database, outside = (
        await Database.open(database_url, connections=2, seconds_to_wait=0.1),
        await connect(database_url.replace(f"test_{name}", "postgres")),
    )
    await outside.execute(f"ALTER DATABASE test_{name} ALLOW_CONNECTIONS false")
    await outside.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", f"test_{name}")
    try:
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable):
                await _run(database, None, "SELECT")
    finally:
        await outside.execute(f"ALTER DATABASE test_{name} ALLOW_CONNECTIONS true")
        await outside.close()
    await _run(database, None, "SELECT")
    await database.close()


async def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(UpstreamUnavailable):
        await _run(database, None, "SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(20)")


@pytest.mark.parametrize("sql", ["SELECT 1 / 0", "SELECT wrong", "INSERT INTO tenant VALUES (NULL, NULL)"])
async def test_a_wrong_statement_stays_what_it_is(database: Database, sql: LiteralString) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await _run(database, None, sql)


async def test_a_deadlock_is_tried_again_until_both_are_done(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO principal VALUES ($1, $2, 'agent', 'second')", tenant_id, new_id())
    met = asyncio.Barrier(2)
    tries = 0

    async def change_both(first: str, second: str) -> None:
        nonlocal tries
        tries += 1
        alone = tries > 2
        async with database.transaction(tenant_id) as tx:
            await _touch(tx, first)
            if not alone:
                await met.wait()
            await _touch(tx, second)

    await asyncio.gather(
        retrying(lambda: change_both("operator", "second")), retrying(lambda: change_both("second", "operator"))
    )
    assert tries > 2
    async with database.transaction(tenant_id, read_only=True) as tx:
        assert await tx.value(int, "SELECT count(*) FROM principal WHERE status = 'suspended'") == 2


async def _touch(tx: Tx, name: str) -> None:
    await tx.run("UPDATE principal SET status = 'suspended' WHERE name = $1", name)


async def test_only_what_may_go_better_next_time_is_tried_again() -> None:
    tries = 0

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise (asyncpg.DeadlockDetectedError if tries < 3 else ZeroDivisionError)

    with pytest.raises(ZeroDivisionError):
        await retrying(fail)
    assert tries == 3
