"""The kill switch: what a freeze ends, that nothing it forbids commits after it, and that it takes two to resume."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from bursar.core.authority import executing, mandates, resuming, switches
from bursar.core.authority import service as authority
from bursar.core.authority.desk import settled
from bursar.core.authority.mandates import MandateStateConflict
from bursar.core.authority.model import ACTIONS, Ask
from bursar.core.authority.service import Carried
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By, OperatorNeeded, Stopped
from bursar.core.events import service as events
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, AgentSuspended, Credential, KeyCredential
from bursar.core.ledger import accounts
from bursar.core.ledger.orders import PlaceHold
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.db import Tx, connect, retrying
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal, UnknownObject
from tests.asking import transfer
from tests.core.authority.mandates import window_json
from tests.core.authority.offices import Office, usual_terms
from tests.people import allow, enrol
from tests.stories import Story


@pytest.fixture
async def office(story: Story) -> Office:
    """Alice has 1000.00 USD; the clerk pays up to 10.00 alone."""
    return await Office.open(story)


@pytest.fixture
async def ann(office: Office) -> KeyCredential:
    """An operator."""
    return await enrol(office.database, office.story.tenant_id, "operator", "ann")


@pytest.fixture
async def ben(office: Office) -> KeyCredential:
    """Another operator."""
    return await enrol(office.database, office.story.tenant_id, "operator", "ben")


async def act(office: Office, who: Credential, action: str, verb: Callable[[Tx, By], Awaitable[Any]]) -> Any:
    """Do it as the door does, once authenticated; what came of it, or its refusal raised."""
    ask = Ask(who, ACTIONS[action], "test")
    kept: list[Any] = []

    async def work(tx: Tx, actor: Actor) -> tuple[Any, Happening]:
        done = await verb(tx, By(actor, "test", action))
        happening = switches.told_frozen(done) if isinstance(done, Stopped) else resuming.told_resumed(done)
        return done, happening

    def answer(result: Any) -> Answer:
        kept.append(result)
        return Answer(200, b"")

    async def once(tx: Tx) -> Carried:
        return await authority.act(tx, ask, work, answer)

    (reply,) = await retrying(lambda: settled(office.database, [ask], office.story.tenant_id, once))
    outcome = reply if isinstance(reply, Refusal) else kept[-1]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def freeze(office: Office, who: Credential, scope: FreezeScope, ref: str = "") -> Stopped:
    async def verb(tx: Tx, by: By) -> Stopped:
        return await switches.freeze(tx, by, scope, ref, "It looks odd.")

    return await act(office, who, "create_freeze", verb)


async def resume(office: Office, who: Credential, freeze_id: UUID) -> FreezeRecord:
    async def verb(tx: Tx, by: By) -> FreezeRecord:
        return await resuming.resume(tx, by, freeze_id)

    return await act(office, who, "resume_freeze", verb)


async def resume_by_two(office: Office, stopped: Stopped, one: Credential, two: Credential) -> None:
    assert (await resume(office, one, stopped.record.id)).resumed_at is None
    assert (await resume(office, two, stopped.record.id)).resumed_at


async def hold(office: Office, minor: int = 500, target: str | None = "bob") -> UUID:
    """A hold that the clerk places alone."""
    money = Money(minor, "USD")
    _, body = await office.submit("create_hold", lambda: PlaceHold(new_id(), new_id(), "alice", target, money))
    return UUID(body)


def ref_of(office: Office, scope: FreezeScope) -> str:
    return {"tenant": "", "agent": "clerk", "mandate": show("mnd", office.mandate.id), "account": "alice"}[scope]


REFUSED: dict[FreezeScope, str] = {
    "tenant": "agent_suspended", "agent": "agent_suspended", "mandate": "mandate_revoked", "account": "account_frozen",
}  # fmt: skip
SCOPES = sorted(REFUSED)


async def pay(office: Office) -> str:
    """What becomes of a small payment of the clerk's."""
    reply = await office.story.desk.submit(transfer(office.clerk, "alice", "bob"))
    return reply.code if isinstance(reply, Refusal) else reply.body.decode() if reply.status != 201 else "done"


# What a freeze ends


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


# States


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_is_frozen_is_not_frozen_twice(
    office: Office, ann: KeyCredential, ben: KeyCredential, scope: FreezeScope
) -> None:
    ref = ref_of(office, scope)
    both = await asyncio.gather(*(freeze(office, who, scope, ref) for who in (ann, ben)), return_exceptions=True)
    (made,) = [each for each in both if isinstance(each, Stopped)]
    (refused,) = [each for each in both if not isinstance(each, Stopped)]
    assert isinstance(refused, StateConflict | MandateStateConflict)
    await resume_by_two(office, made, ann, ben)
    assert (await freeze(office, ann, scope, ref)).record.id != made.record.id


@pytest.mark.parametrize("scope", ["agent", "mandate", "account"])
async def test_what_is_not_there_cannot_be_frozen(office: Office, ann: KeyCredential, scope: FreezeScope) -> None:
    for ref in ("nobody", show({"agent": "prn", "mandate": "mnd", "account": "acct"}[scope], new_id())):
        with pytest.raises(Refusal) as refused:
            await freeze(office, ann, scope, ref)
        assert refused.value.code in ("not_found", "unknown_account")
    with pytest.raises(UnknownObject):
        await resume(office, ann, new_id())


async def test_what_was_revoked_or_closed_meanwhile_stays_so(
    office: Office, ann: KeyCredential, ben: KeyCredential
) -> None:
    mandate = await freeze(office, ann, "mandate", ref_of(office, "mandate"))
    account = await freeze(office, ann, "account", "bob")
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)
        await accounts.change_status(tx, "bob", "closed")
    for stopped in (mandate, account):
        await resume_by_two(office, stopped, ann, ben)
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        assert await tx.value(str, "SELECT status FROM account WHERE number = 'bob'") == "closed"
        assert await tx.value(str, "SELECT status FROM mandate WHERE id = $1", office.mandate.id) == "revoked"


async def test_an_account_that_was_frozen_before_freezes_were_written_down_gets_its_record(
    office: Office, ann: KeyCredential, ben: KeyCredential
) -> None:
    await office.story.tell("alice frozen")

    async def unfreeze(tx: Tx, by: By) -> FreezeRecord:
        return await resuming.resume_account(tx, by, "alice")

    with pytest.raises(StateConflict, match="freeze it once more"):
        await act(office, ann, "unfreeze_account", unfreeze)
    await freeze(office, ann, "account", "alice")
    with pytest.raises(StateConflict, match="alice is frozen"):
        await freeze(office, ann, "account", "alice")
    for who in (ann, ben):
        await act(office, who, "unfreeze_account", unfreeze)
    assert await pay(office) == "done"
    with pytest.raises(StateConflict, match="alice is open"):
        await act(office, ann, "unfreeze_account", unfreeze)


async def test_a_freeze_that_fails_half_way_has_done_nothing(
    office: Office, ann: KeyCredential, database_url: str
) -> None:
    waiting = await office.ask(5_000)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE bursar.freeze_record ADD CONSTRAINT never CHECK (reason <> 'It looks odd.')")
        with pytest.raises(Exception, match="never"):
            await freeze(office, ann, "agent", "clerk")
        connection.execute("ALTER TABLE bursar.freeze_record DROP CONSTRAINT never")
    assert await office.status(waiting) == "pending"
    assert await office.used() == 5_000
    assert await pay(office) == "done"


async def test_a_freeze_is_told_with_all_it_ended(office: Office, ann: KeyCredential, ben: KeyCredential) -> None:
    waiting = await office.ask(5_000)
    stopped = await freeze(office, ann, "agent", "clerk")
    await resume_by_two(office, stopped, ann, ben)
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await events.read(tx, events.Filter(object=show("prn", office.clerk_id)), None, 10)
    told = [(e.facts["type"], e.facts["outcome"], e.facts["actor"]["name"]) for e in reversed(found)]
    assert told == [
        ("agent.frozen", "frozen", "ann"), ("resume.requested", "frozen", "ann"), ("agent.resumed", "resumed", "ben"),
    ]  # fmt: skip
    assert found[-1].facts["payload"]["cancelled_approvals"] == [show("apr", waiting)]
    assert found[-1].facts["payload"]["freeze"] == show("frz", stopped.record.id)


async def test_an_agent_sees_what_is_frozen_of_its_own(office: Office, ann: KeyCredential) -> None:
    scopes: list[FreezeScope] = ["account", "mandate"]
    made = [await freeze(office, ann, scope, ref_of(office, scope)) for scope in scopes]
    others = await freeze(office, ann, "agent", "spender")
    actor = Actor(office.story.tenant_id, office.clerk_id, "agent", "clerk", None, frozenset())
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        seen = await switches.list_for(tx, actor, None, None, 10)
        known = await switches.list_for(
            tx, Actor(actor.tenant_id, new_id(), "operator", "x", None, frozenset()), True, None, 10
        )
    assert [record.id for record in seen] == [stopped.record.id for stopped in made]
    assert [record.id for record in known] == [stopped.record.id for stopped in (*made, others)]


# Nothing commits after it


async def test_who_has_begun_commits_before_the_freeze_and_who_begins_later_is_refused(
    office: Office, ann: KeyCredential, database_url: str
) -> None:
    """A payment that waits for an account has shared the agent's row, so the freeze waits for it."""
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; SELECT FROM bursar.account WHERE number = 'bob' FOR UPDATE")
    begun = asyncio.create_task(pay(office))
    await wait_for(database_url, 1)
    freezing = asyncio.create_task(freeze(office, ann, "agent", "clerk"))
    await wait_for(database_url, 2)
    assert not freezing.done()
    await blocker.close()
    assert await begun == "done"
    await freezing
    assert await pay(office) == "agent_suspended"


async def test_what_is_proposed_while_the_freeze_waits_for_the_account_ends_too(
    office: Office, ann: KeyCredential, database_url: str
) -> None:
    """A proposal that has locked the account is not there yet when the freeze first looks."""
    blocker = await connect(database_url)
    await blocker.execute("BEGIN; LOCK TABLE bursar.approval IN SHARE MODE")
    asking = asyncio.create_task(office.ask(5_000))
    await wait_for(database_url, 1)
    freezing = asyncio.create_task(freeze(office, ann, "account", "alice"))
    await wait_for(database_url, 2)
    await blocker.close()
    proposed, stopped = await asking, await freezing
    assert stopped.approvals == [proposed]
    assert await office.status(proposed) == "cancelled"
    assert await office.used() == 0
    await office.story.tell("alice held 0.00 USD")


async def test_a_freeze_that_waits_for_a_vote_holds_no_account_meanwhile(
    office: Office, ann: KeyCredential, database_url: str
) -> None:
    """Whoever votes locks the approval and then the account; a freeze that did it the other way would deadlock."""
    waiting = await office.ask(5_000)
    voter = await connect(database_url)
    await voter.execute(f"BEGIN; SELECT FROM bursar.approval WHERE id = '{waiting}' FOR UPDATE")
    freezing = asyncio.create_task(freeze(office, ann, "account", "alice"))
    await wait_for(database_url, 1)
    await voter.execute("SELECT FROM bursar.account WHERE number = 'alice' FOR UPDATE NOWAIT")
    await voter.close()
    assert (await freezing).approvals == [waiting]


async def wait_for(database_url: str, waiting: int) -> None:
    """Until so many transactions wait for a lock."""
    watcher = await connect(database_url)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await watcher.fetchval(asked) < waiting:  # noqa: ASYNC110 -- PostgreSQL says who waits only when asked
            await asyncio.sleep(0.005)
    await watcher.close()


@pytest.mark.parametrize("scope", SCOPES)
async def test_nothing_that_a_freeze_forbids_commits_after_it(
    office: Office, ann: KeyCredential, ben: KeyCredential, scope: FreezeScope
) -> None:
    await _freeze_under_load(office, (ann, ben), scope, rounds=10)


@pytest.mark.soak
@pytest.mark.parametrize("scope", SCOPES)
async def test_nothing_that_a_freeze_forbids_commits_after_it_in_many_rounds(
    office: Office, ann: KeyCredential, ben: KeyCredential, scope: FreezeScope
) -> None:
    await _freeze_under_load(office, (ann, ben), scope, rounds=200)


async def _freeze_under_load(
    office: Office, operators: tuple[KeyCredential, KeyCredential], scope: FreezeScope, rounds: int
) -> None:
    """Freeze at moments of chance while the clerk pays as fast as it can, and look at who came after."""
    async with office.database.transaction(office.story.tenant_id) as tx:
        await mandates.change(
            tx, Actor(tx.tenant, office.mandate.granted_by, "operator", "", None, frozenset()), office.mandate.id,
            usual_terms(windows=[]),
        )  # fmt: skip
    random = Random(scope)
    for _ in range(rounds):
        payers = [asyncio.create_task(_pay_until_refused(office)) for _ in range(8)]
        await asyncio.sleep(random.random() / 10)
        stopped, snapshot = await _freeze_and_look(office, operators[0], scope)
        codes = await asyncio.gather(*payers)
        assert set(codes) == {REFUSED[scope]}
        async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
            later = await tx.value(
                int,
                """SELECT count(*) FROM entry e JOIN event v ON v.tenant_id = e.tenant_id AND v.id = e.event_id
                   WHERE v.actor_id = $1 AND NOT pg_visible_in_snapshot(e.xid, $2::text::pg_snapshot)""",
                office.clerk_id,
                snapshot,
            )
        assert later == 0
        await resume_by_two(office, stopped, *operators)


async def _pay_until_refused(office: Office) -> str:
    while (came := await pay(office)) == "done":
        pass
    return came


async def _freeze_and_look(office: Office, who: Credential, scope: FreezeScope) -> tuple[Stopped, str]:
    """Freeze; also who had committed when the switch was off and the freeze had not committed yet."""
    seen: list[str] = []

    async def verb(tx: Tx, by: By) -> Stopped:
        stopped = await switches.freeze(tx, by, scope, ref_of(office, scope), "It looks odd.")
        seen.append(await tx.value(str, "SELECT pg_current_snapshot()::text"))
        return stopped

    return await act(office, who, "create_freeze", verb), seen[-1]


async def test_a_suspended_agent_gets_no_further_than_its_key(office: Office, ann: KeyCredential) -> None:
    await freeze(office, ann, "agent", "clerk")
    with pytest.raises(AgentSuspended):
        await freeze(office, office.clerk, "agent", "clerk")
