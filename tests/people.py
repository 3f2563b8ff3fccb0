"""Principals with keys, for tests that ask as somebody."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import KeyCredential, PrincipalKind
from bursar.kernel.db import Database


async def enrol(
    database: Database, tenant_id: UUID, kind: PrincipalKind, name: str, scopes: Sequence[str] | None = None
) -> KeyCredential:
    """What a request says of its caller when it carries a new key of that principal, who is enrolled if new."""
    async with database.transaction(tenant_id) as tx:
        principal = await identity.find_principal_named(tx, name) or await identity.create_principal(tx, kind, name)
        _, key = await identity.create_key(tx, principal, scopes, live=False)
    credential = read_key(key.text)
    assert credential
    return credential
