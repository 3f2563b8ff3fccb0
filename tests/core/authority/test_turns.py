"""Tenants take turns at the desk: how many of one wait is nothing to the others."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from bursar.core.authority import desk as desks
from bursar.core.authority.desk import Desk
from bursar.core.authority.service import Reply
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, Draft, Tx, connect
from bursar.kernel.ids import new_id
from tests.asking import DONE, transfer
from tests.stories import Story

WAITING = 256


class Watched(Database):
    """A database that notes whose transactions begin, one after the other, but for those that only read."""

    begun: list[UUID | None]

    @asynccontextmanager
    async def transaction(
        self, tenant_id: UUID | None = None, *, read_only: bool = False, locks: Sequence[int] = ()
    ) -> AsyncGenerator[Tx]:
        async with super().transaction(tenant_id, read_only=read_only, locks=locks) as tx:
            self.begun += [] if read_only else [tenant_id]
            yield tx

    async def carry_out(self, draft: Draft, locks: Sequence[int]) -> datetime:
        self.begun.append(draft.tenant_id)
        return await super().carry_out(draft, locks)


@pytest.fixture
async def watched(database_url: str) -> AsyncGenerator[Watched]:
    database: Any = await Watched.open(database_url)
    database.begun = []
    yield database
    await database.close()


async def _tenants(database: Database, number: int) -> list[Story]:
    """So many tenants, in each of which alice has 100.00 USD."""
    stories: list[Story] = []
    for _ in range(number):
        tenant_id = new_id()
        async with database.transaction(tenant_id) as tx:
            await identity.create_tenant(tx, f"tenant-{tenant_id.hex}")
        stories.append(await Story.begin(database, tenant_id))
        await stories[-1].tell("alice has 100.00 USD\nbob has 0.00 USD")
    return stories


async def _flood(desk: Desk, story: Story) -> list[asyncio.Task[Reply]]:
    """Have many requests of a tenant wait."""
    tasks = [asyncio.create_task(desk.submit(transfer(story.operator, "alice", "bob"))) for _ in range(WAITING)]
    await asyncio.sleep(0)
    return tasks


# With a batch of eight there are dozens of batches; more slots than one let more tenants at the table at once.
@pytest.mark.parametrize(("floods", "slots"), [(1, 1), (1, 4), (3, 2), (6, 4)])
async def test_a_single_request_waits_for_a_turn_of_each_other_tenant_and_not_for_all_of_theirs(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, floods: int, slots: int
) -> None:
    monkeypatch.setattr(desks, "_MOST_ORDERS_A_BATCH", 8)
    single, *others = await _tenants(watched, 1 + floods)
    desk = Desk(watched, assess, slots)
    for story in (single, *others):
        # It knows all of them.
        await desk.submit(transfer(story.operator, "alice", "bob"))
    flood = [task for other in others for task in await _flood(desk, other)]
    # It comes while they are at work.
    await flood[0]
    before = len(watched.begun)
    reply = await desk.submit(transfer(single.operator, "alice", "bob"))
    assert isinstance(reply, Answer)
    assert reply.status == DONE
    # Each tenant has at most two clerks at the desk.
    assert watched.begun[before:].index(single.tenant_id) <= 2 * floods
    assert not all(task.done() for task in flood)
    await asyncio.gather(*flood)
    assert len(watched.begun) - before > 2 * floods + 1


async def test_a_tenant_of_whom_many_wait_for_a_lock_keeps_no_other_waiting(
    watched: Watched, database_url: str
) -> None:
    single, other = await _tenants(watched, 2)
    desk = Desk(watched, assess)
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'alice' AND tenant_id = "
                          f"'{other.tenant_id}' FOR UPDATE")  # fmt: skip
    flood = await _flood(desk, other)
    reply = await desk.submit(transfer(single.operator, "alice", "bob"))
    assert isinstance(reply, Answer)
    assert not any(task.done() for task in flood)
    await blocker.close()
    await asyncio.gather(*flood)
