"""What is remembered for agents comes back after it failed, and is never mixed with what is newer."""

import asyncio
from uuid import UUID

import pytest

from bursar.core.authority import executing, mandates
from bursar.core.authority.desk import Desk
from bursar.core.authority.memory import Memory
from bursar.core.authority.refusals import MandateRevoked, PossibleDuplicate
from bursar.core.authority.rulebook import Unlearnt
from bursar.core.identity.model import KeyCredential
from bursar.core.ledger.orders import PlaceHold
from bursar.core.ledger.outcomes import Done
from bursar.kernel.db import connect
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.asking import transfer
from tests.core.authority.ahead import Ahead
from tests.core.authority.freezing import wait_for
from tests.core.authority.limits import agent, ask, day, send, terms
from tests.core.authority.offices import Office
from tests.stories import Story

# More than are left to transactions after one failure.
ENOUGH = 4


async def _all_done(story: Story, who: KeyCredential, count: int = ENOUGH) -> bool:
    told = [(await ask(story.desk, who, [send(1)]))[0] for _ in range(count)]
    return all(isinstance(each, Done) for each in told)


async def test_after_others_have_decided_it_goes_ahead_again(story: Story, elsewhere: Desk, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    assert await _all_done(story, who)
    await ask(elsewhere, who, [send(1)])
    before = ahead.written
    assert await _all_done(story, who)
    assert ahead.written > before


async def test_after_the_rules_have_changed_it_goes_ahead_again(story: Story, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    assert await _all_done(story, who)
    await agent(story, "other", terms())
    before, stale = ahead.written, ahead.stale
    assert await _all_done(story, who)
    assert (ahead.written > before, ahead.stale) == (True, stale + 1)


async def test_what_was_used_up_elsewhere_is_found_once(story: Story, elsewhere: Desk, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("0.05")]))
    assert await _all_done(story, who)
    await ask(elsewhere, who, [send(1)])
    assert not any([await _all_done(story, who, 1) for _ in range(3 * ENOUGH)])
    assert ahead.stale == 1


async def test_rules_that_changed_are_found_once_by_whoever_has_no_mandate(story: Story, ahead: Ahead) -> None:
    who, mandate = await agent(story, "bot", terms())
    async with story.database.transaction(story.tenant_id) as tx:
        await tx.run(
            "UPDATE mandate SET agent_id = NULL, team = 'x' WHERE tenant_id = $1 AND id = $2", tx.tenant, mandate.id
        )
    assert not await _all_done(story, who)
    await agent(story, "other", terms())
    before = ahead.written
    assert not any([await _all_done(story, who, 1) for _ in range(3 * ENOUGH)])
    assert (ahead.written > before, ahead.stale) == (True, 1)


async def test_after_its_own_hold_the_next_payment_goes_ahead(story: Story, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    await story.tell("carol has 10.00 USD")
    assert await _all_done(story, who)
    hold = PlaceHold(new_id(), new_id(), "carol", "bob", Money(5, "USD"))
    await ask(story.desk, who, [hold], "create_hold")
    before = ahead.written
    assert await _all_done(story, who, 1)
    assert (ahead.written, ahead.stale) == (before + 1, 0)


async def test_what_an_agent_may_is_never_older_than_what_another_may(story: Story) -> None:
    (ann, _), (ben, of_ben) = [await agent(story, name, terms()) for name in ("ann", "ben")]
    for who in (ann, ben):
        assert await _all_done(story, who)
    async with story.database.transaction(story.tenant_id) as tx:
        await mandates.pause(tx, of_ben.granted_by, of_ben.id)
    assert await _all_done(story, ann)
    (told,) = await ask(story.desk, ben, [send(1)])
    assert isinstance(told, MandateRevoked)


async def test_the_same_payment_on_its_way_is_found(story: Story, database_url: str) -> None:
    who, _ = await agent(story, "bot", terms(duplicate_window_seconds=3600))
    assert isinstance((await ask(story.desk, who, [send(1)]))[0], Done)
    connection = await connect(database_url)
    async with connection.transaction():
        # The first has taken its turn and waits for the account, the second for the turn.
        await connection.execute("SELECT FROM bursar.account WHERE number = 'bob' FOR UPDATE")
        one = asyncio.create_task(ask(story.desk, who, [send(7)]))
        await wait_for(database_url, 1)
        two = asyncio.create_task(ask(story.desk, who, [send(7)]))
        await wait_for(database_url, 2)
    await connection.close()
    (first,), (second,) = await asyncio.gather(one, two)
    assert isinstance(first, Done)
    assert isinstance(second, PossibleDuplicate)


async def test_what_is_decided_while_something_is_looked_up_spoils_nothing(
    story: Story, ahead: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    await story.desk.submit(transfer(story.operator, "alice", "bob"))
    real, looked_up = Memory.learn, list[Unlearnt]()

    async def slow(self: Memory, unlearnt: Unlearnt) -> None:
        await real(self, unlearnt)
        looked_up.append(unlearnt)
        await story.desk.submit(transfer(story.operator, "alice", "bob"))

    monkeypatch.setattr(Memory, "learn", slow)
    assert await _all_done(story, who, 1)
    assert (len(looked_up), ahead.stale) == (1, 0)


async def test_what_people_approved_takes_a_turn(office: Office) -> None:
    asked = await office.ask()
    await office.approve(asked)
    turns: list[UUID] = []
    for _ in range(2):
        async with office.database.transaction(office.story.tenant_id) as tx:
            turn = "SELECT turn FROM mandate WHERE tenant_id = $1 AND id = $2"
            turns.append(await tx.value(UUID, turn, tx.tenant, office.mandate.id))
            await executing.execute(tx, asked)
    assert len(set(turns)) == 2


async def test_what_was_changed_while_something_is_looked_up_is_not_taken_for_what_it_is_now(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann, of_ann), (ben, of_ben) = [await agent(story, name, terms(windows=[day("10.00")])) for name in ("ann", "ben")]
    assert await _all_done(story, ben)
    real = Memory.learn

    async def slow(self: Memory, unlearnt: Unlearnt) -> None:
        await real(self, unlearnt)
        monkeypatch.setattr(Memory, "learn", real)
        async with story.database.transaction(story.tenant_id) as tx:
            await mandates.pause(tx, of_ann.granted_by, of_ann.id)
        # As a batch of Ben's would, that came to nothing and begins again.
        assert of_ben.agent_id
        self.rules.forget([of_ben.id])
        await self.learn_mandates([(of_ben.agent_id, None)])

    monkeypatch.setattr(Memory, "learn", slow)
    (told,) = await ask(story.desk, ann, [send(1, "bob", "alice")])
    assert isinstance(told, MandateRevoked)
