"""What is done with orders is one with them: both or neither, answered and pinned once, and no neighbour's matter."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from bursar.core.authority.model import Instruction, Told, With
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import Done, StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from tests.asking import DONE, ask_of, transfer
from tests.stories import Story

SAID = Answer(200, b"said by what was done with it")


async def willing(_: Tx, __: Actor, outcomes: Sequence[Told]) -> tuple[Answer, Happening]:
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    return SAID, Happening("thing.done", "done", {}, None)


async def unwilling(_: Tx, __: Actor, ___: Sequence[Told]) -> tuple[Answer, Happening | None]:
    raise StateConflict("It stands elsewhere.")


def nothing(_: Actor) -> list[Order]:
    return []


def unasked(_: Sequence[Told]) -> Answer:
    raise AssertionError("what is done with the orders answers")


async def events_of(story: Story, kind: str) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(
            int, "SELECT count(*) FROM event WHERE tenant_id = $1 AND type = $2", story.tenant_id, kind
        )


async def test_it_answers_in_their_place_and_is_pinned_with_them(story: Story) -> None:
    sent = replace(transfer(story.operator, "alice", "bob", key="once"), with_it=With(new_id(), willing))
    first, again = await story.desk.submit(sent), await story.desk.submit(sent)
    assert first == SAID
    assert isinstance(again, Answer)
    assert (again.body, again.replayed) == (SAID.body, True)
    assert await events_of(story, "thing.done") == 1
    await story.tell("bob = 0.01 USD")


async def test_without_orders_it_is_on_the_same_road(story: Story) -> None:
    alone = Instruction(ask_of(story.operator, "alone"), nothing, unasked, with_it=With(new_id(), willing))
    assert await story.desk.submit(alone) == SAID
    again = await story.desk.submit(alone)
    assert isinstance(again, Answer)
    assert again.replayed
    assert await events_of(story, "thing.done") == 1


async def test_a_refusal_of_it_undoes_the_orders_and_no_neighbours(story: Story) -> None:
    def wish(place: int) -> Instruction:
        plain = transfer(story.operator, "alice", "bob")
        return replace(plain, with_it=With(new_id(), unwilling)) if place % 5 == 0 else plain

    replies = await asyncio.gather(*(story.desk.submit(wish(place)) for place in range(20)))
    told = [reply.status if isinstance(reply, Answer) else type(reply) for reply in replies]
    assert told == [StateConflict if place % 5 == 0 else DONE for place in range(20)]
    await story.tell("bob = 0.16 USD")


async def test_objects_are_locked_in_the_order_of_their_ids_whoever_came_first(story: Story) -> None:
    locked: list[UUID] = []

    def noting(object_id: UUID) -> With:
        async def work(_: Tx, __: Actor, ___: Sequence[Told]) -> tuple[Answer, Happening | None]:
            locked.append(object_id)
            return SAID, None

        return With(object_id, work)

    # The first two occupy the clerks; the others wait and share a batch.
    ids = [new_id() for _ in range(12)]
    wishes = [replace(transfer(story.operator, "alice", "bob"), with_it=noting(one)) for one in reversed(ids)]
    replies = await asyncio.gather(*(story.desk.submit(wish) for wish in wishes))
    assert replies == [SAID] * 12
    assert sorted(locked) == ids
    runs = sum(later < earlier for earlier, later in itertools.pairwise(locked))
    assert runs < 11, "in a batch they go up"
