"""A paused mandate over HTTP: it stops its agents however wide the next one is, and says so everywhere."""

from typing import Any

import httpx2
import pytest

from bursar.kernel.db import Database
from tests.api.tenants import Tenant, bearing, key_for

ANYBODY = {"counterparties": {"mode": "any"}}


class Office:
    """A tenant where everybody may do everything, and who gives and pauses mandates there."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant, second: str) -> None:
        self.client = client
        self.tenant = tenant
        self.second = second
        self.wide = ""
        self.buyer = ""

    async def open(self) -> None:
        self.wide = await self.grant("everything")
        await self.post("/v1/agents", {"name": "bea", "team": "buyers"})
        self.buyer = (await self.post("/v1/keys", {"agent": "bea"})).json()["key"]

    async def post(self, path: str, body: Any = None, key: str | None = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(key or self.tenant.operator))

    async def grant(self, name: str, **whose: Any) -> str:
        terms = ANYBODY | {"actions": ["create_transfer", "create_hold"]}
        made = (await self.post("/v1/mandates", {"name": name, "terms": terms, **whose})).json()
        assert (await self.post(f"/v1/mandates/{made['id']}/activate")).is_success
        return made["id"]

    async def pause(self, mandate: str) -> None:
        assert (await self.post(f"/v1/mandates/{mandate}/pause")).status_code == 201

    async def pay(self, path: str = "/v1/transfers", **more: Any) -> httpx2.Response:
        body = {"source": self.tenant.main, "target": self.tenant.side, "amount": "5.00", "currency": "USD", **more}
        return await self.post(path, body, self.buyer)


@pytest.fixture
async def office(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Office:
    async with database.transaction(tenant.id) as tx:
        made = Office(client, tenant, await key_for(tx, "operator", "second"))
    await made.open()
    return made


@pytest.mark.parametrize("whose", [{"agent": "bea"}, {"team": "buyers"}], ids=["own", "team"])
async def test_a_paused_mandate_stops_whom_a_wider_one_covers_until_two_resume_it(
    office: Office, whose: dict[str, Any]
) -> None:
    errands = await office.grant("errands", **whose)
    assert (await office.pay()).status_code == 201
    await office.pause(errands)
    for named in ({}, {"mandate": errands}, {"mandate": office.wide}):
        refused = await office.pay(**named)
        assert (refused.status_code, refused.json()["code"]) == (403, "mandate_revoked"), refused.text
        assert refused.json()["detail"] == "The mandate errands is paused. No money moved."
        assert "two operators may resume" in refused.json()["next"]
        checked = (await office.pay("/v1/transfers/check", **named)).json()
        assert (checked["outcome"], checked["code"]) == ("deny", "mandate_revoked")
        assert {result["mandate"] for result in checked["results"]} == {errands}
    shown = (await office.client.get("/v1/agents/bea/authority", headers=bearing(office.buyer))).json()
    assert [(m["id"], m["status"]) for m in shown["mandates"]] == [(errands, "paused")]
    for key in (office.tenant.operator, office.second):
        assert (await office.post(f"/v1/mandates/{errands}/resume", key=key)).is_success
    assert (await office.pay()).json()["authority"]["mandate"] == errands


async def test_a_hold_under_the_wider_one_is_not_captured_while_the_closer_one_is_paused(office: Office) -> None:
    body = {"account": office.tenant.main, "amount": "5.00", "currency": "USD"}
    held = (await office.post("/v1/holds", body, office.buyer)).json()
    await office.pause(await office.grant("errands", agent="bea"))
    refused = await office.post(f"/v1/holds/{held['id']}/capture", {"target": office.tenant.side}, office.buyer)
    assert (refused.status_code, refused.json()["code"]) == (403, "mandate_revoked"), refused.text


async def test_a_revoked_mandate_leaves_the_agent_under_the_wider_one(office: Office) -> None:
    errands = await office.grant("errands", agent="bea")
    await office.pause(errands)
    assert (await office.post(f"/v1/mandates/{errands}/revoke")).is_success
    assert (await office.pay()).json()["authority"]["mandate"] == office.wide
