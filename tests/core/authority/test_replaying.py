"""A decision that is kept can be made again, and a draft can be tried on the past."""

from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

from bursar.core.authority import mandate_store
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.record import inputs_of, read_inputs, results_of
from bursar.core.authority.replaying import Kept, backtest, replay
from bursar.core.identity.model import KeyCredential
from bursar.kernel.db import Tx
from tests.core.authority.limits import agent, ask, day, send, terms
from tests.core.authority.mandates import NOW, cap_json, facts, mandate, payment
from tests.stories import Story

BUSY: dict[str, Any] = {
    "windows": [day("0.50"), day(count=6, per_payee=True, currency=None)],
    "per_transaction": [cap_json(max="0.40", auto_max="0.20")],
    "duplicate_window_seconds": 600,
    "velocity": {"max_count": 9, "seconds": 60},
}


async def _lived(story: Story) -> tuple[KeyCredential, Mandate]:
    """An agent that was allowed, sent to people and refused, for every reason there is in its mandate."""
    who, given = await agent(story, "buyer", terms(**BUSY))
    for minor in (10, 10, 25, 41, 5, 6, 20, 7):
        await ask(story.desk, who, [send(minor)])
    await ask(story.desk, who, [send(1), send(2), send(3)], "create_transfers")
    return who, given


async def _past(tx: Tx) -> list[Kept]:
    (agent_id,) = await tx.column(UUID, "SELECT DISTINCT agent_id FROM decision")
    return await mandate_store.list_decisions(tx, agent_id)


async def test_every_decision_is_made_again_as_it_was(story: Story) -> None:
    _, given = await _lived(story)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        past = await _past(tx)
    assert {kept.outcome for kept in past} == {"allow", "needs_approval", "deny"}
    for kept in past:
        again = replay(kept, {(given.id, given.version): given})
        assert (again.outcome, results_of(again)) == (kept.outcome, kept.results)


async def test_the_same_terms_change_nothing_of_the_past(story: Story) -> None:
    _, given = await _lived(story)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        assert backtest(given, await _past(tx)) == []


async def test_a_draft_tells_what_it_would_have_changed(story: Story) -> None:
    await _lived(story)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        past = await _past(tx)
    draft = mandate(9, terms(**(BUSY | {"per_transaction": [cap_json(max="0.09")]})), status="draft")
    changed = {(change.payment.money.minor, change.was, change.verdict.outcome) for change in backtest(draft, past)}
    assert (10, "allow", "deny") in changed
    assert (25, "needs_approval", "deny") in changed
    assert all(minor >= 10 or after == "allow" for minor, _, after in changed)


def test_equal_moments_of_two_zones_are_kept_each_as_it_is_written() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=2)))
    kept = [read_inputs(inputs_of(facts(now=now), payment()))["now"] for now in (NOW, there, NOW)]
    assert kept == [NOW.isoformat(), there.isoformat(), NOW.isoformat()]
