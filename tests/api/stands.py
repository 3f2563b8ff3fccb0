"""A tenant at whose service every refusal can be brought about."""

from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg

from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing

ANYBODY = {"mode": "any"}


@dataclass(frozen=True, slots=True)
class Stand:
    """A tenant's service, and its database behind everybody's back."""

    client: httpx2.AsyncClient
    tenant: Tenant
    database: Database
    database_url: str

    async def post(self, path: str, body: Any = None, key: str | None = None, once: str | None = None) -> Any:
        """What is answered; the operator asks unless another key is given."""
        return await self.client.post(path, json=body, headers=bearing(key or self.tenant.operator, once))

    async def made(self, path: str, body: Any = None) -> Any:
        """What an operator made."""
        answer = await self.post(path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def agent(self, **facts: Any) -> tuple[str, str]:
        """A new agent's key, and its mandate with these terms; `not_before` and `expires_at` are of the mandate."""
        name = f"agent-{new_id().hex[-12:]}"
        await self.made("/v1/agents", {"name": name})
        key: str = (await self.made("/v1/keys", {"agent": name}))["key"]
        when = {at: facts.pop(at) for at in ("not_before", "expires_at") if at in facts}
        terms = {"counterparties": ANYBODY, **facts}
        mandate = await self.made("/v1/mandates", {"name": "Errands", "agent": name, "terms": terms, **when})
        await self.made(f"/v1/mandates/{mandate['id']}/activate")
        return key, mandate["id"]

    def wish(self, amount: str = "5.00", **changes: str) -> dict[str, str]:
        return {"source": self.tenant.main, "target": self.tenant.side, "amount": amount, "currency": "USD", **changes}

    async def pay(self, key: str, once: str | None = None, amount: str = "5.00", **changes: str) -> httpx2.Response:
        return await self.post("/v1/transfers", self.wish(amount, **changes), key, once)

    def change(self, statement: str) -> None:
        with psycopg.connect(self.database_url, autocommit=True, options="-c search_path=bursar") as connection:
            assert connection.execute(statement.encode()).rowcount
