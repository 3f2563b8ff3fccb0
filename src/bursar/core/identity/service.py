"""The verbs of identity: enrol principals, hand out and revoke keys, tell who asks."""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity import store
from bursar.core.identity.keys import NewKey, make_key
from bursar.core.identity.model import (
    Actor,
    AgentSuspended,
    ApiKey,
    Credential,
    KeyCredential,
    NameTaken,
    Principal,
    PrincipalKind,
    SandboxCredential,
    ScopeMissing,
    TwoKeysActive,
    Unauthenticated,
    scopes_for,
)
from bursar.core.identity.store import KeyRow
from bursar.kernel.db import Draft, Tx
from bursar.kernel.ids import new_id, read
from bursar.kernel.refusal import Forbidden, InvalidArgument, Refusal, Unauthorized, UnknownObject

_MOST_ACTIVE_KEYS = 2
_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")

Who = Actor | Unauthorized | Forbidden


async def authenticate_many(tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, Who]:
    """Tell who asks, or why not, under a shared lock: what was revoked before is refused, what comes later waits."""
    keys = {c for c in credentials if isinstance(c, KeyCredential)}
    names = {c for c in credentials if isinstance(c, SandboxCredential)}
    found: dict[Credential, Who] = {}
    if keys:
        found |= _matched(keys, await store.lock_keys(tx, sorted(k.key_id for k in keys)))
    if names:
        found |= await _enrolled(tx, names)
    return found


class Standing(NamedTuple):
    """Who a key belongs to, as it was read, and a text that is another after any change of that."""

    actor: Actor
    version: str


async def find_standing(tx: Tx, credentials: Sequence[KeyCredential]) -> dict[KeyCredential, Standing]:
    """Who these are, without a lock, as far as they may ask: nothing is done for them that is not checked then."""
    rows = {
        row.id: (row, version)
        for row, version in await store.list_keys_as_they_are(tx, [c.key_id for c in credentials])
    }
    found: dict[KeyCredential, Standing] = {}
    for credential in credentials:
        row, version = rows.get(credential.key_id, (None, ""))
        who = _who(credential, row)
        if isinstance(who, Actor):
            found[credential] = Standing(who, version)
    return found


def must_stand(draft: Draft, standing: Iterable[Standing]) -> None:
    """What is drafted for these is done only if they are who they were: revoked before it is refused, later waits."""
    store.keys_must_stand(draft, {s.actor.key_id: s.version for s in standing if s.actor.key_id is not None})


async def authenticate(tx: Tx, credential: Credential) -> Actor:
    """Tell who reads; refuses when nobody."""
    if isinstance(credential, SandboxCredential):
        principal = await store.find_principal(tx, name=credential.agent_name)
        who = _sandboxed(tx.tenant, principal) if principal else Unauthenticated()
    else:
        who = _who(credential, await store.find_key(tx, credential.key_id))
    if isinstance(who, Refusal):
        raise who
    return who


def _matched(credentials: set[KeyCredential], rows: Sequence[KeyRow]) -> dict[Credential, Who]:
    by_id = {row.id: row for row in rows}
    return {credential: _who(credential, by_id.get(credential.key_id)) for credential in credentials}


def _who(credential: KeyCredential, row: KeyRow | None) -> Who:
    if row is None or row.is_revoked or not hmac.compare_digest(row.secret_hash, credential.secret_hash):
        return Unauthenticated()
    if row.status != "active":
        return AgentSuspended()
    return Actor(
        credential.tenant_id, row.principal_id, row.kind, row.name, row.id, frozenset(row.scopes), row.team,
        frozenset(row.roles),
    )  # fmt: skip


async def _enrolled(tx: Tx, credentials: set[SandboxCredential]) -> dict[Credential, Who]:
    names = sorted({c.agent_name for c in credentials})
    for name in set(names) - {p.name for p in await store.lock_principals_named(tx, names)}:
        # What has the form of an id names nobody yet: as a name it could be found by nobody.
        if not read("prn", name):
            await store.insert_principal(tx, new_id(), "agent", name)
    by_name = {p.name: p for p in await store.lock_principals_named(tx, names)}
    return {
        c: _sandboxed(tx.tenant, by_name[c.agent_name]) if c.agent_name in by_name else Unauthenticated()
        for c in credentials
    }


def _sandboxed(tenant_id: UUID, principal: Principal) -> Who:
    if principal.kind != "agent":
        return Unauthenticated()
    if principal.status != "active":
        return AgentSuspended()
    scopes = frozenset(scopes_for("agent"))
    return Actor(tenant_id, principal.id, "agent", principal.name, None, scopes, principal.team)


async def create_principal(tx: Tx, kind: PrincipalKind, name: str, team: str | None = None) -> Principal:
    """Enrol somebody under a name that is free; an agent may belong to a team."""
    if read("prn", name):
        raise InvalidArgument("name", "has the form of a principal's id")
    _refuse_team(kind, team)
    if not await store.insert_principal(tx, new_id(), kind, name, team):
        raise NameTaken
    made = await store.find_principal(tx, name=name)
    assert made
    return made


async def find_principal_named(tx: Tx, name: str) -> Principal | None:
    """One principal by name."""
    return await store.find_principal(tx, name=name)


async def find_principal(tx: Tx, principal_id: UUID) -> Principal | None:
    """One principal by id."""
    return await store.find_principal(tx, principal_id=principal_id)


async def lock_principals(tx: Tx, principal_ids: Sequence[UUID]) -> dict[UUID, Principal]:
    """Principals by id, shared: what they may do holds until the transaction ends."""
    return {principal.id: principal for principal in await store.lock_principals(tx, principal_ids)}


async def find_agent_or_none(tx: Tx, ref: str) -> Principal | None:
    """One agent by name or id, or None."""
    principal_id = read("prn", ref)
    found = await store.find_principal(tx, principal_id=principal_id, name=None if principal_id else ref)
    return found if found and found.kind == "agent" else None


async def find_agent(tx: Tx, ref: str) -> Principal:
    """One agent by name or id."""
    found = await find_agent_or_none(tx, ref)
    if found is None:
        raise UnknownObject("agent")
    return found


async def as_agent(tx: Tx, ref: str) -> Actor:
    """An agent as the rules see it, for questions that somebody else asks about it."""
    found = await find_agent(tx, ref)
    if found.status != "active":
        raise AgentSuspended
    return Actor(tx.tenant, found.id, "agent", found.name, None, frozenset(scopes_for("agent")), found.team)


async def set_roles(tx: Tx, principal: Principal, roles: Sequence[str]) -> None:
    """Say what an operator may decide, from the commit on; only operators have roles."""
    if principal.kind != "operator":
        raise InvalidArgument("roles", "are for operators")
    for role in roles:
        if not _ROLE.fullmatch(role):
            raise InvalidArgument("roles", "must be lower-case names such as treasurer")
    await store.take_turn(tx)
    await store.update_roles(tx, principal.id, sorted(set(roles)))


async def set_team(tx: Tx, ref: str, team: str | None) -> tuple[Principal, Principal]:
    """Have an agent (by name or id) belong to another team, or to none; the agent before and after.

    Which mandates it acts under changes with the commit: what has begun before is over, what comes later sees it.
    """
    await store.take_turn(tx)
    before = await find_agent(tx, ref)
    _refuse_team(before.kind, team)
    await store.update_team(tx, before.id, team)
    return before, replace(before, team=team)


def _refuse_team(kind: PrincipalKind, team: str | None) -> None:
    if team is None:
        return
    if kind != "agent":
        raise InvalidArgument("team", "is for agents")
    if not _TEAM.fullmatch(team):
        raise InvalidArgument("team", "must be a name such as procurement")


async def list_agents(tx: Tx, after: UUID | None, limit: int) -> list[Principal]:
    """Agents in the order of their enrolment."""
    return await store.list_principals(tx, "agent", after, limit)


async def create_key(
    tx: Tx, principal: Principal, scopes: Sequence[str] | None, *, live: bool, granter: Actor | None = None
) -> tuple[ApiKey, NewKey]:
    """Hand out a key: at most two active ones, never a scope its kind may not have, nor one the granter lacks."""
    allowed = scopes_for(principal.kind)
    wanted = list(dict.fromkeys(scopes)) if scopes is not None else list(allowed)
    if granter is not None and scopes is None:
        wanted = [s for s in wanted if s in granter.scopes]
    for scope in wanted:
        if scope not in allowed:
            raise InvalidArgument("scopes", f"a key of an {principal.kind} cannot have one of these scopes")
        if granter is not None and scope not in granter.scopes:
            raise ScopeMissing(scope)
    await store.take_turn(tx)
    await store.lock_principal(tx, principal.id)
    if sum(k.revoked_at is None for k in await store.list_keys(tx, principal.id)) >= _MOST_ACTIVE_KEYS:
        raise TwoKeysActive
    made = make_key(tx.tenant, live=live)
    return await store.insert_key(tx, made.id, principal.id, made.secret_hash, wanted), made


async def list_keys(tx: Tx, principal_id: UUID) -> list[ApiKey]:
    """All keys of a principal, without secrets."""
    return await store.list_keys(tx, principal_id)


async def revoke_key(tx: Tx, key_id: int | None) -> ApiKey:
    """End a key; from the commit on nothing is done for it."""
    await store.take_turn(tx)
    found = await store.mark_key_revoked(tx, key_id)
    if found is None:
        raise UnknownObject("key")
    return found


async def take_turn(tx: Tx) -> None:
    """Come before those who ask from now on, for who changes the row of a tenant or principal that they share."""
    await store.take_turn(tx)


async def create_tenant(tx: Tx, name: str) -> bool:
    """Make the tenant the transaction is set to; False when it is there already."""
    return await store.insert_tenant(tx, name)
