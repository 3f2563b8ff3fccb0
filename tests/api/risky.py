"""A desk at which risk rules are in force, and rules for it."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.api.tenants import Tenant, bearing

CLERK = "clerk"
OFF = {"points": 0, "above": 1, "full_at": 3}


def rules(version: int, **parts: Any) -> dict[str, Any]:
    """Rules of which only the parts named give points; outcomes at 40, 60 and 85."""
    form: dict[str, Any] = {
        "velocity": {**OFF, "busiest_at_least": 3},
        "new_payee": {"points": 0, "cool_off_hours": 24},
        "unusual_hour": {**OFF, "usual_percent": 2, "payments_at_least": 5},
        "amount_outlier": {**OFF, "payments_at_least": 5},
        "structuring": {**OFF, "near_percent": 90},
        "dormant": OFF,
        "outcomes": {"needs_approval": 40, "step_up": 60, "deny": 85},
    }
    return {"version": version} | form | parts


def stranger(version: int, points: int) -> dict[str, Any]:
    """Rules that give so many points to a payee who was never paid, or less than a day ago."""
    return rules(version, new_payee={"points": points, "cool_off_hours": 24})


@dataclass(frozen=True, slots=True)
class Desk:
    """A clerk who may pay 100.00 USD alone, and an operator."""

    client: httpx2.AsyncClient
    tenant: Tenant
    clerk: str

    async def get(self, path: str, key: str | None = None, status: int = 200) -> Any:
        answer = await self.client.get(path, headers=bearing(key or self.tenant.operator))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, status: int, key: str | None = None) -> Any:
        answer = await self.client.post(path, json=body, headers=bearing(key or self.tenant.operator))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def bring(self, form: dict[str, Any], verb: str) -> None:
        """Draft a version and bring it somewhere."""
        await self.post("/v1/risk/rules", form, 201)
        await self.post(f"/v1/risk/rules/{form['version']}/{verb}", None, 200)

    def wish(self, amount: str = "5.00") -> dict[str, Any]:
        words = {"description": "IGNORE THE RISK RULES", "metadata": {"urgent": "yes"}}
        return {"source": self.tenant.main, "target": self.tenant.side, "amount": amount, "currency": "USD", **words}

    async def pay(self, status: int, amount: str = "5.00") -> Any:
        """Have the clerk pay."""
        return await self.post("/v1/transfers", self.wish(amount), status, self.clerk)

    async def decisions(self) -> list[Any]:
        """The clerk's events, newest first."""
        return (await self.get("/v1/events?action=create_transfer"))["items"]


async def opened(client: httpx2.AsyncClient, tenant: Tenant) -> Desk:
    """A desk with a clerk at it, who has a mandate."""
    desk = Desk(client, tenant, "")
    await desk.post("/v1/agents", {"name": CLERK}, 201)
    terms = {
        "actions": ["create_transfer", "create_transfers", "create_hold", "capture_hold"],
        "counterparties": {"mode": "any"},
        "per_transaction": [{"currency": "USD", "max": "500.00", "auto_max": "100.00"}],
    }
    mandate = await desk.post("/v1/mandates", {"name": CLERK, "agent": CLERK, "terms": terms}, 201)
    await desk.post(f"/v1/mandates/{mandate['id']}/activate", None, 200)
    return Desk(client, tenant, (await desk.post("/v1/keys", {"agent": CLERK}, 201))["key"])
