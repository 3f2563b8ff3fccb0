"""The roads on which money moves most often, each taken once in a turn, over the API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import httpx2
import psycopg

from bursar.core.identity import service as identity
from bursar.features.risk.ruleset import DEFAULT_RULES, write_rules
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing, enrol
from tests.core.authority.mandates import (
    approval_json,
    cap_json,
    counterparties_json,
    over_json,
    terms_json,
    window_json,
)
from tests.features.risk.past import put_in_force
from tests.people import allow

# But for hours, which look at the clock alone.
EVERY_RULE = terms_json(
    actions=["create_transfer", "create_transfers", "create_hold", "capture_hold", "release_hold", "reverse_transfer"],
    counterparties=counterparties_json(mode="any_known", allow=[]),
    per_transaction=[cap_json(max="500.00", auto_max="400.00")],
    windows=[
        window_json(max_amount="90000.00"),
        window_json(kind="rolling", period="hour", max_amount=None, currency=None, max_count=10_000),
        window_json(max_amount="90000.00", per_payee=True),
    ],
    approvals=[approval_json(over_json("300.00"))],
    velocity={"max_count": 10_000, "seconds": 60},
    duplicate_window_seconds=1,
)


@dataclass(slots=True)
class Roads:
    """A tenant whose agent pays under a mandate of every rule, and below one; each amount is asked once."""

    client: httpx2.AsyncClient
    tenant: Tenant
    agent: str
    cents: Any

    @classmethod
    async def open(cls, database: Database, client: httpx2.AsyncClient, owner: psycopg.Connection) -> "Roads":
        tenant = await enrol(database, client, "ours")
        async with database.transaction(tenant.id) as tx:
            agent = await identity.create_principal(tx, "agent", "clerk")
            above = await allow(tx, await identity.create_principal(tx, "agent", "above"), EVERY_RULE)
            await allow(tx, agent, EVERY_RULE, parent_id=above.id)
            _, made = await identity.create_key(tx, agent, None, live=False)
        put_in_force(owner, tenant.id, write_rules(DEFAULT_RULES), 1, "active")
        roads = cls(client, tenant, made.text, count(100))
        for number in (tenant.main, tenant.side):
            await roads.post("/v1/counterparties", tenant.operator, {"account": number, "name": number})
        return roads

    async def post(self, path: str, who: str, body: Any = None, key: str | None = None, status: int = 2) -> Any:
        """What came of it; `status` is the hundreds of the answer's."""
        answer = await self.client.post(path, json=body, headers=bearing(who, key))
        assert answer.status_code // 100 == status, answer.text
        return answer.json()

    def money(self, amount: str | None = None) -> dict[str, str]:
        """An amount that nobody asked for before."""
        cents = next(self.cents)
        return {"amount": amount or f"{cents // 100}.{cents % 100:02}", "currency": "USD"}

    def transfer(self, amount: str | None = None) -> dict[str, str]:
        return {"source": self.tenant.main, "target": self.tenant.side} | self.money(amount)

    def all(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """Each road as an operator and as the agent."""
        for name, who in (("operator", self.tenant.operator), ("agent", self.agent)):
            for road in (self.one, self.several, self.batches, self.holds, self.reversal, self.quickstart):
                yield f"{name}: {road.__name__}", partial(road, who)
        yield "refusals", self.refusals
        yield "approval", self.approval

    async def walk(self) -> None:
        """Take each road once."""
        for _, road in self.all():
            await road()

    async def one(self, who: str) -> None:
        """A transfer, and the same again under its key."""
        key, body = new_id().hex, self.transfer()
        made = await self.post("/v1/transfers", who, body, key)
        assert await self.post("/v1/transfers", who, body, key) == made

    async def several(self, who: str) -> None:
        """At a time."""
        await asyncio.gather(*(self.post("/v1/transfers", who, self.transfer()) for _ in range(4)))

    async def batches(self, who: str) -> None:
        for mode in ("each", "all_or_nothing"):
            body = {"mode": mode, "transfers": [self.transfer() for _ in range(4)]}
            await self.post("/v1/transfers/batch", who, body)

    async def reversal(self, who: str) -> None:
        made = await self.post("/v1/transfers", who, self.transfer())
        await self.post(f"/v1/transfers/{made['id']}/reverse", who)

    async def holds(self, who: str) -> None:
        """Placed, captured, released."""
        for end in ("capture", "release"):
            body = {"account": self.tenant.main, "target": self.tenant.side} | self.money()
            hold = await self.post("/v1/holds", who, body)
            await self.post(f"/v1/holds/{hold['id']}/{end}", who)

    async def quickstart(self, who: str) -> None:
        body = {"from_account": self.tenant.main, "to_account": self.tenant.side, "amount": self.money()["amount"]}
        await self.post("/transfers", who, body)
        named = {"agent_id": "clerk", "source_account": self.tenant.main, "target_account": self.tenant.side}
        await self.post("/agent/transfer", who, named | {"amount": self.money()["amount"]})

    async def refusals(self) -> None:
        """Too much for the account, and too much for the mandate."""
        await self.post("/v1/transfers", self.tenant.operator, self.transfer("99999999.00"), status=4)
        await self.post("/v1/transfers", self.agent, self.transfer("600.00"), status=4)

    async def approval(self) -> None:
        """What waits for people, until it is taken back: nothing is set aside when the roads are taken again."""
        cents = 35_000 + next(self.cents)
        made = await self.post("/v1/transfers", self.agent, self.transfer(f"{cents // 100}.{cents % 100:02}"))
        await self.post(f"/v1/approvals/{made['approval_id']}/cancel", self.agent)
