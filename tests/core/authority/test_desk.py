"""Group commit: one commit for many, to each their own reply, and nobody suffers from a neighbour."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NoReturn
from uuid import UUID

import pytest

from bursar.core.authority.desk import Desk
from bursar.core.authority.model import Instruction
from bursar.core.authority.service import Reply
from bursar.core.idempotency.model import Answer, IdempotencyConflict, IdempotencyInFlight
from bursar.core.identity import service as identity
from bursar.core.identity.model import ScopeMissing, Unauthenticated
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Busy, Database, connect
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.asking import DONE, REFUSED, transfer
from tests.people import enrol
from tests.stories import Story


async def _all(desk: Desk, instructions: Sequence[Instruction]) -> list[Reply | BaseException]:
    return await asyncio.gather(*(desk.submit(i) for i in instructions), return_exceptions=True)


def _statuses(replies: Sequence[object]) -> list[object]:
    return [reply.status if isinstance(reply, Answer) else type(reply) for reply in replies]


async def _commits(story: Story) -> int:
    """How many transactions wrote transfers."""
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(int, "SELECT count(DISTINCT xid) FROM entry")


async def test_what_arrives_together_shares_a_commit(story: Story) -> None:
    before = await _commits(story)
    replies = await _all(story.desk, [transfer(story.operator, "alice", "bob") for _ in range(200)])
    assert _statuses(replies) == [DONE] * 200
    assert await _commits(story) - before <= 4
    await story.tell("bob = 2.00 USD")


async def test_each_gets_the_reply_to_its_own_request(story: Story) -> None:
    amounts = [1, 99_999_999, 2, 3]
    replies = await _all(story.desk, [transfer(story.operator, "alice", "bob", minor) for minor in amounts])
    assert _statuses(replies) == [DONE, REFUSED, DONE, DONE]
    bodies = [reply.body for reply in replies if isinstance(reply, Answer)]
    assert bodies[1] == b"insufficient_funds"
    assert len(set(bodies)) == 4
    await story.tell("bob = 0.06 USD")


def _bad(story: Story, kind: str) -> Instruction:
    """An instruction that breaks in one of the places that its maker has a say in."""

    def fails(*_: object) -> NoReturn:
        raise ZeroDivisionError

    def refuses(_: object) -> NoReturn:
        raise StateConflict("Not like this.")

    def done(_: object) -> Answer:
        return Answer(DONE, b"")

    def breaks_the_database(_: object) -> list[SendMoney]:
        taken = UUID(int=7)
        moves = (Move("alice", "bob", Money(1, "USD")),)
        return [SendMoney(taken, new_id(), moves), SendMoney(taken, new_id(), moves)]

    good = transfer(story.operator, "alice", "bob")
    match kind:
        case "orders fail":
            return replace(good, orders=fails)
        case "orders refuse":
            return replace(good, orders=refuses)
        case "orders break the database":
            return replace(good, orders=breaks_the_database, answer=done, size=2)
        case _:
            return replace(good, answer=fails)


@pytest.mark.parametrize("kind", ["orders fail", "orders refuse", "orders break the database", "the answer fails"])
async def test_a_bad_instruction_harms_no_neighbour(story: Story, kind: str) -> None:
    good = [transfer(story.operator, "alice", "bob") for _ in range(20)]
    replies = await _all(story.desk, [*good[:10], _bad(story, kind), *good[10:]])
    assert isinstance(replies.pop(10), Exception)
    assert _statuses(replies) == [DONE] * 20
    await story.tell("bob = 0.20 USD")
    # And the desk goes on.
    assert _statuses(await _all(story.desk, good)) == [DONE] * 20
    await story.tell("bob = 0.20 USD")


async def test_a_batch_that_failed_is_carried_out_one_by_one(story: Story) -> None:
    before = await _commits(story)
    good = [transfer(story.operator, "alice", "bob") for _ in range(5)]
    await _all(story.desk, [*good, _bad(story, "orders fail")])
    # The half of three without the bad one shares a commit; of the other, two go alone.
    assert await _commits(story) - before == 3


async def test_a_second_use_of_a_key_gets_the_first_answer_whether_it_waits_or_comes_later(story: Story) -> None:
    send = transfer(story.operator, "alice", "bob", key="once")
    replies = await _all(story.desk, [send] * 5)
    replies += await _all(story.desk, [send] * 5)
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    assert len(answers) == 10
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    await story.tell("bob = 0.01 USD")


async def test_a_refusal_is_pinned_to_its_key_like_a_success(story: Story) -> None:
    send = transfer(story.operator, "bob", "alice", key="once")
    refused = await story.desk.submit(send)
    await story.tell("alice -> bob 5.00 USD")
    again = await story.desk.submit(send)
    assert isinstance(refused, Answer)
    assert again == refused._replace(replayed=True)
    await story.tell("bob = 5.00 USD")


async def test_what_was_not_carried_out_is_not_pinned(story: Story) -> None:
    bad = _bad(story, "orders refuse")
    assert isinstance(await story.desk.submit(bad), StateConflict)
    good = replace(transfer(story.operator, "alice", "bob"), ask=bad.ask)
    assert _statuses([await story.desk.submit(good)]) == [DONE]


async def test_another_body_with_the_same_key_is_refused_and_moves_nothing(story: Story) -> None:
    await story.desk.submit(transfer(story.operator, "alice", "bob", 100, "once"))
    reply = await story.desk.submit(transfer(story.operator, "alice", "bob", 200, "once"))
    assert isinstance(reply, IdempotencyConflict)
    await story.tell("bob = 1.00 USD")


async def test_a_key_means_something_else_to_each_principal(story: Story) -> None:
    other = await enrol(story.database, story.tenant_id, "operator", "other")
    sends = [transfer(who, "alice", "bob", 100, "same") for who in (story.operator, other)]
    assert _statuses(await _all(story.desk, sends)) == [DONE, DONE]
    await story.tell("bob = 2.00 USD")


async def test_cancelled_callers_neither_lose_nor_double_their_order(story: Story) -> None:
    for seed in range(8):
        await _cancel_some(story, Random(seed), f"round-{seed}")


@pytest.mark.soak
async def test_cancelled_callers_neither_lose_nor_double_their_order_over_many_rounds(story: Story) -> None:
    for seed in range(400):
        await _cancel_some(story, Random(seed), f"round-{seed}")


async def _cancel_some(story: Story, random: Random, name: str) -> None:
    """Submit sixty, cancel half of them at moments of chance, then ask for all sixty again."""
    sends = [transfer(story.operator, "alice", "bob", 1, f"{name}-{n}") for n in range(60)]
    before = await _balance(story)
    tasks = [asyncio.create_task(story.desk.submit(send)) for send in sends]
    for task in random.sample(tasks, 30):
        for _ in range(random.randrange(4)):
            await asyncio.sleep(random.choice((0, 0, 0.0005)))
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert any(task.cancelled() for task in tasks)
    await story.desk.drain()
    # An order whose caller has gone was taken all the same, unless it was cancelled before it was handed in.
    replies = await _all(story.desk, sends)
    assert _statuses(replies) == [DONE] * 60
    assert await _balance(story) - before == 60


async def _balance(story: Story) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(int, "SELECT posted_minor FROM account WHERE number = 'bob'")


async def test_two_desks_on_one_database_agree(story: Story, database_url: str) -> None:
    other = await Database.open(database_url)
    desks = (story.desk, Desk(other, assess))
    sends = [transfer(story.operator, "alice", "bob", 1000) for _ in range(120)]
    replies = await asyncio.gather(*(desks[n % 2].submit(send) for n, send in enumerate(sends)))
    await other.close()
    assert sorted(map(str, _statuses(replies))) == ["201"] * 100 + ["409"] * 20
    await story.tell("""
        alice = 0.00 USD
        bob = 1000.00 USD
    """)


async def test_what_an_agent_asks_meanwhile_waits_for_its_own_batch_and_shares_the_next(
    story: Story, database_url: str
) -> None:
    # With a hold on it, an account is only looked at under its lock.
    await story.tell("""
        carol has 1.00 USD
        dave has 0.00 USD
        alice holds 1.00 USD as h1
    """)
    assert _statuses(await _all(story.desk, [transfer(story.agent, "alice", "bob")])) == [DONE]
    before = await _commits(story)
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'alice' FOR UPDATE")
    waiting: list[asyncio.Task[Reply]] = []
    for _ in range(31):
        waiting.append(asyncio.create_task(story.desk.submit(transfer(story.agent, "alice", "bob"))))
        await asyncio.sleep(0)
    free = await story.desk.submit(transfer(story.operator, "carol", "dave"))
    assert _statuses([free]) == [DONE]
    assert not any(task.done() for task in waiting)
    await blocker.close()
    assert _statuses(await asyncio.gather(*waiting)) == [DONE] * 31
    # The first, the operator's, and what came meanwhile in halves of what is left.
    assert await _commits(story) - before <= 6


async def test_more_than_a_batch_holds_is_carried_out_in_several(story: Story) -> None:
    replies = await _all(story.desk, [transfer(story.operator, "alice", "bob") for _ in range(1500)])
    assert _statuses(replies) == [DONE] * 1500
    await story.tell("bob = 15.00 USD")


async def test_a_tenant_whose_accounts_are_locked_keeps_no_other_waiting(
    story: Story, database: Database, database_url: str
) -> None:
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, "other")
    other = await Story.begin(database, tenant_id)
    await other.tell("""
        carol has 1.00 USD
        dave has 0.00 USD
    """)
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'alice' FOR UPDATE")
    stuck = asyncio.create_task(story.desk.submit(transfer(story.operator, "alice", "bob")))
    free = await story.desk.submit(transfer(other.operator, "carol", "dave"))
    assert _statuses([free]) == [DONE]
    assert not stuck.done()
    await blocker.close()
    assert _statuses([await stuck]) == [DONE]


async def test_a_key_that_another_service_is_working_on_is_in_flight(story: Story, database_url: str) -> None:
    send = transfer(story.operator, "alice", "bob")
    neighbour = transfer(story.operator, "alice", "bob")
    working = await connect(database_url)
    await working.execute(f"BEGIN; SELECT pg_advisory_xact_lock({send.ask.lock})")
    assert [type(reply) for reply in await _all(story.desk, [send, neighbour])] == [IdempotencyInFlight, Answer]
    await working.close()
    assert _statuses([await story.desk.submit(send)]) == [DONE]
    await story.tell("bob = 0.02 USD")


async def test_an_account_that_another_service_holds_too_long_is_busy_and_no_matter_of_the_key(
    story: Story, database_url: str
) -> None:
    send = transfer(story.operator, "alice", "bob")
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'alice' FOR UPDATE")
    reply = await story.desk.submit(send)
    assert type(reply) is Busy
    await blocker.close()
    assert _statuses([await story.desk.submit(send)]) == [DONE]
    await story.tell("bob = 0.01 USD")


async def test_nobody_and_somebody_without_the_scope_move_nothing_and_harm_nobody(story: Story) -> None:
    reader = await enrol(story.database, story.tenant_id, "agent", "reader", ["accounts:read"])
    nobody = story.agent._replace(secret_hash=bytes(32))
    sends = [transfer(who, "alice", "bob") for who in (nobody, reader, story.operator)]
    assert _statuses(await _all(story.desk, sends)) == [Unauthenticated, ScopeMissing, DONE]
    await story.tell("bob = 0.01 USD")
