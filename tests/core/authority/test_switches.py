"""The kill switch: what a freeze ends, and who may stop what."""

import asyncio

import pytest

from bursar.core.authority import executing, switches
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By, OperatorNeeded
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, AgentSuspended, KeyCredential
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.db import connect
from bursar.kernel.ids import show
from tests.core.authority.freezing import (
    REFUSED,
    SCOPES,
    freeze,
    hold,
    pay,
    ref_of,
    resume,
    resume_by_two,
    wait_for,
)
from tests.core.authority.mandates import window_json
from tests.core.authority.offices import Office, usual_terms
from tests.people import allow, enrol


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_freeze_ends_what_waits_gives_everything_back_and_refuses_what_comes(
    office: Office, ann: KeyCredential, ben: KeyCredential, scope: FreezeScope
) -> None:
    waiting, own = await office.ask(5_000), await hold(office)
    assert await office.used() == 5_500
    stopped = await freeze(office, ann, scope, ref_of(office, scope))
    assert (stopped.approvals, stopped.in_flight) == ([waiting], [])
    assert own in stopped.holds
    assert len(stopped.holds) == 2
    await office.story.tell("alice held 0.00 USD")
    assert (await office.used(), await office.uses()) == (0, 0)
    ended = await office.approval(waiting)
    assert (ended.status, ended.ended_why) == ("cancelled", f"{show('frz', stopped.record.id)} froze the {scope}.")
    assert (await office.events(waiting))[-1] == ("approval.cancelled", "cancelled")
    assert await pay(office) == REFUSED[scope]
    await resume_by_two(office, stopped, ann, ben)
    assert await pay(office) == "done"


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_is_approved_and_not_carried_out_is_superseded(
    office: Office, ann: KeyCredential, scope: FreezeScope
) -> None:
    approved = await office.ask(5_000)
    await office.approve(approved)
    stopped = await freeze(office, ann, scope, ref_of(office, scope))
    assert stopped.approvals == [approved]
    assert await office.status(approved) == "superseded"
    async with office.database.transaction(office.story.tenant_id) as tx:
        assert not await executing.execute(tx, approved)
    await office.story.tell("""
        alice = 1000.00 USD
        alice held 0.00 USD
    """)
    assert await office.used() == 0


async def test_what_others_have_under_way_stays(office: Office, ann: KeyCredential) -> None:
    await office.story.tell("""
        alice holds 3.00 USD as theirs for bob
        agent: alice holds 4.00 USD as spenders for bob
    """)
    own = await hold(office)
    for scope in ("agent", "mandate"):
        stopped = await freeze(office, ann, scope, ref_of(office, scope))
        assert list(stopped.holds) == ([own] if scope == "agent" else [])
    await office.story.tell("alice held 7.00 USD")


async def test_a_frozen_account_keeps_what_is_no_agents_and_says_so(office: Office, ann: KeyCredential) -> None:
    await office.story.tell("""
        alice holds 3.00 USD as theirs for bob
        bob has 5.00 USD
        agent: bob holds 1.00 USD as elsewhere
    """)
    own = await hold(office)
    stopped = await freeze(office, ann, "account", "alice")
    theirs = office.story.names["theirs"]
    assert (list(stopped.holds), list(stopped.in_flight)) == ([own], [show("hold", theirs)])
    await office.story.tell("""
        capture theirs
        alice = 997.00 USD
        elsewhere is pending
    """)


async def test_freezing_a_mandate_stops_those_below_it(office: Office, ann: KeyCredential) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        below = await identity.create_principal(tx, "agent", "trainee")
        child = await allow(tx, below, usual_terms(windows=[window_json(max_amount="100.00")]), office.mandate.id)
        _, made = await identity.create_key(tx, below, None, live=False)
        assert child.parent_id == office.mandate.id
        assert made
    trainee = await enrol(office.database, office.story.tenant_id, "agent", "trainee")
    boss, office.clerk = office.clerk, trainee
    waiting = await office.ask(5_000)
    stopped = await freeze(office, ann, "mandate", show("mnd", office.mandate.id))
    assert stopped.approvals == [waiting]
    assert await office.used() == 0
    assert await pay(office) == "mandate_revoked"
    office.clerk = boss


async def test_a_payment_that_is_being_carried_out_is_listed_as_in_flight(
    office: Office, ann: KeyCredential, database_url: str
) -> None:
    under_way = await office.ask(5_000)
    await office.approve(under_way)
    working = await connect(database_url)
    await working.execute(f"BEGIN; SELECT FROM bursar.approval WHERE id = '{under_way}' FOR UPDATE")
    stopped = await freeze(office, ann, "account", "alice")
    assert (list(stopped.approvals), list(stopped.in_flight)) == ([], [show("apr", under_way)])
    await working.close()
    async with office.database.transaction(office.story.tenant_id) as tx:
        assert await executing.execute(tx, under_way)
    assert await office.status(under_way) == "superseded"
    await office.story.tell("alice = 1000.00 USD")


# Who may


@pytest.mark.parametrize("scope", SCOPES)
async def test_an_agent_stops_itself_and_nothing_else(office: Office, scope: FreezeScope) -> None:
    if scope != "agent":
        with pytest.raises(OperatorNeeded, match="itself"):
            await freeze(office, office.clerk, scope, ref_of(office, scope))
    with pytest.raises(OperatorNeeded):
        await freeze(office, office.clerk, "agent", "spender")
    with pytest.raises(OperatorNeeded):
        await freeze(office, office.clerk, "agent", "nobody")
    assert await pay(office) == "done"
    stopped = await freeze(office, office.clerk, "agent", show("prn", office.clerk_id))
    assert stopped.record.frozen_by == office.clerk_id
    assert await pay(office) == "agent_suspended"


async def test_an_agent_freezes_no_account_and_no_mandate_by_their_own_verbs_either(office: Office) -> None:
    agent = Actor(office.story.tenant_id, office.clerk_id, "agent", "clerk", None, frozenset({"accounts:freeze"}))
    async with office.database.transaction(office.story.tenant_id) as tx:
        with pytest.raises(OperatorNeeded, match="itself"):
            await switches.freeze_account(tx, By(agent, "test", "freeze_account"), "alice", "Because I can.")
        with pytest.raises(OperatorNeeded, match="itself"):
            await switches.freeze_mandate(tx, By(agent, "test", "pause_mandate"), office.mandate.id, "Because I can.")
    assert await pay(office) == "done"


async def test_a_service_stops_and_does_not_resume(office: Office) -> None:
    service = await enrol(office.database, office.story.tenant_id, "service", "watcher")
    stopped = await freeze(office, service, "agent", "clerk")
    with pytest.raises(OperatorNeeded, match="two operators"):
        await resume(office, service, stopped.record.id)


@pytest.mark.parametrize("scope", SCOPES)
async def test_one_operator_cannot_resume_alone(
    office: Office, ann: KeyCredential, ben: KeyCredential, scope: FreezeScope
) -> None:
    stopped = await freeze(office, ann, scope, ref_of(office, scope))
    asked = await resume(office, ann, stopped.record.id)
    assert asked.resume_asked_by == stopped.record.frozen_by
    with pytest.raises(StateConflict, match="ann has asked to resume already"):
        await resume(office, ann, stopped.record.id)
    assert await pay(office) == REFUSED[scope]
    assert (await resume(office, ben, stopped.record.id)).resumed_at
    assert await pay(office) == "done"
    with pytest.raises(StateConflict, match="lifted already"):
        await resume(office, ben, stopped.record.id)


async def test_racing_resumes_of_one_operator_count_once(office: Office, ann: KeyCredential, database_url: str) -> None:
    stopped = await freeze(office, ann, "agent", "clerk")
    # Nobody writes before everybody has read, or waits to.
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; LOCK TABLE bursar.freeze_record IN SHARE MODE")
    racing = [asyncio.create_task(resume(office, ann, stopped.record.id)) for _ in range(6)]
    await wait_for(database_url, 6)
    await blocker.close()
    found = await asyncio.gather(*racing, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["FreezeRecord"] + ["StateConflict"] * 5
    assert await pay(office) == "agent_suspended"


async def test_racing_resumes_of_two_operators_lift_it_once(
    office: Office, ann: KeyCredential, ben: KeyCredential
) -> None:
    stopped = await freeze(office, ann, "tenant")
    found = await asyncio.gather(
        *(resume(office, who, stopped.record.id) for who in (ann, ben) * 4), return_exceptions=True
    )
    records = [each for each in found if isinstance(each, FreezeRecord)]
    assert sorted(bool(record.resumed_at) for record in records) == [False, True]
    assert await pay(office) == "done"


async def test_a_suspended_agent_gets_no_further_than_its_key(office: Office, ann: KeyCredential) -> None:
    await freeze(office, ann, "agent", "clerk")
    with pytest.raises(AgentSuspended):
        await freeze(office, office.clerk, "agent", "clerk")
