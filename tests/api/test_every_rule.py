"""Each road that moves money, taken by an agent under every kind of rule: none is wider than another, none breaks."""

from datetime import UTC, datetime
from typing import Any, get_args

import httpx2
import pytest

from bursar.wire.mandates import MoneyAction
from tests.api.books import Books
from tests.api.operations import Operation
from tests.api.sending import Request
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

# What agents do with loans goes by whose they are too, and is tried under mandates in tests/features/lending.
OF_LOANS = {"decide_application", "accept_offer", "disburse_loan", "repay_loan", "create_reminder"}
ACTIONS = sorted({*get_args(MoneyAction)} - OF_LOANS)
# What these go on with has used the limits before.
USE_NOTHING = {"capture_hold", "release_hold"}
AGENT = "agent-under-every-rule"


def roomy() -> dict[str, Any]:
    """Every kind of rule, none of which says no."""
    ahead = datetime.now(UTC).hour - 12
    return {
        "actions": ACTIONS,
        "rails": ["book", "provider"],
        "per_transaction": [{"currency": "USD", "max": "1000.00", "auto_max": "900.00"}],
        "windows": [
            {"period": "day", "currency": "USD", "max_amount": "10000.00", "max_count": 100},
            {"kind": "rolling", "period": "hour", "max_count": 100},
            {"period": "lifetime", "currency": "USD", "max_amount": "5000.00", "per_payee": True},
        ],
        "counterparties": {"mode": "any"},
        # The zone where it is noon.
        "hours": {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "08:00", "end": "18:00",
            "time_zone": f"Etc/GMT{ahead:+d}",
        },
        "approvals": [{"when": {"amount_over": [{"currency": "USD", "amount": "950.00"}]}}],
        "velocity": {"max_count": 100, "seconds": 60},
        "duplicate_window_seconds": 600,
    }  # fmt: skip


async def agent_under(stock: Stock, terms: dict[str, Any], name: str = AGENT) -> str:
    """The key of a new agent with a mandate in force."""
    await stock.made("/v1/agents", {"name": name})
    drafted = await stock.made("/v1/mandates", {"name": name, "agent": name, "terms": terms})
    await stock.made(f"/v1/mandates/{drafted['id']}/activate", None)
    return (await stock.made("/v1/keys", {"agent": name}))["key"]


async def request_for(stock: Stock, operations: list[Operation], action: str) -> Request:
    """A good request of this action, by an agent: only people choose a time of effect."""
    await stock.payment()  # So that the provider has accounts of ours, and something to pay out.
    (operation,) = [operation for operation in operations if operation.id == action]
    request = await stock.request(operation)
    body: dict[str, Any] = request.body or {}
    wishes: list[dict[str, Any]] = body.get("transfers", [body])
    for wish in wishes:
        wish.pop("effective_at", None)
    return request


def codes_in(answer: httpx2.Response) -> list[str | None]:
    """The code of each problem of an answer; None for what went well."""
    body = answer.json()
    if "results" in body:
        return [result["problem"] and result["problem"]["code"] for result in body["results"]]
    return [body["code"] if answer.is_error else None]


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_road_is_open_under_every_kind_of_rule_that_leaves_room(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], action: str
) -> None:
    stock = Stock(client, tenant)
    agent = await agent_under(stock, roomy())
    answer = await (await request_for(stock, operations, action)).send(client, bearing(agent))
    assert answer.is_success, answer.text
    assert set(codes_in(answer)) == {None}
    left = (await client.get(f"/v1/agents/{AGENT}/authority", headers=bearing(tenant.operator))).json()
    counts = [limit["left_count"] for limit in left["limits"]]
    assert min(count for count in counts if count is not None) == (100 if action in USE_NOTHING else 99), left


@pytest.mark.parametrize("action", ACTIONS)
async def test_no_road_goes_round_a_rule(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], books: Books, action: str
) -> None:
    tight: dict[str, Any] = {
        "windows": [{"period": "day", "currency": "USD", "max_amount": "0.01"}],
        "per_transaction": [{"currency": "USD", "max": "0.01"}],
        "rails": ["book"] if action in PROVIDER else ["provider"],
        "actions": [other for other in ACTIONS if other != action],
    }
    stock = Stock(client, tenant)
    for rule, terms in tight.items():
        agent = await agent_under(stock, roomy() | {rule: terms}, f"tight-{rule}".replace("_", "-"))
        request = await request_for(stock, operations, action)
        before = books.of(tenant)
        answer = await request.send(client, bearing(agent))
        if action == "release_hold" or (action == "capture_hold" and rule in ("windows", "per_transaction")):
            assert answer.is_success, answer.text
            continue
        told = "mandate_missing" if rule in ("rails", "actions") else "limit_exceeded"
        assert set(codes_in(answer)) == {told}, rule
        after = books.of(tenant)
        assert {table for table in before if before[table] != after[table]} <= {"answer", "decision", "event"}


PROVIDER = {"create_payment", "confirm_payment", "refund_payment", "create_payout"}
