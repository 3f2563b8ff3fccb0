"""Batches decided on what a process remembers: whatever has changed meanwhile, nothing is done that should not be."""

import asyncio
from uuid import UUID

import pytest

from bursar.core.authority import memory
from bursar.core.authority.desk import Desk
from bursar.core.authority.memory import Memory, Room
from bursar.core.authority.service import Reply
from bursar.core.idempotency.model import Answer, IdempotencyConflict
from bursar.core.identity import service as identity
from bursar.core.identity.model import Unauthenticated
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, connect
from bursar.kernel.ids import new_id
from tests.asking import DONE, REFUSED, transfer
from tests.core.authority.ahead import Ahead, until_waiting
from tests.people import enrol
from tests.stories import Story


@pytest.fixture
async def warm(story: Story, ahead: Ahead) -> Story:
    """A desk that remembers alice, bob and the operator."""
    await _pay(story.desk, story)
    assert (ahead.written, ahead.stale) == (1, 0)
    return story


async def _pay(desk: Desk, story: Story, minor: int = 1) -> Reply:
    return await desk.submit(transfer(story.operator, "alice", "bob", minor))


async def test_a_transfer_is_one_statement(warm: Story, ahead: Ahead) -> None:
    for _ in range(3):
        assert isinstance(await _pay(warm.desk, warm), Answer)
    assert (ahead.written, ahead.stale) == (4, 0)
    await warm.tell("bob = 0.04 USD")


async def test_refusals_are_decided_ahead_and_pinned(warm: Story, ahead: Ahead) -> None:
    send = transfer(warm.operator, "alice", "bob", 10**9)
    replies = [await warm.desk.submit(send) for _ in range(2)]
    assert [(r.status, r.replayed) for r in replies if isinstance(r, Answer)] == [(REFUSED, False), (REFUSED, True)]
    assert ahead.written == 2


async def test_a_key_is_answered_once_and_replayed_by_every_process(warm: Story, elsewhere: Desk, ahead: Ahead) -> None:
    send = transfer(warm.operator, "alice", "bob", key="mine")
    first, again, there = [await desk.submit(send) for desk in (warm.desk, warm.desk, elsewhere)]
    assert isinstance(first, Answer)
    assert first.status == DONE
    assert (again, there) == (Answer(DONE, first.body, replayed=True),) * 2
    other = await warm.desk.submit(transfer(warm.operator, "alice", "bob", 2, key="mine"))
    assert isinstance(other, IdempotencyConflict)
    await warm.tell("bob = 0.02 USD")


async def test_one_key_at_two_processes_at_once_moves_money_once(warm: Story, elsewhere: Desk) -> None:
    await _pay(elsewhere, warm)
    for number in range(20):
        send = transfer(warm.operator, "alice", "bob", key=f"key-{number}")
        replies = await asyncio.gather(warm.desk.submit(send), elsewhere.submit(send))
        assert len({reply.body for reply in replies if isinstance(reply, Answer)}) == 1
    await warm.tell("bob = 0.22 USD")


async def test_a_key_revoked_by_another_process_ends_at_once(warm: Story) -> None:
    async with warm.database.transaction(warm.tenant_id) as tx:
        await identity.revoke_key(tx, warm.operator.key_id)
    assert isinstance(await _pay(warm.desk, warm), Unauthenticated)


async def test_whoever_comes_while_a_key_is_being_revoked_waits_and_is_refused(warm: Story, database_url: str) -> None:
    connection = await connect(database_url)
    async with connection.transaction():
        turn = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))"
        await connection.execute(turn, warm.tenant_id)
        revoke = "UPDATE bursar.api_key SET revoked_at = now() WHERE tenant_id = $1 AND id = $2"
        await connection.execute(revoke, warm.tenant_id, warm.operator.key_id)
        paying = asyncio.create_task(_pay(warm.desk, warm))
        await until_waiting(connection)
    await connection.close()
    assert isinstance(await paying, Unauthenticated)
    await warm.tell("bob = 0.01 USD")


@pytest.mark.parametrize(("status", "told"), [("frozen", b"account_frozen"), ("closed", b"state_conflict")])
async def test_an_account_that_another_process_stops_is_stopped(warm: Story, status: str, told: bytes) -> None:
    if status == "closed":
        await warm.tell("alice -> bob 999.99 USD")
    # Not by the desk, so that nothing reminds it.
    async with warm.database.transaction(warm.tenant_id) as tx:
        await accounts.change_status(tx, "alice", "frozen" if status == "frozen" else "closed")
    reply = await _pay(warm.desk, warm)
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body) == (REFUSED, told)


async def test_what_another_process_has_spent_cannot_be_spent_again(warm: Story, elsewhere: Desk, ahead: Ahead) -> None:
    assert isinstance(await _pay(elsewhere, warm, 99_999), Answer)
    reply = await _pay(warm.desk, warm)
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body) == (REFUSED, b"insufficient_funds")
    assert ahead.stale == 1
    await warm.tell("alice = 0.00 USD")


async def test_a_refusal_on_what_was_remembered_is_looked_at_again(warm: Story, elsewhere: Desk, ahead: Ahead) -> None:
    assert isinstance(await _pay(warm.desk, warm, 99_999), Answer)
    assert isinstance(await elsewhere.submit(transfer(warm.operator, "bob", "alice", 500)), Answer)
    reply = await _pay(warm.desk, warm, 500)
    assert isinstance(reply, Answer)
    assert reply.status == DONE
    assert ahead.stale == 1


async def test_a_credit_line_that_was_widened_elsewhere_counts(warm: Story, database_url: str) -> None:
    connection = await connect(database_url)
    await connection.execute("UPDATE bursar.account SET floor_minor = -1000 WHERE number = 'alice'")
    await connection.close()
    reply = await _pay(warm.desk, warm, 100_900)
    assert isinstance(reply, Answer)
    assert reply.status == DONE


async def test_an_account_whose_money_lives_elsewhere_now_is_refused(warm: Story, database_url: str) -> None:
    mark = "UPDATE bursar.account SET floor_minor = NULL, upstream = $1 WHERE number = 'alice'"
    connection = await connect(database_url)
    await connection.execute(mark, None)
    # Until it is remembered without a floor.
    assert [isinstance(await _pay(warm.desk, warm), Answer) for _ in range(5)] == [True] * 5
    await connection.execute(mark, "there")
    reply = await _pay(warm.desk, warm)
    # Such an account would have to look otherwise in more ways, and the test's end would say so.
    await connection.execute(mark, None)
    await connection.close()
    assert isinstance(reply, Answer)
    assert reply.status == REFUSED


async def test_whoever_changes_keys_has_a_turn_before_those_who_come_later(warm: Story, database_url: str) -> None:
    connection = await connect(database_url)
    async with connection.transaction():
        turn = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))"
        await connection.execute(turn, warm.tenant_id)
        paying = asyncio.create_task(_pay(warm.desk, warm))
        async with asyncio.timeout(10):
            await until_waiting(connection)
    await connection.close()
    assert isinstance(await paying, Answer)


async def test_a_hold_of_another_process_counts(warm: Story, elsewhere: Desk) -> None:
    here, warm.desk = warm.desk, elsewhere
    await warm.tell("alice holds 999.99 USD as h1")
    reply = await _pay(here, warm)
    assert isinstance(reply, Answer)
    assert reply.body == b"insufficient_funds"


async def test_many_processes_at_the_same_accounts_do_everything_once(warm: Story, elsewhere: Desk) -> None:
    sends = [
        desk.submit(transfer(warm.operator, *(("alice", "bob") if number % 3 else ("bob", "alice"))))
        for number in range(150)
        for desk in (warm.desk, elsewhere)
    ]
    replies = await asyncio.gather(*sends)
    moved = sum((1 if n // 2 % 3 else -1) for n, r in enumerate(replies) if isinstance(r, Answer) and r.status == DONE)
    await warm.tell(f"bob = {(1 + moved) / 100:.2f} USD")


async def test_what_overtakes_what_it_counts_on_is_written_after_it(
    warm: Story, database_url: str, ahead: Ahead
) -> None:
    first = transfer(warm.operator, "alice", "bob", 700)
    connection = await connect(database_url)
    async with connection.transaction():
        # The first statement waits for its key, before it has any account; the second one, decided on it, does not.
        await connection.execute("SELECT pg_advisory_xact_lock($1)", first.ask.lock)
        one = asyncio.create_task(warm.desk.submit(first))
        await until_waiting(connection)
        two = asyncio.create_task(_pay(warm.desk, warm, 5))
        await ahead.came_to_nothing.wait()
        assert not two.done()
        # Decided as soon as there is somebody to do it, and not before the second is on its way again.
        three = asyncio.create_task(_pay(warm.desk, warm, 2))
        await asyncio.sleep(0)
    await connection.close()
    assert [r.status for r in await asyncio.gather(one, two, three) if isinstance(r, Answer)] == [DONE] * 3
    assert ahead.written == 4
    # The first payment, the one that was waited for, and the second before and after that.
    assert [ahead.drafts.index(draft) for draft in ahead.drafts[:5]] == [0, 1, 2, 2, 4]
    await warm.tell("bob = 7.08 USD")


async def test_what_counts_on_something_that_never_came_is_not_written(
    warm: Story, elsewhere: Desk, database_url: str, ahead: Ahead
) -> None:
    first = transfer(warm.operator, "alice", "bob", 700)
    connection = await connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", first.ask.lock)
        one = asyncio.create_task(warm.desk.submit(first))
        await until_waiting(connection)
        # Another process makes the version that the first was to make, with another balance.
        assert isinstance(await _pay(elsewhere, warm, 5), Answer)
        two = asyncio.create_task(_pay(warm.desk, warm, 3))
        async with asyncio.timeout(10):
            await ahead.came_to_nothing.wait()
    await connection.close()
    assert [r.status for r in await asyncio.gather(one, two) if isinstance(r, Answer)] == [DONE, DONE]
    await warm.tell("bob = 7.09 USD")


async def test_after_a_failure_transactions_carry_on_for_a_while(warm: Story, elsewhere: Desk, ahead: Ahead) -> None:
    roads: list[int] = []
    for _ in range(4):
        await _pay(elsewhere, warm)
        before = len(ahead.drafts)
        await _pay(warm.desk, warm)
        roads.append(len(ahead.drafts) - before)
    assert roads[0] == 1
    assert 0 in roads


async def test_nobody_of_another_tenant_is_remembered_here(warm: Story, database: Database, ahead: Ahead) -> None:
    other_id = new_id()
    async with database.transaction(other_id) as tx:
        await identity.create_tenant(tx, "other")
    stranger = await enrol(database, other_id, "operator", "stranger")
    before = len(ahead.drafts)
    reply = await warm.desk.submit(transfer(stranger, "alice", "bob"))
    assert isinstance(reply, Answer)
    assert reply.body == b"unknown_account"
    assert len(ahead.drafts) == before


async def test_what_is_remembered_is_bounded_for_all_tenants_together(
    database: Database, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MOST_ACCOUNTS", 4)
    room = Room()
    kept = [Memory(database, tenant_id, room, assess) for _ in range(2)]
    async with database.transaction(tenant_id) as tx:
        await accounts.open_many(tx, [OpenAccount(f"a-{n}", "", "USD") for n in range(12)])
    for n in range(0, 12, 2):
        for one in kept:
            assert len((await one.book([f"a-{n}", f"a-{n + 1}"])).accounts) == 2
        assert room.taken <= 4 + 2 * len(kept)
    for one in kept:
        one.forget((), [account.id for account in (await one.book(["a-0", "a-11"])).accounts.values()])
    assert room.taken <= 4
