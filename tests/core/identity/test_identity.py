"""Who asks is who holds a key that counts now, and no key can do more than its granter."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from bursar.core.identity import service as identity
from bursar.core.identity.model import (
    AGENT_SCOPES,
    HUMAN_ONLY,
    SCOPES,
    Actor,
    AgentSuspended,
    KeyCredential,
    NameTaken,
    Principal,
    PrincipalKind,
    SandboxCredential,
    ScopeMissing,
    TwoKeysActive,
    Unauthenticated,
)
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from tests.people import enrol


async def _actor(database: Database, credential: KeyCredential | SandboxCredential) -> identity.Who:
    """Both ways of asking, for money and for reading, say the same."""
    async with database.transaction(credential.tenant_id) as tx:
        who = (await identity.authenticate_many(tx, [credential]))[credential]
        if isinstance(who, Actor):
            assert await identity.authenticate(tx, credential) == who
        else:
            with pytest.raises(type(who)):
                await identity.authenticate(tx, credential)
    return who


async def _principal(database: Database, tenant_id: UUID, kind: PrincipalKind, name: str) -> Principal:
    async with database.transaction(tenant_id) as tx:
        return await identity.create_principal(tx, kind, name)


async def test_a_key_tells_who_asks(database: Database, tenant_id: UUID) -> None:
    agent = await enrol(database, tenant_id, "agent", "scout", ["accounts:read"])
    who = await _actor(database, agent)
    assert isinstance(who, Actor)
    assert (who.tenant_id, who.kind, who.name, who.key_id) == (tenant_id, "agent", "scout", agent.key_id)
    assert who.scopes == {"accounts:read"}


async def test_an_operator_has_the_roles_last_given_and_nobody_else_has_any(
    database: Database, tenant_id: UUID
) -> None:
    boss = await enrol(database, tenant_id, "operator", "boss")
    agent = await _principal(database, tenant_id, "agent", "scout")
    for roles in (["treasurer", "auditor", "auditor"], ["treasurer"]):
        async with database.transaction(tenant_id) as tx:
            principal = await identity.find_principal_named(tx, "boss")
            assert principal
            await identity.set_roles(tx, principal, roles)
        who = await _actor(database, boss)
        assert isinstance(who, Actor)
        assert who.roles == set(roles)
    for principal_and_role in ((agent, "treasurer"), (principal, "Treasurer"), (principal, "")):
        async with database.transaction(tenant_id) as tx:
            with pytest.raises(InvalidArgument, match="roles"):
                await identity.set_roles(tx, principal_and_role[0], [principal_and_role[1]])


async def test_a_wrong_secret_or_key_or_tenant_is_nobody(database: Database, tenant_id: UUID) -> None:
    agent = await enrol(database, tenant_id, "agent", "scout")
    other = new_id()
    async with database.transaction(other) as tx:
        await identity.create_tenant(tx, "other")
    for wrong in (
        agent._replace(secret_hash=bytes(32)),
        agent._replace(key_id=agent.key_id ^ 1),
        agent._replace(tenant_id=other),
        agent._replace(tenant_id=new_id()),
    ):
        assert isinstance(await _actor(database, wrong), Unauthenticated)


async def test_a_revoked_key_is_nobodys_and_the_other_one_goes_on(database: Database, tenant_id: UUID) -> None:
    first, second = [await enrol(database, tenant_id, "agent", "scout") for _ in range(2)]
    async with database.transaction(tenant_id) as tx:
        revoked = await identity.revoke_key(tx, first.key_id)
    async with database.transaction(tenant_id) as tx:
        again = await identity.revoke_key(tx, first.key_id)
    assert revoked.revoked_at == again.revoked_at
    assert isinstance(await _actor(database, first), Unauthenticated)
    assert isinstance(await _actor(database, second), Actor)


async def test_a_suspended_principal_is_refused_with_any_key(database: Database, tenant_id: UUID) -> None:
    agent = await enrol(database, tenant_id, "agent", "scout")
    async with database.transaction(tenant_id) as tx:
        await tx.run("UPDATE principal SET status = 'suspended' WHERE name = 'scout'")
    assert isinstance(await _actor(database, agent), AgentSuspended)
    assert isinstance(await _actor(database, SandboxCredential(tenant_id, "scout")), AgentSuspended)


async def test_after_a_revocation_has_committed_nothing_is_done_with_the_key(
    database: Database, tenant_id: UUID
) -> None:
    """Who authenticated first keeps the key until they have ended; the revocation waits for them."""
    agent = await enrol(database, tenant_id, "agent", "scout")

    async def revoke() -> None:
        async with database.transaction(tenant_id) as tx:
            await identity.revoke_key(tx, agent.key_id)

    async with database.transaction(tenant_id) as tx:
        assert isinstance((await identity.authenticate_many(tx, [agent]))[agent], Actor)
        revoking = asyncio.create_task(revoke())
        await _until_waiting(tx, 1, revoking)
    await revoking
    assert isinstance(await _actor(database, agent), Unauthenticated)


async def _until_waiting(tx: Tx, number: int, *tasks: asyncio.Task[Any]) -> None:
    """Until so many wait for their turn; none of the tasks gets anywhere meanwhile."""
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while await tx.value(int, waits) < number:
        assert not any(task.done() for task in tasks)


async def _revoke(tx: Tx, agent: KeyCredential) -> None:
    await identity.revoke_key(tx, agent.key_id)


async def _rotate(tx: Tx, _: KeyCredential) -> None:
    await identity.create_key(tx, await identity.find_agent(tx, "scout"), None, live=False)


async def _move(tx: Tx, _: KeyCredential) -> None:
    await identity.set_team(tx, "scout", "buyers")


@pytest.mark.parametrize("change", [_revoke, _rotate, _move])
@pytest.mark.parametrize("by_name", [False, True])
async def test_who_comes_while_a_change_waits_comes_after_it(
    database: Database, tenant_id: UUID, change: Callable[[Tx, KeyCredential], Awaitable[None]], by_name: bool
) -> None:
    """Otherwise an agent that never rests keeps its key for ever: each of its requests shares what the last one did."""
    agent = await enrol(database, tenant_id, "agent", "scout")

    async def make() -> None:
        async with database.transaction(tenant_id) as tx:
            await change(tx, agent)

    async def come() -> identity.Who:
        later = SandboxCredential(tenant_id, "scout") if by_name else agent
        async with database.transaction(tenant_id) as tx:
            return (await identity.authenticate_many(tx, [later]))[later]

    async with database.transaction(tenant_id) as tx:
        await identity.authenticate_many(tx, [agent])
        making = asyncio.create_task(make())
        await _until_waiting(tx, 1, making)
        coming = asyncio.create_task(come())
        await _until_waiting(tx, 2, making, coming)
    await making
    who = await coming
    assert isinstance(who, Unauthenticated if change is _revoke and not by_name else Actor)
    assert not isinstance(who, Actor) or who.team == ("buyers" if change is _move else None)


async def test_a_principal_has_two_active_keys_for_rotation_and_no_third(database: Database, tenant_id: UUID) -> None:
    keys = [await enrol(database, tenant_id, "agent", "scout") for _ in range(2)]
    with pytest.raises(TwoKeysActive):
        await enrol(database, tenant_id, "agent", "scout")
    async with database.transaction(tenant_id) as tx:
        await identity.revoke_key(tx, keys[0].key_id)
    await enrol(database, tenant_id, "agent", "scout")
    with pytest.raises(TwoKeysActive):
        await enrol(database, tenant_id, "agent", "scout")


async def test_racing_requests_for_keys_get_two(database: Database, tenant_id: UUID) -> None:
    await _principal(database, tenant_id, "agent", "scout")
    got = await asyncio.gather(
        *(enrol(database, tenant_id, "agent", "scout") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(key, KeyCredential) for key in got) == 2
    assert sum(isinstance(key, TwoKeysActive) for key in got) == 6


@pytest.mark.parametrize("scope", sorted(HUMAN_ONLY))
async def test_an_agent_never_gets_what_is_for_humans_only(database: Database, tenant_id: UUID, scope: str) -> None:
    human = await _actor(database, await enrol(database, tenant_id, "operator", "chief"))
    agent = await _principal(database, tenant_id, "agent", "scout")
    assert isinstance(human, Actor)
    for granter in (None, human):
        async with database.transaction(tenant_id) as tx:
            with pytest.raises(InvalidArgument):
                await identity.create_key(tx, agent, ["accounts:read", scope], live=False, granter=granter)


async def test_what_agents_may_have_and_what_is_for_humans_is_all_there_is(database: Database, tenant_id: UUID) -> None:
    agent = await _actor(database, await enrol(database, tenant_id, "agent", "scout"))
    human = await _actor(database, await enrol(database, tenant_id, "operator", "chief"))
    assert isinstance(agent, Actor)
    assert isinstance(human, Actor)
    assert agent.scopes == set(AGENT_SCOPES)
    assert human.scopes == set(SCOPES) == agent.scopes | HUMAN_ONLY
    assert not agent.scopes & HUMAN_ONLY


async def test_nobody_grants_a_scope_that_they_lack(database: Database, tenant_id: UUID) -> None:
    limited = await _actor(
        database, await enrol(database, tenant_id, "operator", "clerk", ["keys:write", "accounts:read"])
    )
    agent = await _principal(database, tenant_id, "agent", "scout")
    assert isinstance(limited, Actor)
    async with database.transaction(tenant_id) as tx:
        with pytest.raises(ScopeMissing, match="transfers:create"):
            await identity.create_key(tx, agent, ["accounts:read", "transfers:create"], live=False, granter=limited)
        key, _ = await identity.create_key(tx, agent, None, live=False, granter=limited)
    assert key.scopes == ("accounts:read",)


@pytest.mark.parametrize(
    "scope", ["", "accounts:*", "*", "ACCOUNTS:READ", "accounts:read ", "unknown:verb", "accounts:read\0"]
)
async def test_a_scope_that_does_not_exist_is_refused(database: Database, tenant_id: UUID, scope: str) -> None:
    human = await _principal(database, tenant_id, "operator", "chief")
    async with database.transaction(tenant_id) as tx:
        with pytest.raises(InvalidArgument):
            await identity.create_key(tx, human, [scope], live=False)


async def test_the_sandbox_enrols_an_agent_once_however_many_come_at_once(database: Database, tenant_id: UUID) -> None:
    credential = SandboxCredential(tenant_id, "newcomer")
    who = await asyncio.gather(*(_actor(database, credential) for _ in range(8)))
    assert len(set(who)) == 1
    assert isinstance(who[0], Actor)
    assert (who[0].kind, who[0].key_id) == ("agent", None)


async def test_in_the_sandbox_nobody_passes_for_an_operator(database: Database, tenant_id: UUID) -> None:
    assert isinstance(await _actor(database, SandboxCredential(tenant_id, "operator")), Unauthenticated)


async def test_a_name_is_one_principals_in_a_tenant(database: Database, tenant_id: UUID) -> None:
    await _principal(database, tenant_id, "agent", "scout")
    with pytest.raises(NameTaken):
        await _principal(database, tenant_id, "service", "scout")


async def test_agents_are_found_by_name_and_id_and_listed_page_by_page(database: Database, tenant_id: UUID) -> None:
    made = [await _principal(database, tenant_id, "agent", f"agent {n}") for n in range(5)]
    async with database.transaction(tenant_id, read_only=True) as tx:
        first = await identity.list_agents(tx, None, 3)
        assert first + await identity.list_agents(tx, first[-1].id, 3) == made
        assert await identity.find_agent(tx, "agent 2") == made[2]
        assert await identity.find_agent(tx, show("prn", made[2].id)) == made[2]
        for nobody in ("agent 9", "operator", show("prn", new_id())):
            with pytest.raises(UnknownObject):
                await identity.find_agent(tx, nobody)


async def test_listed_keys_hold_no_secret_and_tell_which_were_revoked(database: Database, tenant_id: UUID) -> None:
    first, second = [await enrol(database, tenant_id, "agent", "scout") for _ in range(2)]
    async with database.transaction(tenant_id) as tx:
        await identity.revoke_key(tx, first.key_id)
        agent = await identity.find_agent(tx, "scout")
        keys = await identity.list_keys(tx, agent.id)
    assert [(key.id, key.revoked_at is None) for key in keys] == [(first.key_id, False), (second.key_id, True)]
    assert first.secret_hash not in [getattr(key, name) for key in keys for name in type(key).__slots__]


async def test_another_tenants_key_cannot_be_revoked(database: Database, tenant_id: UUID) -> None:
    agent = await enrol(database, tenant_id, "agent", "scout")
    async with database.transaction(new_id()) as tx:
        for key_id in (agent.key_id, None):
            with pytest.raises(UnknownObject):
                await identity.revoke_key(tx, key_id)
    assert isinstance(await _actor(database, agent), Actor)
