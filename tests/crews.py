"""Three agents who do jobs together over HTTP, for tests of what comes of it."""

from dataclasses import dataclass
from typing import Any

import httpx2

from bursar.kernel.db import Database
from tests.api.tenants import Tenant, bearing, key_for


@dataclass(frozen=True, slots=True)
class Crew:
    """Three agents of a tenant and what they ask."""

    client: httpx2.AsyncClient
    tenant: Tenant
    keys: dict[str, str]

    async def post(self, who: str, path: str, body: Any = None, once: str | None = None) -> httpx2.Response:
        return await self.client.post(f"/v1/jobs{path}", json=body, headers=bearing(self.keys[who], once))

    async def ok(self, who: str, path: str, body: Any = None) -> Any:
        answer = await self.post(who, path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str, who: str = "ann") -> Any:
        answer = await self.client.get(f"/v1/jobs{path}", headers=bearing(self.keys[who]))
        assert answer.is_success, answer.text
        return answer.json()

    def wish(self, **changes: Any) -> dict[str, Any]:
        shares = [{"source": self.tenant.main, "target": self.tenant.side}]
        return {"definition": "checkout", "currency": "USD", "amount": "10.00", "shares": shares, **changes}

    async def job(self, **changes: Any) -> str:
        return (await self.ok("ann", "", self.wish(**changes)))["id"]

    async def claim(self, who: str, job: str, **more: Any) -> int:
        claimed = await self.ok(who, "/claim", {"job_id": job, **more})
        assert claimed["token"], claimed
        return claimed["token"]

    async def do(self, who: str, job: str, **more: Any) -> Any:
        token = await self.claim(who, job)
        return await self.ok(who, f"/{job}/complete", {"token": token, **more})

    async def until(self, stage: str, **changes: Any) -> str:
        """A new job that has come so far: ann initiates, prices and executes, bob checks."""
        job = await self.job(**changes)
        reached = "initiated"
        for who in ("ann", "bob", "ann", "ann", "cat"):
            if reached == stage:
                break
            reached = (await self.do(who, job))["stage"]
        assert reached == stage
        return job

    async def available(self, number: str) -> str:
        answer = await self.client.get(f"/v1/accounts/{number}/balance", headers=bearing(self.tenant.operator))
        return answer.json()["available"]


async def crew_of(database: Database, client: httpx2.AsyncClient, tenant: Tenant) -> Crew:
    """Ann, Bob and Cat, who may do everything."""
    async with database.transaction(tenant.id) as tx:
        keys = {name: await key_for(tx, "agent", name) for name in ("ann", "bob", "cat")}
    return Crew(client, tenant, {**keys, "operator": tenant.operator})
