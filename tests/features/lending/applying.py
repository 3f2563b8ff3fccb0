"""What tests ask of applications over HTTP, by several principals of a tenant."""

from dataclasses import dataclass
from typing import Any

import httpx2

from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing, key_for

CONSENT = {"consent": "credit_check", "given_at": "2026-11-20T10:00:00Z", "evidence": "Ticked on the form."}


@dataclass(frozen=True, slots=True)
class Lender:
    """A tenant that lends, and the keys of those who ask there."""

    client: httpx2.AsyncClient
    tenant: Tenant
    keys: dict[str, str]

    async def post(self, who: str, path: str, body: Any = None, once: str | None = None) -> httpx2.Response:
        """What is answered under `/v1`."""
        return await self.client.post(f"/v1{path}", json=body, headers=bearing(self.keys.get(who, who), once))

    async def ok(self, who: str, path: str, body: Any = None) -> Any:
        """The same, which succeeds."""
        answer = await self.post(who, path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str, who: str = "operator") -> Any:
        """What is read under `/v1`."""
        answer = await self.client.get(f"/v1{path}", headers=bearing(self.keys[who]))
        assert answer.is_success, answer.text
        return answer.json()

    async def product(self, **changes: Any) -> str:
        """A new product of dollars, from 100 to 10,000 in 6 to 60 installments."""
        code = f"p{new_id().hex[:20]}"
        body = {
            "code": code, "account": self.tenant.main, "currency": "USD", "min_amount": "100", "max_amount": "10000",
            "min_installments": 6, "max_installments": 60, "rate_ppm": 99_000, **changes,
        }  # fmt: skip
        await self.ok("operator", "/loan-products", body)
        return code

    async def wish(self, product: str | None = None, **changes: Any) -> dict[str, Any]:
        """The body of an application of somebody new."""
        return {
            "product": product or await self.product(), "applicant_name": "Avery Adams",
            "email": f"{new_id().hex}@example.com", "amount": "1200.00", "currency": "USD", "installments": 12,
            **changes,
        }  # fmt: skip

    async def submitted(self, who: str = "ann", product: str | None = None, **changes: Any) -> Any:
        """A new application that is ready to be decided."""
        made = await self.ok(who, "/applications", await self.wish(product, **changes))
        return await self.ok(who, f"/applications/{made['id']}/submit", {"version": made["version"]})

    async def decide(
        self, who: str, found: Any, decision: str, once: str | None = None, **more: Any
    ) -> httpx2.Response:
        """What is answered to a decision on an application as somebody saw it."""
        body = {"version": found["version"], "decision": decision, **more}
        return await self.post(who, f"/applications/{found['id']}/decide", body, once)

    async def status(self, found: Any) -> str:
        """Where an application stands."""
        return (await self.get(f"/applications/{found['id']}"))["status"]


async def lender_of(database: Database, client: httpx2.AsyncClient, tenant: Tenant) -> Lender:
    """Ann and Bob, who may do everything, an operator, and a second one, olivia."""
    async with database.transaction(tenant.id) as tx:
        keys = {name: await key_for(tx, "agent", name) for name in ("ann", "bob")}
        keys["olivia"] = await key_for(tx, "operator", "olivia")
    return Lender(client, tenant, {**keys, "operator": tenant.operator})


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    """The detail of a refusal, which is this one."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["money_moved"] == "no"
    return answer.json()["detail"]
