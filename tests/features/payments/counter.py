"""A service with a provider that goes wrong when told to, a clock that stands until it is moved, and a worker."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from bursar.features.payments import signing
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import receive, try_parked
from bursar.features.payments.ports import Charge, Follow, Payout, Report
from bursar.features.payments.providers.sandbox import SandboxProvider
from bursar.features.payments.registry import Connection, Providers
from bursar.features.payments.resolving import resolve_due
from bursar.features.payments.sandbox_running import run_sandbox
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id
from tests.api.serving import WEBHOOK_SECRET
from tests.api.tenants import Tenant, bearing


class Clock:
    """The time of the tests."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Faulty(SandboxProvider):
    """The sandbox's provider, with something that happens before a call, and something after it took effect."""

    before: Callable[[], Awaitable[None]] | None = None
    after: Callable[[Report], Awaitable[Report]] | None = None

    async def charge(self, order: Charge) -> Report:
        return await self._with(super().charge(order))

    async def follow(self, order: Follow) -> Report:
        return await self._with(super().follow(order))

    async def pay_out(self, order: Payout) -> Report:
        return await self._with(super().pay_out(order))

    async def _with(self, call: Any) -> Report:
        before, after = self.before, self.after
        self.before = self.after = None
        try:
            if before:
                await before()
        except BaseException:
            call.close()
            raise
        report = await call
        return await after(report) if after else report


class Cut(Database):
    """A database in whose next transaction something happens before or after its COMMIT, once it is armed."""

    before: Callable[[], Awaitable[None]] | None = None
    after: Callable[[], Awaitable[None]] | None = None

    @classmethod
    def around(cls, database: Database) -> "Cut":
        return cls(database._pool, database._seconds_to_wait)  # noqa: SLF001 -- a seam for tests only

    @asynccontextmanager
    async def transaction(
        self, tenant_id: UUID | None = None, *, read_only: bool = False, locks: Sequence[int] = ()
    ) -> AsyncGenerator[Tx]:
        before, after = self.before, self.after
        self.before = self.after = None
        async with super().transaction(tenant_id, read_only=read_only, locks=locks) as tx:
            yield tx
            if before:
                await tx.flush()
                await before()
        if after:
            await after()


@dataclass
class Counter:
    """Everything a test of payments needs."""

    client: httpx2.AsyncClient
    tenant: Tenant
    clock: Clock
    provider: Faulty
    database: Cut
    workers: Database
    providers: Providers
    methods: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def shop(self) -> Shop:
        return Shop(self.workers, self.providers)

    async def post(
        self, path: str, body: Any = None, key: str | None = None, who: str | None = None
    ) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(who or self.tenant.agent, key))

    async def get(self, path: str) -> Any:
        return (await self.client.get(path, headers=bearing(self.tenant.agent))).json()

    async def method(self, reference: str, kind: str = "card") -> str:
        if reference not in self.methods:
            asked = {"reference": reference, "kind": kind}
            made = await self.post("/v1/payment-methods", asked, who=self.tenant.operator)
            self.methods[reference] = made.json()["id"]
        return self.methods[reference]

    async def pay(self, reference: str = "sandbox_ok", key: str | None = None, **more: Any) -> httpx2.Response:
        method = await self.method(reference)
        asked = {"account": self.tenant.side, "amount": "100.00", "currency": "USD", "payment_method": method, **more}
        return await self.post("/v1/payments", asked, key)

    async def newest(self) -> Any:
        return (await self.get("/v1/payments?limit=1"))["items"][0]

    async def balance(self, number: str) -> str:
        answer = await self.client.get(f"/v1/accounts/{number}", headers=bearing(self.tenant.operator))
        return answer.json()["posted"] if answer.is_success else "0.00"

    async def attempts(self) -> list[str]:
        """How every call to the provider stands, oldest first."""
        async with self.workers.transaction(self.tenant.id) as tx:
            found = await tx.column(
                str, "SELECT status FROM payment_attempt WHERE tenant_id = $1 ORDER BY id", self.tenant.id
            )
        return list(found)

    async def deliver(self, body: str, *, secret: str = WEBHOOK_SECRET) -> None:
        raw = body.encode()
        header = signing.signature_of(raw, secret, self.clock.now)
        await receive(Shop(self.database, self.providers), "sandbox", raw, {signing.HEADER: header})

    async def settle(self, rounds: int = 8) -> None:
        """Let time go by and the worker work, until nothing is due."""
        for _ in range(rounds):
            self.clock.pass_by(minutes=61)
            await run_sandbox(self.shop)
            await try_parked(self.shop)
            await resolve_due(self.shop)

    async def refuse_difference(self) -> None:
        """The provider's balance is the clearing account."""
        balances = await self.provider.balances()
        assert await self.balance("world:sandbox:USD") == f"{balances.get('USD', 0) / 100:.2f}"


def key() -> str:
    return new_id().hex


async def gone(task: "asyncio.Task[httpx2.Response]") -> None:
    """Cancel a request and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def connected(provider: Faulty, clock: Clock) -> Providers:
    return Providers({"sandbox": Connection(lambda _: provider, (WEBHOOK_SECRET,))}, "sandbox", clock)
