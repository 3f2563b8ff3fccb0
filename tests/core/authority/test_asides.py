"""What a room does beside its orders is one with them, in a transaction of its own; and what is settled later."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

import pytest

from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.model import Begun, Instruction, Told
from bursar.core.authority.service import Reply
from bursar.core.authority.settling import Ground, give_back, settle
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Claims, Move, SendMoney, Together, Undertake
from bursar.core.ledger.outcomes import AllDone, Done, StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.asking import DONE, ask_of, transfer
from tests.core.authority.offices import Office, usual_terms
from tests.stories import Story


@dataclass
class Room:
    """A room that notes what it is asked, and refuses or answers as it is told."""

    refuses_before: bool = False
    refuses_after: bool = False
    begun: Answer | None = None
    event_id: UUID | None = None
    asked: list[str] = field(default_factory=list[str])

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        self.asked.append(f"before {actor.name}")
        if self.refuses_before:
            raise StateConflict("It is over.")
        if self.begun:
            assert self.event_id
            return Begun(self.begun, self.event_id)
        # It is in the transaction of the orders: this name stands, or nothing does.
        await tx.run("UPDATE account SET name = 'seen' WHERE tenant_id = $1 AND number = 'alice'", tx.tenant)
        return None

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        del actor
        self.asked.append("after")
        self.event_id = event_id
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        assert await tx.value(str, "SELECT name FROM account WHERE number = 'alice'") == "seen"
        if self.refuses_after:
            raise StateConflict("Not like this.")


def with_room(story: Story, room: Room, key: str = "once") -> Instruction:
    return replace(transfer(story.operator, "alice", "bob", key=key), aside=room)


async def name_of_alice(story: Story) -> str:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(str, "SELECT name FROM account WHERE number = 'alice'")


async def commits(story: Story) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(int, "SELECT count(DISTINCT xid) FROM entry")


def status_of(reply: Reply) -> object:
    return (reply.status, reply.replayed) if isinstance(reply, Answer) else type(reply)


GROUND = Ground("create_transfer", None, "thing_1", {"why": "It has happened outside."})


def send(minor: int, source: str = "alice") -> SendMoney:
    return SendMoney(new_id(), new_id(), (Move(source, "bob", Money(minor, "USD")),))


async def test_it_is_asked_before_and_after_the_orders_and_not_when_they_are_answered_again(story: Story) -> None:
    room = Room()
    replies = [await story.desk.alone(with_room(story, room)) for _ in range(2)]
    assert [status_of(reply) for reply in replies] == [(DONE, False), (DONE, True)]
    assert room.asked == ["before teller", "after"]
    assert await name_of_alice(story) == "seen"
    await story.tell("bob = 0.01 USD")


async def test_what_it_refuses_before_is_answered_and_told_in_the_record_and_nothing_moves(story: Story) -> None:
    reply = await story.desk.alone(with_room(story, Room(refuses_before=True)))
    assert status_of(reply) is StateConflict
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        assert await tx.value(int, "SELECT count(*) FROM event WHERE type = 'create_transfer.denied'") == 1
    await story.tell("bob = 0.00 USD")
    # The key is free: nothing was done under it.
    assert status_of(await story.desk.alone(with_room(story, Room()))) == (DONE, False)


async def test_what_it_refuses_after_undoes_the_orders_and_what_it_did_itself(story: Story) -> None:
    with pytest.raises(StateConflict):
        await story.desk.alone(with_room(story, Room(refuses_after=True)))
    assert await name_of_alice(story) == "alice"
    await story.tell("bob = 0.00 USD")
    assert status_of(await story.desk.alone(with_room(story, Room()))) == (DONE, False)


async def test_what_was_begun_before_is_answered_and_pinned_and_nothing_is_ordered(story: Story) -> None:
    first = Room()
    without_key = with_room(story, first)
    await story.desk.alone(replace(without_key, ask=without_key.ask._replace(claim=None)))
    room = Room(begun=Answer(200, b"begun"), event_id=first.event_id)
    replies = [await story.desk.alone(with_room(story, room)) for _ in range(2)]
    assert [(status_of(reply), reply.body) for reply in replies if isinstance(reply, Answer)] == [
        ((200, False), b"begun"), ((200, True), b"begun"),
    ]  # fmt: skip
    assert room.asked == ["before teller"]
    await story.tell("bob = 0.01 USD")


async def test_each_has_a_transaction_of_its_own(story: Story) -> None:
    before = await commits(story)
    replies = await asyncio.gather(*(story.desk.alone(with_room(story, Room(), f"{n}")) for n in range(8)))
    assert [status_of(reply) for reply in replies] == [(DONE, False)] * 8
    assert await commits(story) - before == 8


async def test_of_those_with_one_key_one_is_carried_out(story: Story) -> None:
    replies = await asyncio.gather(*(story.desk.alone(with_room(story, Room())) for _ in range(8)))
    assert sorted(str(status_of(reply)) for reply in replies) == ["(201, False)"] + ["(201, True)"] * 7
    await story.tell("bob = 0.01 USD")


async def test_a_caller_who_leaves_at_any_moment_finds_it_done_once(story: Story) -> None:
    dice = Random(3)
    for n in range(20):
        task = asyncio.create_task(story.desk.alone(with_room(story, Room(), f"{n}")))
        for _ in range(dice.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert status_of(await story.desk.alone(with_room(story, Room(), f"{n}"))) in ((DONE, False), (DONE, True))
    await story.tell("bob = 0.20 USD")


async def said(story: Story, event_id: UUID) -> str:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(str, "SELECT body FROM event WHERE id = $1", event_id)


async def test_each_order_that_is_settled_is_told_with_its_ground(story: Story) -> None:
    one, two, three = send(1), send(2), send(3)
    async with story.database.transaction(story.tenant_id) as tx:
        outcomes = await settle(tx, GROUND, [one, Together((two, three))])
    assert [type(outcome) for outcome in outcomes] == [Done, AllDone]
    for order in (one, two, three):
        body = await said(story, order.event_id)
        assert '"about":"thing_1"' in body
        assert '"why":"It has happened outside."' in body
    await story.tell("bob = 0.06 USD")


async def test_a_settlement_that_is_refused_is_told_too_and_what_goes_together_does_not_happen(story: Story) -> None:
    async with story.database.transaction(story.tenant_id) as tx:
        outcomes = await settle(tx, GROUND, [Together((send(1), send(10**9)))])
        told = await tx.column(str, "SELECT body FROM event WHERE body LIKE '%insufficient_funds%'")
    assert [getattr(outcome, "code", None) for outcome in outcomes] == ["insufficient_funds"]
    assert len(told) == 1
    assert "thing_1" in told[0]
    await story.tell("bob = 0.00 USD")


async def undertaken(office: Office, minor: int) -> UUID:
    """The clerk undertakes something; the event."""
    order = Undertake(new_id(), "bob", Money(minor, "USD"), claims=Claims(rail="provider"))
    ask = ask_of(office.clerk, "undertaken")._replace(action=ACTIONS["create_payment"])
    reply = await office.story.desk.submit(Instruction(ask, lambda _: [order], lambda _: Answer(DONE, b"")))
    assert isinstance(reply, Answer)
    return order.event_id


async def test_limits_that_an_undertaking_does_not_need_come_back_in_part_and_whole(story: Story) -> None:
    office = await Office.open(story, usual_terms(actions=["create_payment"], rails=["provider"]))
    event_id = await undertaken(office, 500)
    assert (await office.used(), await office.uses()) == (500, 1)
    for amount, whole, left in ((200, False, (300, 1)), (300, True, (0, 0))):
        async with story.database.transaction(story.tenant_id) as tx:
            await give_back(tx, event_id, amount, whole=whole)
        assert (await office.used(), await office.uses()) == left
