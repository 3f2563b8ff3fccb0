"""What a mandate says of payments: limits are used and given back, and people approve what an agent may not alone."""

from typing import Any

import pytest

from bursar.features.payments.resolving import resolve_due
from bursar.worker import execute_approvals
from tests.api.tenants import bearing
from tests.features.payments.counter import Counter

ACTIONS = ["create_payment", "confirm_payment", "refund_payment", "create_payout"]


async def agent_under(counter: Counter, terms: dict[str, Any]) -> str:
    """The key of a new agent with these terms."""
    operator = counter.tenant.operator
    name = f"agent-{len(counter.methods)}-of-terms"
    await counter.post("/v1/agents", {"name": name}, who=operator)
    whole = {"actions": ACTIONS, "rails": ["provider"], "counterparties": {"mode": "any"}, **terms}
    drafted = await counter.post("/v1/mandates", {"name": name, "agent": name, "terms": whole}, who=operator)
    assert drafted.status_code == 201, drafted.text
    await counter.post(f"/v1/mandates/{drafted.json()['id']}/activate", who=operator)
    return (await counter.post("/v1/keys", {"agent": name}, who=operator)).json()["key"]


async def _pay(counter: Counter, agent: str, amount: str, reference: str = "sandbox_ok") -> Any:
    method = await counter.method(reference)
    asked = {"account": counter.tenant.side, "amount": amount, "currency": "USD", "payment_method": method}
    return await counter.post("/v1/payments", asked, who=agent)


async def test_a_mandate_without_the_rail_or_the_action_covers_no_payment(counter: Counter) -> None:
    agent = await agent_under(counter, {"rails": ["book"]})
    refused = await _pay(counter, agent, "5.00")
    assert (refused.status_code, refused.json()["code"]) == (403, "mandate_missing")
    await counter.method("sandbox_declined")
    agent = await agent_under(counter, {"actions": ["create_transfer"]})
    assert (await _pay(counter, agent, "5.00")).json()["code"] == "mandate_missing"
    assert await counter.provider.balances() == {}


async def test_limits_are_used_by_what_is_paid_and_given_back_by_what_is_not(counter: Counter) -> None:
    window = {"period": "day", "currency": "USD", "max_amount": "100.00", "max_count": 3}
    agent = await agent_under(counter, {"windows": [window]})
    assert (await _pay(counter, agent, "60.00")).json()["status"] == "succeeded"
    refused = await _pay(counter, agent, "60.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_exceeded")
    for _ in range(3):
        assert (await _pay(counter, agent, "40.00", "sandbox_declined")).json()["status"] == "failed"
    held = await counter.post(
        "/v1/payments",
        {"account": counter.tenant.side, "amount": "40.00", "currency": "USD", "capture": "manual",
         "payment_method": await counter.method("sandbox_ok")},
        who=agent,
    )  # fmt: skip
    assert held.json()["status"] == "requires_capture"
    assert (await _pay(counter, agent, "1.00")).json()["code"] == "limit_exceeded"
    capture = await counter.post(f"/v1/payments/{held.json()['id']}/capture", {"amount": "10.00"}, who=agent)
    assert (capture.json()["status"], capture.json()["captured_amount"]) == ("succeeded", "10.00")
    assert (await _pay(counter, agent, "30.00")).json()["status"] == "succeeded"
    assert (await _pay(counter, agent, "0.01")).json()["code"] == "limit_exceeded"


async def _seen(counter: Counter, waiting: Any) -> Any:
    """What people see of an approval."""
    path = f"/v1/approvals/{waiting.json()['approval_id']}"
    return (await counter.client.get(path, headers=bearing(counter.tenant.operator))).json()


async def _decide(counter: Counter, approval_id: str, verb: str) -> None:
    shown = (await counter.client.get(f"/v1/approvals/{approval_id}", headers=bearing(counter.tenant.operator))).json()
    body = {"payload_hash": shown["payload_hash"]} if verb == "approve" else {"reason": "No."}
    answer = await counter.post(f"/v1/approvals/{approval_id}/{verb}", body, who=counter.tenant.operator)
    assert answer.status_code == 200, answer.text
    await execute_approvals(counter.workers)
    await resolve_due(counter.shop)


@pytest.mark.parametrize(
    ("verb", "status", "paid"), [("approve", "succeeded", "50.00"), ("reject", "canceled", "0.00")]
)
async def test_a_payment_that_people_must_approve_is_sent_only_then(
    counter: Counter, verb: str, status: str, paid: str
) -> None:
    agent = await agent_under(counter, {"per_transaction": [{"currency": "USD", "max": "100", "auto_max": "0"}]})
    waiting = await _pay(counter, agent, "50.00")
    assert (waiting.status_code, waiting.json()["status"]) == (202, "pending_approval")
    assert (await _seen(counter, waiting))["whom"] == await counter.method("sandbox_ok")
    await counter.settle(2)
    assert await counter.provider.balances() == {}
    assert (await counter.newest())["status"] == "requires_confirmation"
    await _decide(counter, waiting.json()["approval_id"], verb)
    assert (await counter.newest())["status"] == status
    assert await counter.balance(counter.tenant.side) == paid
    await counter.refuse_difference()


@pytest.mark.parametrize(("verb", "left"), [("approve", "70.00"), ("reject", "100.00")])
async def test_a_refund_that_people_must_approve_is_held_and_then_sent(counter: Counter, verb: str, left: str) -> None:
    paid = (await counter.pay()).json()
    agent = await agent_under(counter, {"per_transaction": [{"currency": "USD", "max": "100", "auto_max": "0"}]})
    waiting = await counter.post(f"/v1/payments/{paid['id']}/refund", {"amount": "30.00"}, who=agent)
    assert waiting.status_code == 202
    assert (await _seen(counter, waiting))["whom"] == paid["id"]
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == ("100.00", "30.00")
    too_much = await counter.post(f"/v1/payments/{paid['id']}/refund", {"amount": "71.00"})
    assert too_much.json()["code"] == "state_conflict"
    await _decide(counter, waiting.json()["approval_id"], verb)
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == (left, "0.00")
    await counter.refuse_difference()


async def test_a_freeze_stops_what_is_new_and_lets_land_what_is_on_its_way(counter: Counter) -> None:
    paid = (await counter.pay()).json()
    counter.provider.after = None
    unknown = await counter.pay("sandbox_refund_timeout")
    refund = (await counter.post(f"/v1/payments/{unknown.json()['id']}/refund", {"amount": "60.00"})).json()
    assert refund["status"] == "unknown"
    frozen = {"scope": "account", "object": counter.tenant.side, "reason": "Fraud."}
    stopped = await counter.post("/v1/freezes", frozen, who=counter.tenant.operator)
    # What is held for a call ends with the call, and with nothing else.
    assert (stopped.status_code, stopped.json()["released_holds"]) == (201, [])
    assert (await counter.get(f"/v1/accounts/{counter.tenant.side}"))["held"] == "60.00"
    refused = await counter.post(f"/v1/payments/{paid['id']}/refund", {"amount": "10.00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "account_frozen")
    await counter.settle(2)
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == ("140.00", "0.00")
    await counter.refuse_difference()


async def test_what_went_out_has_used_its_limits_and_what_came_back_has_not(counter: Counter) -> None:
    paid, declined = (await counter.pay()).json(), (await counter.pay("sandbox_refund_declined")).json()
    agent = await agent_under(counter, {"windows": [{"period": "day", "currency": "USD", "max_amount": "30.00"}]})

    async def refund(payment: Any, amount: str) -> Any:
        return (await counter.post(f"/v1/payments/{payment['id']}/refund", {"amount": amount}, who=agent)).json()

    assert (await refund(declined, "30.00"))["status"] == "failed"
    assert (await refund(paid, "20.00"))["status"] == "succeeded"
    assert (await refund(paid, "10.01"))["code"] == "limit_exceeded"
    payout = {"account": counter.tenant.side, "amount": "10.00", "currency": "USD"}
    assert (await counter.post("/v1/payouts", payout, who=agent)).status_code == 201
    await counter.settle(5)
    assert (await counter.get("/v1/payouts"))["items"][0]["status"] == "succeeded"
    assert (await counter.post("/v1/payouts", payout | {"amount": "0.01"}, who=agent)).json()["code"] == (
        "limit_exceeded"
    )
