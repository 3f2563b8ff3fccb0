"""Every event finds every endpoint that asks for it, once, in whatever order transactions begin and commit."""

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import psycopg
import pytest

from bursar.core.authority import approvals
from bursar.features.notifications import following, service, store
from bursar.kernel.db import Database
from tests.features.notifications.tellers import Teller, happen
from tests.others import others_are_over


async def test_an_event_is_delivered_to_each_endpoint_that_asks_for_its_type(teller: Teller) -> None:
    every = await teller.endpoint("https://example.com/every")
    some = await teller.endpoint("https://example.com/some", ["transfer.posted", "hold.placed"])
    posted, opened, placed = await teller.happened("transfer.posted", "account.opened", "hold.placed")
    assert await teller.follow() == 3
    assert set(await teller.told(every)) == {posted, opened, placed}
    assert set(await teller.told(some)) == {posted, placed}
    assert await teller.follow() == 0


async def test_what_commits_late_is_not_passed_by(teller: Teller) -> None:
    """The later transaction is over first: its event waits for the earlier one, which is then met."""
    endpoint = await teller.endpoint()
    async with teller.database.transaction(teller.tenant_id) as early:
        (first,) = happen(early, "a.first")
        await early.flush()
        (second,) = await teller.happened("a.second")
        assert await teller.follow() == 0
        assert await teller.told(endpoint) == []
    assert await teller.follow() == 2
    assert await teller.told(endpoint) == [first, second]


async def test_an_event_with_an_old_id_that_commits_late_is_delivered(teller: Teller) -> None:
    """Ids are drawn before transactions begin, so their order says nothing."""
    endpoint = await teller.endpoint()
    async with teller.database.transaction(teller.tenant_id) as late:
        (old,) = happen(late, "a.old")
        (new,) = await teller.happened("a.new")
        assert old < new
        assert await teller.follow() == 1
    assert await teller.follow() == 1
    assert await teller.told(endpoint) == [new, old]


class Undone(Exception):
    """Ends a transaction."""


async def undone(teller: Teller, *types: str) -> None:
    """Events that were written, and are not."""
    async with teller.database.transaction(teller.tenant_id) as tx:
        happen(tx, *types)
        await tx.flush()
        raise Undone


async def test_what_was_undone_is_told_to_nobody(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    with pytest.raises(Undone):
        await undone(teller, "a.dream")
    (real,) = await teller.happened("a.fact")
    await teller.follow()
    assert await teller.told(endpoint) == [real]


async def test_what_is_open_when_an_endpoint_is_made_is_told_to_it(teller: Teller) -> None:
    async with teller.database.transaction(teller.tenant_id) as tx:
        (event,) = happen(tx, "a.fact")
        await tx.flush()
        endpoint = await teller.endpoint()
    await teller.happened("a.later")
    await teller.follow()
    assert event in await teller.told(endpoint)


async def test_nothing_is_passed_that_an_endpoint_is_owed_which_is_being_made(teller: Teller) -> None:
    """What commits between its beginning and its COMMIT is above its `since`: the cursor waits for it."""
    await teller.endpoint("https://example.com/other")
    async with AsyncExitStack() as open_still:
        early = await open_still.enter_async_context(teller.database.transaction(teller.tenant_id))
        (event,) = happen(early, "a.fact")
        await early.flush()
        async with teller.database.transaction(teller.tenant_id) as tx:
            actor = await approvals.acting(tx, "operator")
            endpoint = (await service.create(tx, actor, "https://example.com/new", "", ())).endpoint.id
            await tx.flush()
            await open_still.aclose()
            async with teller.worker.transaction(teller.tenant_id) as follower:
                assert await following.follow(follower) == 0
    while await teller.follow():
        pass
    assert event in await teller.told(endpoint)


async def test_what_is_over_when_an_endpoint_is_made_is_not_told_to_it(teller: Teller) -> None:
    before = await teller.happened("a.fact")
    await others_are_over(teller.worker)
    endpoint = await teller.endpoint()
    after = await teller.happened("a.fact")
    await teller.follow()
    assert await teller.told(endpoint) == after
    assert before != after


async def test_a_disabled_endpoint_misses_what_happens_and_is_told_again_from_then_on(teller: Teller) -> None:
    endpoint, other = await teller.endpoint(), await teller.endpoint("https://example.com/other")
    async with teller.database.transaction(teller.tenant_id) as tx:
        await service.disable(tx, endpoint)
    missed = await teller.happened("a.fact")
    await others_are_over(teller.worker)
    async with teller.database.transaction(teller.tenant_id) as tx:
        await service.enable(tx, await approvals.acting(tx, "operator"), endpoint)
    later = await teller.happened("a.fact")
    while await teller.follow():
        pass
    assert await teller.told(endpoint) == later
    assert await teller.told(other) == missed + later


async def test_many_events_are_followed_in_pieces_of_whole_transactions(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    made: list[UUID] = []
    for size in (2, 5, 1, 1, 1):
        made += await teller.happened(*["a.fact"] * size)
    assert [await teller.follow(3) for _ in range(4)] == [7, 3, 0, 0]
    assert await teller.told(endpoint) == made


async def test_two_who_follow_at_once_make_each_delivery_once(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    made: list[UUID] = []
    for _ in range(40):
        made += await teller.happened("a.fact", "a.fact")
    for _ in range(60):
        await asyncio.gather(*(teller.follow(3) for _ in range(3)))
    assert await teller.told(endpoint) == made


async def test_who_follows_while_somebody_else_does_leaves_it_to_them(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    (first,) = await teller.happened("a.first")
    await others_are_over(teller.worker)
    async with teller.worker.transaction(teller.tenant_id) as busy:
        assert await following.follow(busy) == 1
        async with teller.worker.transaction(teller.tenant_id) as other:
            assert await following.follow(other) == 0
    assert await teller.told(endpoint) == [first]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_commits_in_whatever_order_is_told_once(teller: Teller, seed: int) -> None:
    """Eight writers hold their transactions open for a while, some undo them; a follower never rests."""
    endpoint = await teller.endpoint()
    luck, made, over = random.Random(seed), list[UUID](), asyncio.Event()

    async def write(turns: int) -> None:
        for _ in range(turns):
            async with teller.database.transaction(teller.tenant_id) as tx:
                mine = happen(tx, *["a.fact"] * luck.randint(1, 4))
                await tx.flush()
                await asyncio.sleep(luck.random() / 50)
            made.extend(mine)
            if luck.random() < 0.2:
                with suppress(Undone):
                    await undone(teller, "a.dream")

    async def follow() -> None:
        while not over.is_set():
            await teller.follow(luck.randint(1, 10))

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(25) for _ in range(8)))
    over.set()
    await follower
    while await teller.follow():
        pass
    told = await teller.told(endpoint)
    assert len(made) > 200
    assert sorted(told) == sorted(made)


async def test_a_tenant_without_an_endpoint_is_never_looked_at(
    teller: Teller, database: Database, database_url: str
) -> None:
    await teller.happened("a.fact")
    async with teller.worker.transaction(read_only=True) as tx:
        assert await store.list_to_follow(tx) == []
    endpoint = await teller.endpoint()
    async with teller.worker.transaction(read_only=True) as tx:
        assert await store.list_to_follow(tx) == []
    await teller.happened("a.fact")
    await others_are_over(teller.worker)
    async with teller.worker.transaction(read_only=True) as tx:
        assert await store.list_to_follow(tx) == [teller.tenant_id]
    async with database.transaction(teller.tenant_id) as tx:
        await service.retire(tx, endpoint)
    async with teller.worker.transaction(read_only=True) as tx:
        assert await store.list_to_follow(tx) == []
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM bursar.webhook_delivery").fetchone() == (0,)
