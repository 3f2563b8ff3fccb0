"""`bursar key`: hand out the first keys, from the machine that holds the database."""

import json
import sys
from pathlib import Path
from typing import Any

from bursar.core.authority.telling import told_team
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import ApiKey, Principal, PrincipalKind, read_key_id, show_key_id
from bursar.faces.cli.place import opened
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import InvalidArgument


async def create(
    kind: PrincipalKind,
    name: str,
    scopes: list[str] | None,
    roles: list[str] | None,
    team: str | None,
    tenant: str | None,
    data: Path | None,
) -> dict[str, Any]:
    """Make a key for a principal, enrolling it (and the tenant) when it is new; the secret is shown this once.

    `roles` replaces what an operator may decide, and `team` what an agent belongs to; None leaves it.
    """
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        await identity.create_tenant(tx, place.tenant)
        principal = await _principal(tx, kind, name)
        if roles is not None:
            await identity.set_roles(tx, principal, roles)
        if team is not None:
            await _join(tx, principal, team)
        key, made = await identity.create_key(tx, principal, scopes, live=not place.is_sandbox)
        _record(tx, "key.created", key, principal.name, roles)
        return {**_show(key), "name": principal.name, "kind": principal.kind, "key": made.text}


async def listed(name: str, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """All keys of a principal, without secrets."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        principal = await identity.find_principal_named(tx, name)
        return [_show(key) for key in await identity.list_keys(tx, principal.id)] if principal else []


async def revoke(key_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """End a key."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        key = await identity.revoke_key(tx, read_key_id(key_id))
        _record(tx, "key.revoked", key, None)
        return _show(key)


async def _principal(tx: Tx, kind: PrincipalKind, name: str) -> Principal:
    known = await identity.find_principal_named(tx, name)
    if known and known.kind != kind:
        raise SystemExit(f"{name} is an {known.kind} here, not an {kind}.")
    return known or await identity.create_principal(tx, kind, name)


async def _join(tx: Tx, principal: Principal, team: str) -> None:
    if principal.kind != "agent":
        raise InvalidArgument("team", "is for agents")
    told = told_team(*await identity.set_team(tx, show("prn", principal.id), team))
    told = told._replace(payload={**told.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), None, "", "change_team", told)])


def _record(tx: Tx, kind: str, key: ApiKey, name: str | None, roles: list[str] | None = None) -> None:
    payload = {"by": "command line", "key": show_key_id(key.id), "name": name, "scopes": list(key.scopes)}
    if roles is not None:
        payload["roles"] = roles
    happening = Happening(kind, "done", payload, show_key_id(key.id))
    events.record(tx, [event_of(new_id(), None, "", kind.replace(".", "_"), happening)])


def _show(key: ApiKey) -> dict[str, Any]:
    return {
        "id": show_key_id(key.id),
        "principal_id": show("prn", key.principal_id),
        "scopes": list(key.scopes),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")
