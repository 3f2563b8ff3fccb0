"""A provider's own books brought into reconciliation: by people, for days they name, from one that may fail."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from bursar.api.provider_books import MOST_TRANSACTIONS
from bursar.features.payments.ports import BalanceTransaction, Malformed, NotSent, OutcomeUnknown, ProviderRefused
from bursar.features.payments.providers.sandbox import SandboxProvider
from bursar.features.payments.registry import Connection, Providers
from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import Tenant, bearing, enrol
from tests.features.payments.counter import key

CLEARING = "world:sandbox:USD"
TODAY = datetime.now(UTC).date()
AROUND = {"first_day": str(TODAY - timedelta(days=1)), "last_day": str(TODAY + timedelta(days=1))}


class Books(SandboxProvider):
    """A provider whose list fails, or is long, when it is told to."""

    fails: Exception | None = None
    more: int = 0

    async def list_balance_transactions(
        self, since: datetime, until: datetime, after: str | None = None, limit: int = 100
    ) -> list[BalanceTransaction]:
        if self.fails:
            raise self.fails
        row = BalanceTransaction("txn", "charge", 1, 0, "USD", since, None)
        return (await super().list_balance_transactions(since, until, after, limit) + [row] * self.more)[:limit]


@pytest.fixture
async def books(database: Database) -> AsyncGenerator[tuple[httpx2.AsyncClient, Tenant, Books]]:
    async with served(database) as plain, client_of(plain) as client:
        tenant = await enrol(database, client, "ours")
    provider = Books(database, tenant.id)
    providers = Providers({"sandbox": Connection(lambda _: provider)})
    async with served(database, providers=providers) as app, client_of(app) as client:
        yield client, tenant, provider


async def send(client: httpx2.AsyncClient, who: str, path: str, body: Any, same: str | None = None) -> httpx2.Response:
    return await client.post(f"/v1/{path}", json=body, headers=bearing(who, same or key()))


async def fetch(client: httpx2.AsyncClient, who: str, **more: str) -> httpx2.Response:
    asked = {"provider": "sandbox", **AROUND, **more}
    return await send(client, who, "reconciliation/provider-transactions/fetch", asked)


async def compare(client: httpx2.AsyncClient, tenant: Tenant) -> Sequence[Any]:
    scope = {"provider": "sandbox", "clearing": CLEARING, "currency": "USD", **AROUND}
    ran = await send(client, tenant.operator, "reconciliation/runs", scope)
    assert ran.status_code == 201, ran.text
    listed = await client.get(
        f"/v1/reconciliation/breaks?run={ran.json()['id']}", headers=bearing(tenant.operator)
    )  # fmt: skip
    return listed.json()["items"]


async def test_the_ledger_agrees_with_its_provider_until_something_is_planted(
    books: tuple[httpx2.AsyncClient, Tenant, Books],
) -> None:
    client, tenant, provider = books
    asked = {"reference": "sandbox_ok"}
    method = (await send(client, tenant.operator, "payment-methods", asked)).json()["id"]
    asked = {"account": tenant.side, "amount": "100.00", "currency": "USD", "payment_method": method}
    paid = [(await send(client, tenant.operator, "payments", asked)).json() for _ in range(3)]
    refund = await send(client, tenant.operator, f"payments/{paid[0]['id']}/refund", {"amount": "30.00"})
    assert refund.status_code == 201
    filed = await fetch(client, tenant.operator)
    assert (filed.status_code, filed.json()["new"]) == (201, 4)
    assert (await fetch(client, tenant.operator)).json()["new"] == 0
    assert await compare(client, tenant) == []
    # Somebody writes to the clearing account what no provider knows of.
    planted = {"source": CLEARING, "target": tenant.side, "amount": "7.00", "currency": "USD"}
    assert (await send(client, tenant.operator, "transfers", planted)).status_code == 201
    (found,) = await compare(client, tenant)
    assert (found["kind"], found["difference"]) == ("missing_at_provider", "-7.00")
    # What takes it back is posted the right way around, though the balance of this account is raised by debits.
    post = {"reason": "mistake", "counter": tenant.side}
    made = await send(client, tenant.operator, f"reconciliation/breaks/{found['id']}/post", post)
    assert made.status_code == 201, made.text
    account = await client.get(f"/v1/accounts/{CLEARING}", headers=bearing(tenant.operator))
    balances = await provider.balances()
    assert account.json()["posted"] == f"{balances['USD'] / 100:.2f}"
    assert await compare(client, tenant) == []


@pytest.mark.parametrize("failure", [NotSent(), OutcomeUnknown(), Malformed(), ProviderRefused("no")])
async def test_a_provider_that_does_not_answer_says_so(
    books: tuple[httpx2.AsyncClient, Tenant, Books], failure: Exception
) -> None:
    client, tenant, provider = books
    provider.fails = failure
    answer = await fetch(client, tenant.operator)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert (answer.json()["money_moved"], answer.headers["retry-after"]) == ("no", "30")


async def test_what_is_too_much_at_once_is_refused(books: tuple[httpx2.AsyncClient, Tenant, Books]) -> None:
    client, tenant, provider = books
    for first, last in (("2026-01-01", "2026-02-01"), ("2026-01-02", "2026-01-01")):
        answer = await fetch(client, tenant.operator, first_day=first, last_day=last)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    assert (await fetch(client, tenant.operator, provider="acme")).status_code == 422
    provider.more = MOST_TRANSACTIONS + 1
    assert "choose a shorter period" in (await fetch(client, tenant.operator)).json()["detail"]


async def test_who_may_not_has_nobody_asked(books: tuple[httpx2.AsyncClient, Tenant, Books]) -> None:
    client, tenant, provider = books
    provider.fails = AssertionError("nobody asks")
    assert (await fetch(client, tenant.agent)).status_code == 403
    events = (await client.get("/v1/events?limit=1", headers=bearing(tenant.operator))).json()["items"]
    assert (events[0]["action"], events[0]["decision"]) == ("fetch_provider_transactions", "deny")
