"""Payments over HTTP with the sandbox's provider: what is answered, and what stands in the books."""

from typing import Any

import httpx2
import pytest

from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing


class Till:
    """An agent's requests about payments, and an operator's look at the books."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant

    async def post(
        self, path: str, body: Any = None, key: str | None = None, who: str | None = None
    ) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(who or self.tenant.agent, key))

    async def get(self, path: str) -> Any:
        return (await self.client.get(path, headers=bearing(self.tenant.agent))).json()

    async def method(self, reference: str = "sandbox_ok", kind: str = "card") -> str:
        made = await self.post("/v1/payment-methods", {"reference": reference, "kind": kind}, who=self.tenant.operator)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def pay(
        self, amount: str = "100.00", reference: str = "sandbox_ok", key: str | None = None, **more: Any
    ) -> httpx2.Response:
        body = {
            "account": self.tenant.side,
            "amount": amount,
            "currency": "USD",
            "payment_method": await self.method(reference),
            **more,
        }
        return await self.post("/v1/payments", body, key)

    async def balance(self, number: str) -> str:
        answer = await self.client.get(f"/v1/accounts/{number}", headers=bearing(self.tenant.operator))
        assert answer.status_code == 200, answer.text
        return answer.json()["posted"]


@pytest.fixture
def till(client: httpx2.AsyncClient, tenant: Tenant) -> Till:
    return Till(client, tenant)


async def test_a_payment_succeeds_and_is_booked_with_its_fee(till: Till) -> None:
    answer = await till.pay("100.00")
    assert answer.status_code == 201, answer.text
    paid = answer.json()
    assert (paid["status"], paid["captured_amount"], paid["fee_amount"]) == ("succeeded", "100.00", "3.20")
    assert await till.balance(till.tenant.side) == "100.00"
    assert await till.balance("world:sandbox:USD") == "96.80"
    assert await till.balance("world:sandbox:USD:fees") == "3.20"
    assert (await till.get(f"/v1/payments/{paid['id']}"))["status"] == "succeeded"


async def test_the_same_key_charges_once_and_answers_the_same_bytes(till: Till) -> None:
    key, method = new_id().hex, await till.method()
    body = {"account": till.tenant.side, "amount": "5.00", "currency": "USD", "payment_method": method}
    first = await till.post("/v1/payments", body, key)
    again = await till.post("/v1/payments", body, key)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert await till.balance(till.tenant.side) == "5.00"
    other = await till.post("/v1/payments", {**body, "amount": "6.00"}, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
