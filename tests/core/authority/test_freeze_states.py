"""What is frozen once, what stays as it is, what is told and seen of it."""

import asyncio

import psycopg
import pytest

from bursar.core.authority import mandates, resuming, switches
from bursar.core.authority.mandates import MandateStateConflict
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By, Stopped
from bursar.core.events import service as events
from bursar.core.identity.model import Actor, KeyCredential
from bursar.core.ledger import accounts
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import Refusal, UnknownObject
from tests.core.authority.freezing import (
    SCOPES,
    act,
    freeze,
    pay,
    ref_of,
    resume,
    resume_by_two,
)
from tests.core.authority.offices import Office


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
