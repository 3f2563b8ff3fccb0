"""Tenants that are alike in all but their ids and numbers, so that a test can play one against the other."""

from dataclasses import dataclass
from uuid import UUID

import httpx2

from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import KeyCredential, PrincipalKind
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id
from tests.people import allow

AGENT = "agent_007"
# Major units that the main account of each currency starts with: their decimals are 2, 0 and 3.
FUNDS = {"USD": "1000000.00", "JPY": "1000000", "BHD": "1000000.000"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with an operator's and an agent's key, and in each currency a full `main` and an empty `side`."""

    id: UUID
    name: str
    operator: str
    agent: str

    def number(self, kind: str, currency: str = "USD") -> str:
        """An account's number, which no other tenant uses."""
        return f"{self.name}-{kind}-{currency}"

    @property
    def main(self) -> str:
        """The account with funds."""
        return self.number("main")

    @property
    def side(self) -> str:
        """The account without."""
        return self.number("side")


def bearing(key: str, idempotency_key: str | None = None) -> dict[str, str]:
    """The headers of a request with an API key; the other key is fresh unless given."""
    return {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key or new_id().hex}


def credential_of(key: str) -> KeyCredential:
    """What the service makes of a key."""
    credential = read_key(key)
    assert credential
    return credential


async def enrol(database: Database, client: httpx2.AsyncClient, name: str, tenant_id: UUID | None = None) -> Tenant:
    """Make a tenant, its principals, and its funded accounts."""
    tenant_id = tenant_id or new_id()
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, name)
        tenant = Tenant(tenant_id, name, await key_for(tx, "operator", "operator"), await key_for(tx, "agent", AGENT))
    for currency, amount in FUNDS.items():
        await _fund(client, tenant, currency, amount)
    return tenant


async def key_for(tx: Tx, kind: PrincipalKind, name: str, scopes: list[str] | None = None) -> str:
    """A new key of a principal, enrolled if need be; an agent may then do everything."""
    principal = await identity.find_principal_named(tx, name)
    if principal is None:
        principal = await identity.create_principal(tx, kind, name)
        if kind == "agent":
            await allow(tx, principal)
    _, made = await identity.create_key(tx, principal, scopes, live=False)
    return made.text


async def _fund(client: httpx2.AsyncClient, tenant: Tenant, currency: str, amount: str) -> None:
    world, main = f"world:funding:{currency}", tenant.number("main", currency)
    for number, floor in ((world, "none"), (main, "zero"), (tenant.number("side", currency), "zero")):
        account = {"number": number, "name": "An account", "currency": currency, "floor": floor}
        await _made(client, tenant, "/v1/accounts", account)
    transfer = {"source": world, "target": main, "amount": amount, "currency": currency}
    await _made(client, tenant, "/v1/transfers", transfer)


async def _made(client: httpx2.AsyncClient, tenant: Tenant, path: str, body: dict[str, str]) -> None:
    answer = await client.post(path, json=body, headers=bearing(tenant.operator))
    assert answer.status_code == 201, answer.text
