"""The answer to an agent that paid says what let it and what is left, and the same in every replay."""

from typing import Any

import httpx2
import pytest

from tests.api.tenants import AGENT, Tenant, bearing

ANY = {"counterparties": {"mode": "any"}, "actions": ["create_transfer", "create_transfers", "create_hold"]}
DAY = {"period": "day", "currency": "USD", "max_amount": "100.00"}
WINDOWS = [DAY, {**DAY, "max_amount": "60.00", "per_payee": True}, {"period": "month", "max_count": 3}]
OTHER = {**DAY, "currency": "JPY", "max_amount": "100"}


class Buyer:
    """An agent under a mandate below another one."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant
        self.key = ""
        self.mandates: list[dict[str, Any]] = []

    async def post(self, path: str, body: Any, key: str, once: str | None = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(key, once))

    async def open(self) -> None:
        agent = await self.post("/v1/agents", {"name": "bea"}, self.tenant.operator)
        self.key = (await self.post("/v1/keys", {"agent": "bea"}, self.tenant.operator)).json()["key"]
        velocity = {"max_count": 5, "seconds": 600}
        parent = await self.grant(team="buyers", terms={**ANY, "windows": [{**DAY, "max_amount": "80.00"}]})
        terms = {**ANY, "windows": [*WINDOWS, OTHER], "velocity": velocity}
        await self.grant(agent=agent.json()["id"], parent=parent["id"], terms=terms)

    async def grant(self, **draft: Any) -> dict[str, Any]:
        made = (await self.post("/v1/mandates", {"name": "buying", **draft}, self.tenant.operator)).json()
        active = await self.post(f"/v1/mandates/{made['id']}/activate", None, self.tenant.operator)
        assert active.is_success, active.text
        self.mandates.append(active.json())
        return active.json()

    def transfer(self, amount: str, target: str | None = None) -> dict[str, str]:
        return {"source": self.tenant.main, "target": target or self.tenant.side, "amount": amount, "currency": "USD"}

    async def pay(self, amount: str, once: str | None = None) -> dict[str, Any]:
        answer = await self.post("/v1/transfers", self.transfer(amount), self.key, once)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
async def buyer(client: httpx2.AsyncClient, tenant: Tenant) -> Buyer:
    made = Buyer(client, tenant)
    await made.open()
    return made


def left(authority: dict[str, Any]) -> list[tuple[str, bool, str | None, int | None]]:
    return [(x["limit"], x["per_payee"], x["left_amount"], x["left_count"]) for x in authority["limits"]]


async def test_a_payment_is_answered_with_its_decision_its_mandate_and_what_is_left(buyer: Buyer) -> None:
    parent, mandate = buyer.mandates
    first = await buyer.pay("10.00")
    told = first["authority"]
    assert (told["decision_id"], told["mandate"]) == (first["event_id"], mandate["id"])
    assert told["mandate_version"] == mandate["version"] == 2
    # What the payment used: not the window of yen.
    assert left(told) == [
        ("calendar day", False, "90.00", None), ("calendar day", True, "50.00", None),
        ("calendar month", False, None, 2), ("any 600 seconds", False, None, 4), ("calendar day", False, "70.00", None),
    ]  # fmt: skip
    assert [limit["mandate"] for limit in told["limits"]] == [mandate["id"]] * 4 + [parent["id"]]
    assert {(x["max_amount"], x["max_count"]) for x in told["limits"]} >= {("100.00", None), (None, 3), (None, 5)}
    second = (await buyer.pay("25.50"))["authority"]
    assert [amount or count for _, _, amount, count in left(second)] == ["64.50", "24.50", 1, 3, "44.50"]


async def test_what_is_left_is_what_the_agents_authority_shows(buyer: Buyer) -> None:
    told = (await buyer.pay("10.00"))["authority"]
    shown = (await buyer.client.get("/v1/agents/bea/authority", headers=bearing(buyer.key))).json()

    # When a rolling limit has room again moves with the clock.
    def still(limits: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        kept = [{**x, "resets_at": None} if x["limit"].startswith("any ") else x for x in limits]
        return sorted(tuple(sorted((name, str(value)) for name, value in x.items())) for x in kept)

    assert still([x for x in told["limits"] if not x["per_payee"]]) == still(
        [x for x in shown["limits"] if x["currency"] != "JPY"]
    )


async def test_a_replay_is_the_same_to_the_byte_whatever_was_paid_since(buyer: Buyer) -> None:
    body = buyer.transfer("10.00")
    first = await buyer.post("/v1/transfers", body, buyer.key, "once")
    await buyer.pay("20.00")
    again = await buyer.post("/v1/transfers", body, buyer.key, "once")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert left(again.json()["authority"])[0][2] == "90.00"


async def test_a_hold_says_what_it_set_aside_and_what_is_left(buyer: Buyer) -> None:
    body = {"account": buyer.tenant.main, "amount": "10.00", "currency": "USD"}
    hold = (await buyer.post("/v1/holds", body, buyer.key)).json()
    assert hold["authority"]["decision_id"].startswith("evt_")
    # It names no payee yet.
    assert [(per_payee, amount) for _, per_payee, amount, count in left(hold["authority"]) if count is None] == [
        (False, "90.00"), (False, "70.00"),
    ]  # fmt: skip
    assert left((await buyer.pay("10.00"))["authority"])[0][2] == "80.00"


async def test_nobody_else_and_no_batch_is_told(buyer: Buyer) -> None:
    by_operator = await buyer.post("/v1/transfers", buyer.transfer("10.00"), buyer.tenant.operator)
    assert by_operator.json()["authority"] is None
    read = await buyer.client.get(f"/v1/transfers/{(await buyer.pay('1.00'))['id']}", headers=bearing(buyer.key))
    assert read.json()["authority"] is None
    for mode in ("each", "all_or_nothing"):
        batch = {"mode": mode, "transfers": [buyer.transfer("1.00")]}
        answer = await buyer.post("/v1/transfers/batch", batch, buyer.key)
        assert (answer.status_code, answer.json()["posted"]) == (200, 1)
        assert answer.json()["results"][0]["transfer"]["authority"] is None


async def test_where_nothing_is_limited_nothing_is_left_to_tell(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    body = {"source": tenant.main, "target": tenant.side, "amount": "10.00", "currency": "USD"}
    told = (await client.post("/v1/transfers", json=body, headers=bearing(tenant.agent))).json()["authority"]
    (mandate,) = (await client.get("/v1/mandates", params={"agent": AGENT}, headers=bearing(tenant.agent))).json()[
        "items"
    ]
    assert (told["mandate"], told["limits"]) == (mandate["id"], [])
