"""Payments over HTTP with the sandbox's provider: what is answered, and what stands in the books."""

import asyncio
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
        method = await self.method(reference)
        body = {"account": self.tenant.side, "amount": amount, "currency": "USD", "payment_method": method, **more}
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


async def test_a_declined_payment_fails_says_why_and_leaves_no_limit_used(till: Till) -> None:
    failed = (await till.pay("100.00", "sandbox_declined")).json()
    assert (failed["status"], failed["failure"]) == ("failed", "card_declined")
    assert await till.balance(till.tenant.side) == "0.00"
    other = await till.method()
    again = await till.post(f"/v1/payments/{failed['id']}/confirm", {"payment_method": other})
    assert (again.status_code, again.json()["status"], again.json()["failure"]) == (200, "succeeded", None)
    assert await till.balance(till.tenant.side) == "100.00"


async def test_a_payment_is_authorised_captured_in_parts_and_the_rest_is_let_go(till: Till) -> None:
    held = (await till.pay("100.00", capture="manual")).json()
    assert (held["status"], held["captured_amount"]) == ("requires_capture", "0.00")
    path = f"/v1/payments/{held['id']}/capture"
    part = (await till.post(path, {"amount": "30.00", "final": False})).json()
    assert (part["status"], part["captured_amount"]) == ("requires_capture", "30.00")
    too_much = await till.post(path, {"amount": "70.01"})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "state_conflict")
    assert "70.00 USD of the payment are left to capture" in too_much.json()["detail"]
    rest = (await till.post(path, {"amount": "20.00"})).json()
    assert (rest["status"], rest["captured_amount"]) == ("succeeded", "50.00")
    assert (await till.post(path, {})).status_code == 409
    assert await till.balance(till.tenant.side) == "50.00"


async def test_an_authorised_payment_is_canceled_and_nothing_is_booked(till: Till) -> None:
    held = (await till.pay("100.00", capture="manual")).json()
    gone = await till.post(f"/v1/payments/{held['id']}/cancel")
    assert (gone.status_code, gone.json()["status"]) == (200, "canceled")
    assert await till.balance("world:sandbox:USD") == "0.00"
    assert (await till.post(f"/v1/payments/{held['id']}/capture", {})).status_code == 409


async def test_what_nobody_has_confirmed_is_canceled_without_a_call(till: Till) -> None:
    waiting = (await till.pay("10.00", confirm=False)).json()
    assert waiting["status"] == "requires_confirmation"
    gone = (await till.post(f"/v1/payments/{waiting['id']}/cancel")).json()
    assert (gone["status"], gone["provider_reference"]) == ("canceled", None)


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.soak) for turn in range(1, 50))])
async def test_of_two_refunds_of_60_at_once_on_a_capture_of_100_exactly_one_succeeds(till: Till, turn: int) -> None:
    del turn
    paid = (await till.pay("100.00")).json()
    path = f"/v1/payments/{paid['id']}/refund"
    answers = await asyncio.gather(*(till.post(path, {"amount": "60.00"}) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (refused,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["detail"].startswith("40.00 USD of the payment are left to refund")
    assert await till.balance(till.tenant.side) == "40.00"
    rest = (await till.post(path)).json()
    assert (rest["status"], rest["amount"]) == ("succeeded", "40.00")
    assert (await till.post(path)).status_code == 409
    listed = await till.get(f"/v1/payments/{paid['id']}/refunds")
    assert [refund["amount"] for refund in listed["items"]] == ["60.00", "40.00"]
    assert (await till.get(f"/v1/payments/{paid['id']}"))["refunded_amount"] == "100.00"


async def test_a_refund_that_is_declined_gives_back_what_was_held(till: Till) -> None:
    paid = (await till.pay("100.00", "sandbox_refund_declined")).json()
    refund = (await till.post(f"/v1/payments/{paid['id']}/refund", {"amount": "60.00"})).json()
    assert (refund["status"], refund["failure"]) == ("failed", "refund_declined")
    side = await till.get(f"/v1/accounts/{till.tenant.side}")
    assert (side["posted"], side["available"]) == ("100.00", "100.00")


async def test_what_the_account_has_not_got_is_not_refunded(till: Till) -> None:
    paid = (await till.pay("100.00")).json()
    away = {"source": till.tenant.side, "target": till.tenant.main, "amount": "90.00", "currency": "USD"}
    assert (await till.post("/v1/transfers", away)).status_code == 201
    refused = await till.post(f"/v1/payments/{paid['id']}/refund", {"amount": "60.00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_funds")


async def test_the_hold_of_a_payout_is_released_by_nobody_and_its_entry_reversed_by_nobody(till: Till) -> None:
    paid = (await till.pay("100.00")).json()
    out = (await till.post("/v1/payouts", {"account": till.tenant.side, "amount": "50.00", "currency": "USD"})).json()
    assert out["status"] == "pending"
    side = await till.get(f"/v1/accounts/{till.tenant.side}")
    assert (side["posted"], side["held"]) == ("100.00", "50.00")
    assert await till.balance("world:sandbox:USD:transit") == "50.00"
    assert await till.balance("world:sandbox:USD") == "46.80"
    events = await till.get("/v1/events?action=create_payout")
    hold_id = next(e["payload"]["hold"]["id"] for e in events["items"] if e["type"] == "hold.placed")
    for who in (till.tenant.agent, till.tenant.operator):
        for verb in ("release", "capture"):
            refused = await till.post(f"/v1/holds/{hold_id}/{verb}", None, who=who)
            # What an agent may not capture to anyway, it is told first.
            world = who == till.tenant.agent and verb == "capture"
            assert refused.json()["code"] == ("counterparty_not_allowed" if world else "state_conflict")
    transfers = await till.get(f"/v1/transfers?account={till.tenant.side}")
    reversed_ = await till.post(f"/v1/transfers/{transfers['items'][0]['id']}/reverse", None, who=till.tenant.operator)
    assert (reversed_.status_code, reversed_.json()["code"]) == (409, "state_conflict")
    assert "refund" in reversed_.json()["detail"], paid


async def test_an_agent_enters_no_bank_account_and_pays_out_of_no_world_account(till: Till) -> None:
    refused = await till.post("/v1/payment-methods", {"reference": "mine", "kind": "bank_account"})
    assert (refused.status_code, refused.json()["code"]) == (403, "counterparty_not_allowed")
    world = await till.post("/v1/payouts", {"account": "world:funding:USD", "amount": "5.00", "currency": "USD"})
    assert (world.status_code, world.json()["code"]) == (403, "counterparty_not_allowed")
    into = await till.post(
        "/v1/payments",
        {"account": "world:funding:USD", "amount": "5.00", "currency": "USD", "payment_method": await till.method()},
    )
    assert (into.status_code, into.json()["code"]) == (403, "counterparty_not_allowed")


@pytest.mark.parametrize(
    "text",
    ["4111111111111111", "4111 1111 1111 1111", "card 4111-1111-1111-1111 exp 12/30", "5555.5555.5555.4444",
     "378282246310005", "12 4111111111111111", "4111111111111111".translate({ord("1"): "\N{FULLWIDTH DIGIT ONE}"})],
)  # fmt: skip
async def test_what_looks_like_the_number_of_a_card_is_refused_in_every_text(till: Till, text: str) -> None:
    method = await till.method()
    body = {"account": till.tenant.side, "amount": "1.00", "currency": "USD", "payment_method": method}
    for more in ({"description": text}, {"metadata": {"note": text}}):
        refused = await till.post("/v1/payments", {**body, **more})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_argument"), refused.text
        assert text not in refused.text
    for path, asked in (
        ("/v1/customers", {"name": text}),
        ("/v1/customers", {"name": "Ada", "external_id": text}),
        ("/v1/payment-methods", {"reference": text}),
        ("/v1/payment-methods", {"reference": "sandbox_ok", "label": text}),
    ):
        assert (await till.post(path, asked)).status_code == 422


async def test_digits_that_are_no_card_are_taken(till: Till) -> None:
    for text in ("4111111111111112", "1042", "2026-11-21 20:15:03", "+420 777 123 456", "00000000000000"):
        assert (await till.pay("1.00", description=text)).status_code == 201, text


async def test_system_5_takes_a_payment_shows_it_and_hears_of_it(sandboxed: httpx2.AsyncClient) -> None:
    asked = {"customer_id": "cus_001", "amount": 25, "currency": "usd", "payment_method_id": "pm_card_visa"}
    answer = await sandboxed.post("/payments", json=asked)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded"), answer.text
    payment_id = answer.json()["payment_id"]
    shown = (await sandboxed.get(f"/payments/{payment_id}")).json()
    assert shown == {
        "payment_provider_id": shown["payment_provider_id"], "customer_id": "cus_001", "amount": "25.00",
        "currency": "USD", "status": "succeeded",
    }  # fmt: skip
    assert (await sandboxed.get("/payments/pay_unknown")).status_code == 404
    event = {"type": "payment_intent.succeeded", "data": {"object": {"id": shown["payment_provider_id"]}}}
    bodies: list[Any] = [event, {}, [], "text", {"data": 7}, {"data": {"object": {"id": 7}}}]
    for body in bodies:
        heard = await sandboxed.post("/webhooks/payments", json=body)
        assert (heard.status_code, heard.json()) == (200, {"received": True})
    assert (await sandboxed.get("/accounts/revenue:USD/balance")).json()["balance"] == "25.00"


async def test_system_5_honours_a_key_and_refuses_the_numbers_of_cards(sandboxed: httpx2.AsyncClient) -> None:
    asked = {"customer_id": "cus_001", "amount": "25.00", "currency": "USD", "payment_method_id": "pm_1"}
    headers = {"Idempotency-Key": "order-1"}
    first = await sandboxed.post("/payments", json=asked, headers=headers)
    again = await sandboxed.post("/payments", json=asked, headers=headers)
    assert first.json() == again.json()
    assert (await sandboxed.get("/accounts/revenue:USD/balance")).json()["balance"] == "25.00"
    refused = await sandboxed.post("/payments", json={**asked, "payment_method_id": "4111111111111111"})
    assert refused.status_code == 422
    assert (await sandboxed.post("/payments", json={**asked, "currency": "XXX"})).status_code == 422


async def test_outside_the_sandbox_the_webhook_of_system_5_must_be_signed(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/webhooks/payments", json={"id": "evt_1"})
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_unsigned")
