"""Nothing that a freeze forbids commits after it, however it meets the payments."""

import asyncio
from random import Random

import pytest

from bursar.core.authority import mandates, switches
from bursar.core.authority.switch_store import FreezeScope
from bursar.core.authority.switches import By, Stopped
from bursar.core.identity.model import Actor, Credential, KeyCredential
from bursar.kernel.db import Tx, connect
from tests.core.authority.freezing import (
    REFUSED,
    SCOPES,
    act,
    freeze,
    pay,
    ref_of,
    resume_by_two,
    wait_for,
)
from tests.core.authority.offices import Office, usual_terms


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
