"""Tenants take turns for connections: neither how many of one wait nor how long they stay is anything to the others."""

import asyncio
from uuid import UUID

import pytest

from bursar.kernel.db import Database
from bursar.kernel.db.turns import Turns
from bursar.kernel.ids import new_id

A, B, C = new_id(), new_id(), new_id()
CONNECTIONS = 5
# One of five is for those who have none.
MOST = 4


class Queue:
    """Turns for five connections, and who had one, in this order."""

    def __init__(self) -> None:
        self.turns = Turns(CONNECTIONS)
        self.had: list[UUID | None] = []

    async def come(self, *tenant_ids: UUID | None) -> list[asyncio.Task[None]]:
        """Have them all ask; those who may go on do."""
        tasks = [asyncio.create_task(self._take(tenant_id)) for tenant_id in tenant_ids]
        await asyncio.sleep(0)
        return tasks

    async def _take(self, tenant_id: UUID | None) -> None:
        await self.turns.take(tenant_id, 60)
        self.had.append(tenant_id)

    async def give(self, *tenant_ids: UUID | None) -> list[UUID | None]:
        """Have these give theirs back; who has one for it."""
        before = len(self.had)
        for tenant_id in tenant_ids:
            self.turns.give(tenant_id)
        await asyncio.sleep(0)
        return self.had[before:]


async def test_who_waits_goes_on_by_turns_and_in_order_within_a_tenant() -> None:
    queue = Queue()
    await queue.come(A, A, B, B, C)
    waiting = await queue.come(A, A, B, C, None, B)
    assert queue.had == [A, A, B, B, C]
    assert not any(task.done() for task in waiting)
    # The last one is for who has none; of two, one is for whoever comes next, and each tenant has a turn.
    gone = [await queue.give(given) for given in (C, A, B, B, None, C, A)]
    assert gone == [[C], [None], [], [A, B], [], [A], [B]]
    for task in waiting:
        task.cancel()


async def test_who_has_one_leaves_the_last_to_who_has_none() -> None:
    queue = Queue()
    (*_, last) = await queue.come(*[A] * (MOST + 1))
    assert queue.had == [A] * MOST
    await queue.come(B)
    assert queue.had[-1] == B
    assert await queue.give(B) == []
    assert await queue.give(A) == [A]
    assert last.done()


async def test_a_small_pool_keeps_nothing_back() -> None:
    turns = Turns(2)
    await turns.take(A, 60)
    await turns.take(A, 60)
    with pytest.raises(TimeoutError):
        await turns.take(B, 0)


async def test_whoever_goes_away_takes_nothing_with_them() -> None:
    queue = Queue()
    await queue.come(*[A] * MOST)
    first, second, third = await queue.come(A, A, A)
    first.cancel()
    await asyncio.sleep(0)
    # The second has its turn, and goes away before it knows.
    queue.turns.give(A)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await third
    assert await queue.give(*[A] * MOST) == []
    await queue.come(*[A] * MOST, B)
    assert queue.had[-MOST - 1 :] == [*[A] * MOST, B]


async def test_a_transaction_waits_for_one_of_another_tenant_and_not_for_all_of_theirs(database_url: str) -> None:
    database = await Database.open(database_url, connections=CONNECTIONS, seconds_to_wait=60)
    flood = [asyncio.create_task(_read(database, A)) for _ in range(200)]
    await flood[0]
    # The first time it has to connect.
    await _read(database, B)
    before = sum(task.done() for task in flood)
    await _read(database, B)
    assert sum(task.done() for task in flood) - before <= 2 * CONNECTIONS
    await asyncio.gather(*flood)
    await database.close()


async def test_transactions_that_stay_open_keep_no_other_tenant_out(database_url: str) -> None:
    database = await Database.open(database_url, connections=CONNECTIONS, seconds_to_wait=60)
    inside, end = asyncio.Barrier(MOST + 1), asyncio.Event()

    async def hold() -> None:
        async with database.transaction(A, read_only=True):
            await inside.wait()
            await end.wait()

    holding = [asyncio.create_task(hold()) for _ in range(MOST)]
    await inside.wait()
    one_more = asyncio.create_task(_read(database, A))
    async with database.transaction(B, read_only=True):
        assert not one_more.done()
    end.set()
    await asyncio.gather(*holding, one_more)
    await database.close()


async def _read(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id, read_only=True) as tx:
        await tx.run("SELECT")
