"""Whatever is asked leaves its event, allowed or refused, with who, what and why; readers find it by any of these."""

from collections.abc import Sequence
from datetime import timedelta

from bursar.core.authority import service as authority
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.model import Ask
from bursar.core.events import service as events
from bursar.core.events.model import Happening, Recorded
from bursar.core.events.service import Filter
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity.model import Actor, ScopeMissing
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import Refusal
from tests.asking import transfer
from tests.people import enrol
from tests.stories import Story


async def _events(story: Story, wanted: Filter | None = None, limit: int = 100) -> list[Recorded]:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await events.read(tx, wanted or Filter(), None, limit)


def _facts(found: Sequence[Recorded]) -> list[tuple[str, str, str]]:
    return [(e.facts["type"], e.facts["decision"], e.facts["outcome"]) for e in reversed(found)]


async def test_every_order_leaves_an_event_that_says_what_became_of_it(story: Story) -> None:
    before = len(await _events(story))
    await story.tell("""
        alice -> bob 30.00 USD as t1
        alice -> bob 9999.00 USD ! insufficient_funds
        reverse t1 10.00
        alice holds 5.00 USD as h1 for bob
        capture h1 2.00
        alice holds 5.00 USD as h2
        release h2
        release h2 ! state_conflict
        together: alice -> bob 1.00 USD; alice -> bob 2.00 USD
        together: alice -> bob 1.00 USD; alice -> nobody 2.00 USD ! unknown_account
    """)
    assert _facts(await _events(story))[before:] == [
        ("transfer.posted", "allow", "posted"),
        ("transfer.refused", "deny", "insufficient_funds"),
        ("transfer.reversed", "allow", "posted"),
        ("hold.placed", "allow", "pending"),
        ("hold.captured", "allow", "posted"),
        ("hold.placed", "allow", "pending"),
        ("hold.released", "allow", "voided"),
        ("release.refused", "deny", "state_conflict"),
        ("transfer.posted", "allow", "posted"),
        ("transfer.posted", "allow", "posted"),
        ("batch.refused", "deny", "unknown_account"),
    ]


async def test_an_event_holds_who_asked_by_which_key_in_which_request_for_what(story: Story) -> None:
    await story.tell("alice -> bob 30.00 USD as t1")
    (event,) = await _events(story, limit=1)
    facts = event.facts
    assert event.body == canonical(facts)
    assert facts["actor"]["name"] == "teller"
    assert facts["actor"]["key"] == f"key_{story.operator.key_id:016x}"
    assert (facts["action"], facts["request_id"]) == ("create_transfers", "story")
    assert facts["object"] == show("tr", story.names["t1"])
    assert facts["payload"]["amount"] == "30.00"
    (posting,) = facts["payload"]["postings"]
    assert (posting["source_balance"], posting["target_balance"], posting["source_version"]) == ("970.00", "30.00", 2)


async def test_what_a_key_has_no_scope_for_is_on_record_and_is_not_pinned(story: Story) -> None:
    reader = await enrol(story.database, story.tenant_id, "agent", "reader", ["accounts:read"])
    send = transfer(reader, "alice", "bob")
    assert isinstance(await story.desk.submit(send), ScopeMissing)
    (event,) = await _events(story, limit=1)
    assert _facts([event]) == [("create_transfer.denied", "deny", "scope_missing")]
    assert event.facts["actor"]["name"] == "reader"
    assert isinstance(await story.desk.submit(send), ScopeMissing)


async def test_a_hold_that_ran_out_is_on_record_as_the_systems_doing(story: Story) -> None:
    await story.tell("""
        alice holds 5.00 USD as h1 until +1s
        h1 runs out
        alice -> bob 1.00 USD
    """)
    (expiry,) = await _events(story, Filter(action="expire_hold"))
    assert expiry.facts["actor"] == {"kind": "system"}
    assert expiry.facts["object"] == show("hold", story.names["h1"])


async def test_a_replay_leaves_no_second_event(story: Story) -> None:
    send = transfer(story.operator, "alice", "bob")
    await story.desk.submit(send)
    before = await _events(story)
    await story.desk.submit(send)
    assert await _events(story) == before


async def test_events_are_found_by_actor_action_object_and_time_and_in_pages(story: Story) -> None:
    await story.tell("""
        alice -> bob 1.00 USD as t1
        agent: alice -> bob 2.00 USD as t2
        reverse t1
    """)
    everything = await _events(story)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        agent = (await events.read(tx, Filter(object=show("tr", story.names["t2"])), None, 9))[0]
        first = await events.read(tx, Filter(), None, 2)
        assert first + await events.read(tx, Filter(), first[-1].id, 100) == everything
    by_agent = [e for e in everything if e.facts["actor"].get("name") == "spender"]
    assert [agent] == by_agent
    moment = agent.recorded_at
    assert await _events(story, Filter(start=moment)) == [e for e in everything if e.recorded_at >= moment]
    assert await _events(story, Filter(end=moment)) == [e for e in everything if e.recorded_at < moment]
    assert await _events(story, Filter(start=moment + timedelta(days=1))) == []
    assert len(await _events(story, Filter(action="create_transfers"))) == len(everything)


async def test_an_action_that_moves_no_money_is_recorded_pinned_and_undone_when_refused(story: Story) -> None:
    """The same road as for money: `act` does the work, or nothing but the record of its refusal."""
    ask = Ask(story.operator, ACTIONS["freeze_account"], "request", Claim("once", bytes(32)))

    async def rename(tx: Tx, actor: Actor) -> tuple[str, Happening]:
        assert actor.name == "teller"
        await tx.run("UPDATE account SET name = 'changed' WHERE number = 'alice'")
        raise StateConflict("Not like this.")

    def answer(result: str | Refusal) -> Answer:
        assert isinstance(result, StateConflict)
        return Answer(409, b"no")

    for replayed in (False, True):
        async with story.database.transaction(story.tenant_id) as tx:
            carried = await authority.act(tx, ask, rename, answer)
        assert carried.replies == [Answer(409, b"no", replayed)]
    (event,) = await _events(story, limit=1)
    assert _facts([event]) == [("freeze_account.refused", "deny", "state_conflict")]
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        assert await tx.value(str, "SELECT name FROM account WHERE number = 'alice'") == "alice"
