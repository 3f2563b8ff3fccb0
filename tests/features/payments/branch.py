"""A service whose tenant has two accounts upstream."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.api.tenants import AGENT, bearing
from tests.features.payments.counter import Counter, key
from tests.upstreams import Upstream

SIDES = ("purse", "shop")


@dataclass
class Branch:
    """The counter's service with an upstream, and two accounts there: 100.00 in `p-1`, nothing in `s-1`."""

    counter: Counter
    upstream: Upstream

    async def send(
        self, amount: str = "30.00", intent: str | None = None, *, who: str | None = None, **more: Any
    ) -> httpx2.Response:
        body = {"agent_id": AGENT, "source_account": "purse", "target_account": "shop", "amount": amount} | more
        headers = bearing(who or self.counter.tenant.agent, intent or key())
        return await self.counter.client.post("/agent/transfer", json=body, headers=headers)

    async def books(self) -> list[tuple[str, str]]:
        """What is posted and held of both accounts."""
        found = [await self.counter.get(f"/v1/accounts/{number}") for number in SIDES]
        return [(account["posted"], account["held"]) for account in found]

    async def available(self, number: str = "purse") -> str:
        return (await self.counter.get(f"/accounts/{number}/balance"))["balance"]

    async def happened(self) -> list[str]:
        """The agent's events, oldest first."""
        return [event["event_type"] for event in reversed((await self.counter.get(f"/agent/{AGENT}/events"))["events"])]

    async def cases(self) -> list[tuple[str, str]]:
        found = await self.counter.client.get("/v1/cases", headers=bearing(self.counter.tenant.operator))
        return [(case["kind"], case["subject"]["kind"]) for case in found.json()["items"]]

    async def as_operator(self, path: str, body: Any = None) -> httpx2.Response:
        return await self.counter.post(path, body, who=self.counter.tenant.operator)

    async def mark(self, number: str, there: str) -> httpx2.Response:
        await self.as_operator("/v1/accounts", {"number": number, "name": number, "currency": "USD"})
        return await self.as_operator(f"/v1/accounts/{number}/upstream", {"number": there})
