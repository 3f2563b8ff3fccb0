"""Two real processes: the service with Stripe connected, and the simulator in its place, which sends it webhooks."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bursar.client import Bursar
from tests.journeys.processes import Serving, make_key, run, serving, surroundings
from tests.journeys.stage import fresh, refusal_of
from tests.simulated import KEY, Simulated, simulating

CLEARING = "world:stripe:USD"
ROADS = ("/v1/webhooks/stripe", "/webhooks/payments")


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulated]:
    with simulating(tmp_path / "provider") as started:
        yield started


@dataclass(frozen=True, slots=True)
class Shop:
    """A sandbox that takes payments by Stripe, and somebody who works there."""

    service: Serving
    environment: dict[str, str]
    bursar: Bursar
    simulator: Simulated

    async def method(self, reference: str, kind: str = "card") -> str:
        made = await self.bursar.create_payment_method(reference=reference, kind=kind)
        return made.id

    async def pay(self, amount: str = "100.00", **more: Any) -> Any:
        method = await self.method("pm_card_bypassPending")
        return await self.bursar.create_payment(
            account="ACC10001", amount=amount, currency="USD", payment_method=method, idempotency_key=fresh(), **more
        )

    def told(self) -> None:
        """Everything that happened at the simulator has been told, and taken in."""
        self.simulator.control("POST", "deliveries")

    async def refuse_difference(self) -> None:
        """The clearing account is what the simulator's own books say."""
        held = Decimal((await self.bursar.get_account(CLEARING)).posted)
        assert held * 100 == self.simulator.books()["sums"]["usd"]["net"]


@asynccontextmanager
async def shop(simulator: Simulated, data: Path, **settings: str) -> AsyncGenerator[Shop]:
    """The service, told of everything on both roads, each with a secret of its own."""
    room = simulator.sdk.v1.webhook_endpoints
    ends = [room.create({"url": f"{simulator.url}/nowhere", "enabled_events": ["*"]}) for _ in ROADS]
    environment = surroundings(
        BURSAR_DATA=data, BURSAR_LOG_LEVEL="error", BURSAR_STRIPE_SECRET_KEY=KEY, BURSAR_STRIPE_API=simulator.url,
        BURSAR_STRIPE_WEBHOOK_SECRETS=json.dumps([end.secret for end in ends]), **settings,
    )  # fmt: skip
    async with serving(environment) as service:
        for road, end in zip(ROADS, ends, strict=True):
            room.update(end.id, {"url": service.address + road})
        key = await make_key(environment, "--operator", "olivia")
        async with Bursar(service.address, key, transport=httpx2.AsyncHTTPTransport()) as bursar:
            yield Shop(service, environment, bursar, simulator)


async def test_a_payment_lives_its_whole_life(simulator: Simulated, tmp_path: Path) -> None:
    async with shop(simulator, tmp_path / "data") as front:
        bursar = front.bursar
        held = await front.pay(capture="manual", confirm=False)
        assert (held.provider, held.status) == ("stripe", "requires_confirmation")
        held = await bursar.confirm_payment(held.id, idempotency_key=fresh())
        assert held.status == "requires_capture"
        for amount, final in (("30.00", False), ("50.00", True)):
            held = await bursar.capture_payment(held.id, amount=amount, final=final, idempotency_key=fresh())
        assert (held.status, held.captured_amount) == ("succeeded", "80.00")
        refund = await bursar.refund_payment(held.id, amount="25.00", idempotency_key=fresh())
        assert refund.status == "succeeded"
        await front.refuse_difference()
        disputed = await front.pay("40.00")
        simulator.control("POST", "disputes", payment_intent=disputed.provider_reference, amount=4000)
        front.told()
        assert (await bursar.get_payment(disputed.id)).disputed_amount == "40.00"
        await front.refuse_difference()
        payout = await bursar.create_payout(account="ACC10001", amount="10.00", currency="USD", idempotency_key=fresh())
        assert payout.status == "pending"
        simulator.advance(5 * 86_400)
        front.told()
        assert (await bursar.get_payout(payout.id)).status == "succeeded"
        await front.refuse_difference()
        # Each event came on both roads and was applied once.
        delivered = [one["state"] for one in simulator.control("GET", "deliveries")["data"]]
        assert len(delivered) > 10
        assert set(delivered) == {"delivered"}


async def test_nobody_else_can_tell_of_anything(simulator: Simulated, tmp_path: Path) -> None:
    async with shop(simulator, tmp_path / "data") as front, httpx2.AsyncClient() as anyone:
        for road in ROADS:
            answer = await anyone.post(
                front.service.address + road, content=b"{}", headers={"Stripe-Signature": "t=1,v1=00"}
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "webhook_unsigned")


async def test_a_payment_may_name_either_provider(simulator: Simulated, tmp_path: Path) -> None:
    async with shop(simulator, tmp_path / "data") as front:
        method = await front.bursar.create_payment_method(reference="sandbox_ok", provider="sandbox")
        paid = await front.bursar.create_payment(
            account="ACC10001", amount="5.00", currency="USD", payment_method=method.id, provider="sandbox",
            idempotency_key=fresh(),
        )  # fmt: skip
        assert (paid.provider, paid.status) == ("sandbox", "succeeded")
        assert await refusal_of(front.bursar.create_payment_method(reference="x", provider="acme")) == (
            422, "invalid_argument",
        )  # fmt: skip
        # Without a name it is the tenant's own account.
        assert (await front.pay("6.00")).provider == "stripe"


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.mark.parametrize("key", ["sk_live_4eC39HqLyjWDarjtT1zdp7dc", "rk_live_4eC39HqLyjWDarjtT1zdp7dc"])
async def test_the_sandbox_takes_no_real_key(tmp_path: Path, key: str) -> None:
    environment = surroundings(BURSAR_DATA=tmp_path, BURSAR_STRIPE_SECRET_KEY=key)
    ended = await run(environment, "serve", "--port", "0")
    assert (ended.code, ended.out) == (1, "")
    assert "test key" in ended.errors
    assert key not in ended.errors
    assert not files_in(tmp_path), "a database was made for nothing"


async def test_ledger_provider_and_bank_are_held_against_each_other(simulator: Simulated, tmp_path: Path) -> None:
    async with shop(simulator, tmp_path / "data") as front:
        bursar, today = front.bursar, datetime.now(UTC).date()
        around: Any = {"first_day": today - timedelta(days=1), "last_day": today + timedelta(days=1)}
        paid = [await front.pay(amount) for amount in ("100.00", "100.00", "55.10")]
        await bursar.refund_payment(paid[0].id, amount="30.00", idempotency_key=fresh())
        simulator.control("POST", "disputes", payment_intent=paid[1].provider_reference, amount=10000)
        front.told()
        await bursar.create_payout(account="ACC10001", amount="20.00", currency="USD", idempotency_key=fresh())
        bank = f"day,amount\n{today},20.00\n{today},999.00\n".encode()
        mapping = {"currency": "USD", "columns": {"date": "day", "amount": "amount"}}
        await bursar.import_bank_statement(source="mybank", format="csv", content=bank, mapping=mapping, account="B1")
        scope: Any = {
            **around, "currency": "USD", "provider": "stripe", "clearing": CLEARING, "source": "mybank",
            "bank_account": "B1",
        }  # fmt: skip
        assert (await bursar.fetch_provider_transactions(provider="stripe", **around)).new == 6
        agreed = await bursar.run_reconciliation(**scope)
        # Six with the ledger, and the payout with the bank.
        assert (agreed.matched, agreed.broken) == (7, 0)
        # Somebody charges a card past Bursar; nobody here knows of it, but for the provider's books.
        simulator.pay(1234)
        first, last = str(around["first_day"]), str(around["last_day"])
        fetched = await run(
            front.environment, "reconcile", "fetch", "--provider", "stripe", "--first", first, "--last", last,
            "--operator", "olivia",
        )  # fmt: skip
        assert (fetched.code, json.loads(fetched.out)["new"]) == (0, 1), fetched.errors
        differs = await bursar.run_reconciliation(**scope)
        (found,) = (await bursar.list_reconciliation_breaks(run=differs.id)).items
        assert (found.kind, found.difference) == ("missing_in_ledger", "11.68")
