"""Bursar and its stripe provider against the simulator, whose books are the outside truth, whatever fails."""

import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bursar.features.payments import mapping
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import receive, try_parked
from bursar.features.payments.providers.stripe import connection
from bursar.features.payments.registry import Providers
from bursar.features.payments.resolving import resolve_due
from bursar.kernel.db import Database
from bursar.simulator.faults import MODES
from tests.api.serving import client_of, served
from tests.api.tenants import Tenant, bearing, enrol
from tests.features.payments.counter import Clock, key
from tests.simulated import KEY, Receiver, Simulated, receiving, simulating


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulating(tmp_path_factory.mktemp("simulator")) as started:
        yield started


@dataclass
class Shopfront:
    """The service over ASGI with Stripe behind it, and the hands that carry Stripe's webhooks to it."""

    client: httpx2.AsyncClient
    tenant: Tenant
    clock: Clock
    simulator: Simulated
    receiver: Receiver
    shop: Shop
    workers: Shop
    method: str = ""

    async def post(self, path: str, body: Any, same: str | None = None, who: str | None = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(who or self.tenant.agent, same or key()))

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path, headers=bearing(self.tenant.operator))
        return answer.json()

    async def pay(self, **more: Any) -> httpx2.Response:
        if not self.method:
            asked = {"reference": "pm_card_bypassPending", "kind": "card"}
            made = await self.post("/v1/payment-methods", asked, who=self.tenant.operator)
            self.method = made.json()["id"]
        asked = {"account": self.tenant.side, "amount": "100.00", "currency": "USD", "payment_method": self.method}
        return await self.post("/v1/payments", {**asked, **more})

    async def settle(self, rounds: int = 8) -> None:
        """Let an hour go by at both, again and again, with all that is told and asked."""
        for _ in range(rounds):
            later = self.clock.now + timedelta(minutes=61)
            self.simulator.control("POST", "clock", to=later.timestamp())
            got, self.receiver.got[:] = list(self.receiver.got), []
            for body, header in got:
                # It came when it was signed.
                self.clock.now = datetime.fromtimestamp(int(header[2 : header.index(",")]), UTC)
                await receive(self.shop, "stripe", body, {"stripe-signature": header})
            self.clock.now = later
            await try_parked(self.workers)
            await resolve_due(self.workers)

    async def clearing(self) -> int:
        """What the ledger says is at Stripe, in cents."""
        account = await self.get(f"/v1/accounts/{mapping.clearing('stripe', 'USD')}")
        return int(Decimal(account.get("posted", "0.00")) * 100)

    def at_stripe(self) -> int:
        """What Stripe says is there, in cents."""
        return self.simulator.books()["sums"].get("usd", {"net": 0})["net"]


@pytest.fixture
async def front(process: Simulated, database: Database, database_url: str) -> AsyncGenerator[Shopfront]:
    process.control("POST", "reset")
    process.control("POST", "settings", sign_by_the_simulators_clock=1)
    clock = Clock()
    process.control("POST", "clock", hold=True)
    clock.now = datetime.fromtimestamp(process.control("GET", "clock")["now"], UTC)
    workers = await Database.open(database_url, role="bursar_worker", connections=4)
    with receiving() as receiver:
        made = process.sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        assert made.secret
        async with served(database) as plain, client_of(plain) as client:
            tenant = await enrol(database, client, "ours")
        # Half of all calls fail here, and none is to be kept back for that.
        connected = replace(connection(KEY, [made.secret], tenant.id, api=process.url), breaker=None)
        providers = Providers({"stripe": connected}, "stripe", clock)
        async with served(database, providers=providers) as app, client_of(app) as client:
            yield Shopfront(
                client, tenant, clock, process, receiver, Shop(database, providers), Shop(workers, providers)
            )
        provider: Any = connected.of(tenant.id)
        await provider.close()
    await workers.close()


async def test_the_life_of_a_payment(front: Shopfront) -> None:
    paid = (await front.pay()).json()
    assert paid["status"] == "succeeded"
    refund = await front.post(f"/v1/payments/{paid['id']}/refund", {"amount": "30.00"})
    assert refund.status_code == 201, refund.text
    (payment,) = front.simulator.books()["payments"]
    front.simulator.control("POST", "disputes", payment_intent=payment["id"], amount=2000)
    await front.settle()
    shown = await front.get(f"/v1/payments/{paid['id']}")
    assert (shown["captured_amount"], shown["refunded_amount"]) == ("100.00", "30.00")
    assert await front.clearing() == front.at_stripe() == 9680 - 3000 - 3500


async def test_captures_in_parts(front: Shopfront) -> None:
    held = (await front.pay(capture="manual")).json()
    assert held["status"] == "requires_capture"
    for amount, final in (("30.00", False), ("30.00", True)):
        answer = await front.post(f"/v1/payments/{held['id']}/capture", {"amount": amount, "final": final})
        assert answer.is_success, answer.text
    await front.settle(2)
    shown = await front.get(f"/v1/payments/{held['id']}")
    assert (shown["status"], shown["captured_amount"]) == ("succeeded", "60.00")
    assert await front.clearing() == front.at_stripe() == 6000 - 2 * 117


async def play(front: Shopfront, mode: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take payments while a fault strikes half of what it can, let time go by, and compare the books."""
    monkeypatch.setattr("bursar.features.payments.providers.stripe_wire.SECONDS_TO_ANSWER", 1)
    seconds = {"slow": 0.01, "timeout_after": 600}.get(mode, 60)
    on = "*" if mode.startswith("webhook") else "payment_intents.create"
    front.simulator.control("POST", "faults", mode=mode, on=on, probability=0.5, seed=7, seconds=seconds)
    for _ in range(count):
        await front.pay()
    front.simulator.control("DELETE", "faults")
    await front.settle()
    books = front.simulator.books()
    listed: list[Any] = (await front.get(f"/v1/payments?limit={count}"))["items"]
    assert len(listed) == count
    assert all(payment["charges"] <= 1 for payment in books["payments"])
    # What people must look at is not booked: an answer that lied. An error that its key keeps says by now that nothing
    # was done: the provider's list has no such payment.
    waiting = [payment for payment in listed if payment["status"] == "unknown"]
    failed = [payment for payment in listed if payment["failure"] == "provider_error"]
    assert bool(waiting) == (mode in ("wrong_amount", "wrong_currency"))
    assert bool(failed) == (mode == "error_before")
    assert {payment["status"] for payment in listed if payment not in failed} <= {"succeeded", "unknown"}
    assert {payment["status"] for payment in failed} <= {"failed"}
    booked = len(listed) - len(waiting) - len(failed)
    assert await front.clearing() == booked * 9680
    lied = len(waiting) if mode.startswith("wrong") else 0
    assert front.at_stripe() == (booked + lied) * 9680
    cases = await front.get("/v1/cases?limit=100")
    assert len(cases["items"]) >= len(waiting), json.dumps(cases)


@pytest.mark.parametrize("mode", MODES)
async def test_whatever_fails_the_books_agree(front: Shopfront, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await play(front, mode, 6, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("mode", MODES)
async def test_fifty_payments_in_every_mode(front: Shopfront, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await play(front, mode, 50, monkeypatch)
