"""Principals with keys, for tests that ask as somebody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bursar.core.authority import mandates
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.mandates import Draft
from bursar.core.authority.narrowing import WIDEST
from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import KeyCredential, Principal, PrincipalKind
from bursar.kernel.db import Database, Tx


async def enrol(
    database: Database, tenant_id: UUID, kind: PrincipalKind, name: str, scopes: Sequence[str] | None = None
) -> KeyCredential:
    """What a request says of its caller when it carries a new key of that principal, who is enrolled if new.

    A new agent may do everything: what mandates forbid is the matter of tests that write them.
    """
    async with database.transaction(tenant_id) as tx:
        principal = await identity.find_principal_named(tx, name)
        if principal is None:
            principal = await identity.create_principal(tx, kind, name)
            if kind == "agent":
                await allow(tx, principal)
        _, key = await identity.create_key(tx, principal, scopes, live=False)
    credential = read_key(key.text)
    assert credential
    return credential


async def allow(tx: Tx, agent: Principal, terms: dict[str, Any] = WIDEST, parent_id: UUID | None = None) -> Mandate:
    """Put a mandate of its own in force for an agent; the widest there is if not told otherwise."""
    return await _grant(tx, agent.id, Draft(f"of {agent.name}", agent.id, None, parent_id, None, None, terms))


async def _grant(tx: Tx, granter_id: UUID, draft: Draft) -> Mandate:
    made = await mandates.draft(tx, granter_id, draft)
    return await mandates.activate(tx, granter_id, made.id)
