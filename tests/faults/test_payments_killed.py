"""The service dies at every point of a payment, and its worker too: one effect at the provider, and equal books."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
import psycopg
import pytest

from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing, enrol
from tests.served import Served, serving
from tests.simulated import Simulated, simulating

Kind = Literal["charge", "capture", "refund", "payout"]
KINDS: tuple[Kind, ...] = ("charge", "capture", "refund", "payout")
POINTS = ("before call", "after send", "after response", "before commit", "after commit")
# What one of each leaves at the provider: of a payment of 100.00, a capture of 60.00, a refund of 60.00 or a payout of
# 50.00, less 2.9 % and 30 cents of what was captured.
LEFT: dict[Kind, int] = {"charge": 9_680, "capture": 5_796, "refund": 3_680, "payout": 4_680}
_SECONDS = 90


@dataclass
class Shop:
    """A service that dies and is started again, at one simulator and one database; time is what the test says."""

    database_url: str
    directory: Path
    simulator: Simulated
    served: Served | None = None
    lives: ExitStack = field(default_factory=ExitStack)
    ahead: int = 0
    card: str = ""

    def doom(self, point: str) -> None:
        self._tell("doom", point)

    def later(self) -> None:
        """An hour goes by, at the provider too; whatever is open is due then."""
        self.simulator.advance(3660)
        self.ahead += 3660
        self._tell("ahead", str(self.ahead))

    def _tell(self, name: str, word: str) -> None:
        """At once: the service may read it at any time."""
        fresh = self.directory / "fresh"
        fresh.write_text(word)
        fresh.replace(self.directory / name)

    def start(self) -> None:
        self.lives.close()
        program = ("tests.faults.doomed_service", str(self.directory), self.simulator.url)
        self.served = self.lives.enter_context(serving(database_url=self.database_url, program=program))

    async def dies(self) -> None:
        assert self.served
        assert await asyncio.to_thread(self.served.process.wait, _SECONDS) == -9

    async def post(self, tenant: Tenant, path: str, body: Any, same: str | None = None) -> Any:
        assert self.served
        async with httpx2.AsyncClient(base_url=self.served.url, timeout=60) as client:
            answer = await client.post(path, json=body, headers=bearing(tenant.agent, same))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def pay(self, tenant: Tenant, **more: Any) -> Any:
        return await self.post(tenant, "/v1/payments", self.asked(tenant, **more))

    def asked(self, tenant: Tenant, **more: Any) -> Any:
        asked = {"account": tenant.side, "amount": "100.00", "currency": "USD", "payment_method": self.card}
        return {**asked, **more}

    def newest(self) -> tuple[str, str, int]:
        """Which call was begun last, how it stands, and how often the provider was asked about it."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(
                "SELECT kind, status, asked FROM bursar.payment_attempt ORDER BY id DESC LIMIT 1"
            ).fetchone()
        assert row
        return row

    async def settled(self, kind: Kind) -> None:
        """Let time go by, an hour after each question, until the call has succeeded."""
        seen = -1
        async with asyncio.timeout(_SECONDS):
            while True:
                found, status, asked = self.newest()
                assert (found, status in ("failed", "canceled")) == (kind, False)
                if status == "succeeded":
                    return
                if asked != seen:
                    seen = asked
                    self.later()
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulating(tmp_path_factory.mktemp("simulator")) as started:
        yield started


@pytest.fixture
async def shop(process: Simulated, database_url: str, tmp_path: Path) -> AsyncGenerator[Shop]:
    process.control("POST", "reset")
    process.control("POST", "settings", seconds_until_payout_in_transit=60, seconds_until_payout_arrives=600)
    shop = Shop(database_url, tmp_path, process)
    with shop.lives:
        yield shop


async def opened(shop: Shop, database: Database) -> Tenant:
    """The service's first life, with a tenant and a card."""
    shop.doom("")
    shop.later()
    shop.start()
    assert shop.served
    async with httpx2.AsyncClient(base_url=shop.served.url, timeout=60) as client:
        tenant = await enrol(database, client, "ours")
        asked = {"reference": "pm_card_bypassPending", "kind": "card", "provider": "stripe"}
        made = await client.post("/v1/payment-methods", json=asked, headers=bearing(tenant.operator))
    shop.card = made.json()["id"]
    return tenant


async def wanted(shop: Shop, tenant: Tenant, kind: Kind) -> tuple[str, Any]:
    """What is asked for when the service dies; what must be there before is there."""
    if kind == "charge":
        return "/v1/payments", shop.asked(tenant)
    paid = await shop.pay(tenant, capture="manual" if kind == "capture" else "automatic")
    if kind == "payout":
        return "/v1/payouts", {"account": tenant.side, "amount": "50.00", "currency": "USD"}
    return f"/v1/payments/{paid['id']}/{kind}", {"amount": "60.00"}


async def die(shop: Shop, tenant: Tenant, kind: Kind, point: str, *, caller_asks_again: bool) -> None:
    """The service dies at the point; then the caller asks again, or the worker does and dies at the same point."""
    path, body = await wanted(shop, tenant, kind)
    same = new_id().hex
    shop.doom(point)
    with suppress(httpx2.TransportError):
        told = await shop.post(tenant, path, body, same)
        pytest.fail(f"the service outlived {point}: {told}")
    await shop.dies()
    shop.later()
    if not caller_asks_again and shop.newest()[1] != "succeeded":
        shop.start()
        await shop.dies()
        shop.later()
    shop.doom("")
    shop.start()
    if caller_asks_again:
        await shop.post(tenant, path, body, same)
    await shop.settled(kind)


def check(shop: Shop, kind: Kind, rounds: int) -> None:
    """The provider's own books are the truth: each call took effect once, and the ledger says the same."""
    books = shop.simulator.books()
    assert len(books["payments"]) == rounds
    assert {payment["charges"] for payment in books["payments"]} == {1}
    assert len(books["payouts"]) == (rounds if kind == "payout" else 0)
    net = books["sums"]["usd"]["net"]
    assert net == LEFT[kind] * rounds
    with psycopg.connect(shop.database_url) as connection:
        row = connection.execute(
            """SELECT (SELECT posted_minor FROM bursar.account WHERE number = 'world:stripe:USD'),
                      (SELECT count(*) FROM bursar.hold WHERE status = 'pending'),
                      (SELECT count(*) FROM bursar.payment_attempt WHERE status <> 'succeeded'),
                      (SELECT count(*) FROM bursar.payment WHERE status <> 'succeeded' OR quarantined),
                      (SELECT count(*) FROM bursar.case_record)"""
        ).fetchone()
    assert row == (net, 0, 0, 0, 0)


async def play(shop: Shop, database: Database, kind: Kind, repeats: int) -> None:
    tenant = await opened(shop, database)
    deaths = [point for _ in range(repeats) for point in POINTS]
    for number, point in enumerate(deaths):
        await die(shop, tenant, kind, point, caller_asks_again=number % 2 == 1)
    check(shop, kind, len(deaths))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_killed_twenty_times_at_every_point(shop: Shop, database: Database, kind: Kind) -> None:
    await play(shop, database, kind, repeats=20)
