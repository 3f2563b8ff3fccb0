"""Many at once: money is spent once, both directions never wait for each other in a circle, a key has one effect."""

import asyncio
from collections import Counter
from random import Random
from uuid import UUID

import pytest

from bursar.core.authority import service as authority
from bursar.core.authority.desk import Desk
from bursar.core.authority.fate import settled
from bursar.core.authority.model import Instruction
from bursar.core.authority.service import Carried, Reply
from bursar.core.idempotency.model import Answer, IdempotencyConflict, IdempotencyInFlight
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, Tx, connect
from tests.asking import DONE, REFUSED, transfer
from tests.stories import Story


async def alone(database: Database, tenant_id: UUID, instruction: Instruction) -> Reply:
    """Carry out one instruction in a transaction of its own, without the desk: only the database's locks are left."""

    async def work(tx: Tx) -> Carried:
        return await authority.carry_out(tx, [instruction], assess)

    (reply,) = await settled(database, [instruction.ask], tenant_id, work)
    return reply


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status if isinstance(reply, Answer) else 0 for reply in replies)


async def test_forty_racing_sends_spend_the_money_once(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
    """)
    sends = [transfer(story.operator, "alice", "bob", 10000) for _ in range(40)]
    replies = await asyncio.gather(*(story.desk.submit(send) for send in sends))
    assert statuses(replies) == {DONE: 1, REFUSED: 39}
    await story.tell("""
        alice = 0.00 USD
        bob = 100.00 USD
    """)


async def test_forty_racing_transactions_spend_the_money_once(story: Story, database_url: str) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
    """)
    database = await Database.open(database_url, connections=20, seconds_to_wait=30)
    sends = [transfer(story.operator, "alice", "bob", 3000) for _ in range(40)]
    replies = await asyncio.gather(*(alone(database, story.tenant_id, send) for send in sends))
    await database.close()
    assert statuses(replies) == {DONE: 3, REFUSED: 37}
    await story.tell("alice = 10.00 USD")


async def test_forty_racing_captures_and_releases_end_a_hold_once(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 60.00 USD as h1 for bob
    """)
    lines = ["capture h1 25.00", "release h1"] * 20
    outcomes = await asyncio.gather(*(story.try_line(line) for line in lines))
    assert sum(outcomes) == 1
    await story.tell("alice held 0.00 USD")


async def test_racing_reversals_never_take_back_more_than_was_moved(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 100.00 USD
        alice -> bob 50.00 USD as t1
    """)
    outcomes = await asyncio.gather(*(story.try_line("reverse t1 15.00") for _ in range(20)))
    assert sum(outcomes) == 3
    await story.tell("alice = 95.00 USD")


async def test_opposite_streams_do_not_deadlock(story: Story, database_url: str) -> None:
    await _stream_both_ways(story, database_url, seconds=3)


@pytest.mark.soak
async def test_opposite_streams_do_not_deadlock_for_a_minute(story: Story, database_url: str) -> None:
    await _stream_both_ways(story, database_url, seconds=60)


async def _stream_both_ways(story: Story, url: str, seconds: float) -> None:
    """Eight clients, each in transactions of its own, between eight accounts in every direction."""
    accounts = [f"a{n}" for n in range(8)]
    await story.tell("\n".join(f"{number} has 1000.00 USD" for number in accounts))
    database = await Database.open(url, connections=8)
    ends = asyncio.get_running_loop().time() + seconds

    async def client(seed: int) -> Counter[int]:
        random = Random(seed)
        replies: list[Reply] = []
        while asyncio.get_running_loop().time() < ends:
            source, target = random.sample(accounts, 2)
            replies.append(await alone(database, story.tenant_id, transfer(story.operator, source, target)))
        return statuses(replies)

    done = sum(await asyncio.gather(*map(client, range(8))), Counter[int]())
    await database.close()
    assert set(done) == {DONE}
    assert done[DONE] > 100
    assert await _deadlocks(url) == 0


async def _deadlocks(url: str) -> int:
    connection = await connect(url)
    try:
        return await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    finally:
        await connection.close()


@pytest.mark.parametrize("through_desks", [True, False], ids=["two desks", "transactions of their own"])
async def test_a_key_has_one_effect_however_many_use_it_and_for_whatever(
    story: Story, database_url: str, through_desks: bool
) -> None:
    """150 keys, ten clients, half of whom send another body with the same key."""
    await story.tell("""
        alice has 1000.00 USD
        bob has 0.00 USD
    """)
    other = await Database.open(database_url)
    desks = [story.desk, Desk(other, assess)]

    async def use(client: int, n: int) -> tuple[int, Reply]:
        minor = 100 + 100 * (client % 2)
        send = transfer(story.operator, "alice", "bob", minor, f"key-{n}")
        for _ in range(20):
            desk = desks[client % 4 // 2]
            reply = await (desk.submit(send) if through_desks else alone(other, story.tenant_id, send))
            # Told that the key is in flight, a client asks again.
            if not isinstance(reply, IdempotencyInFlight):
                return minor, reply
        raise AssertionError("in flight for ever")

    async def client(number: int) -> list[tuple[int, Reply]]:
        return [await use(number, n) for n in range(150)]

    by_client = await asyncio.gather(*map(client, range(10)))
    await other.close()
    spent = sum(_one_effect([replies[n] for replies in by_client]) for n in range(150))
    assert 15000 <= spent <= 30000
    await story.tell(f"bob = {spent // 100}.00 USD")


def _one_effect(replies: list[tuple[int, Reply]]) -> int:
    """Check the ten replies to one key; returns the minor units that it moved."""
    answers = [(minor, reply) for minor, reply in replies if isinstance(reply, Answer)]
    (first,) = [minor for minor, reply in answers if not reply.replayed]
    assert [minor for minor, _ in answers] == [first] * 5
    assert {(reply.status, reply.body) for _, reply in answers} == {(DONE, answers[0][1].body)}
    others = [reply for minor, reply in replies if minor != first]
    assert len(others) == 5
    assert all(isinstance(reply, IdempotencyConflict) for reply in others)
    return first
