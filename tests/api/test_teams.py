"""Teams over HTTP: whoever belongs to one acts under its mandates, from the answer on and no longer."""

from typing import Any

import httpx2
import pytest

from tests.api.tenants import Tenant, bearing


class Office:
    """A tenant whose buyers may pay up to 20.00, under one mandate for their team."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant
        self.buyer = ""

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(key or self.tenant.operator))

    async def open(self) -> None:
        terms = {
            "per_transaction": [{"currency": "USD", "max": "20.00", "auto_max": "10.00"}],
            "counterparties": {"mode": "any"},
        }
        drafted = (await self.post("/v1/mandates", {"name": "buying", "team": "buyers", "terms": terms})).json()
        assert (await self.post(f"/v1/mandates/{drafted['id']}/activate", None)).is_success
        made = await self.post("/v1/agents", {"name": "bea", "team": "buyers"})
        assert (made.status_code, made.json()["team"]) == (201, "buyers")
        self.buyer = (await self.post("/v1/keys", {"agent": "bea"})).json()["key"]

    async def move_to(self, team: str | None) -> None:
        answer = await self.post("/v1/agents/bea/team", {"team": team})
        assert (answer.status_code, answer.json()["team"]) == (200, team)

    async def pay(self, amount: str = "5.00") -> httpx2.Response:
        body = {"source": self.tenant.main, "target": self.tenant.side, "amount": amount, "currency": "USD"}
        return await self.post("/v1/transfers", body, self.buyer)

    async def last_event(self, action: str) -> dict[str, Any]:
        query = {"action": action, "limit": 1}
        found = await self.client.get("/v1/events", params=query, headers=bearing(self.tenant.operator))
        return found.json()["items"][0]


@pytest.fixture
async def office(client: httpx2.AsyncClient, tenant: Tenant) -> Office:
    made = Office(client, tenant)
    await made.open()
    return made


async def test_a_teams_mandate_holds_for_who_belongs_to_it_and_for_nobody_else(office: Office) -> None:
    assert (await office.pay()).status_code == 201
    assert (await office.pay("25.00")).json()["code"] == "limit_exceeded"
    for team in ("sellers", None, "Buyers"):
        await office.move_to(team)
        refused = await office.pay()
        assert (refused.status_code, refused.json()["code"]) == (403, "mandate_missing")
        shown = await office.client.get("/v1/agents/bea/authority", headers=bearing(office.buyer))
        assert shown.json()["mandates"] == []
    await office.move_to("buyers")
    assert (await office.pay()).status_code == 201
    agents = (await office.client.get("/v1/agents", headers=bearing(office.tenant.operator))).json()["items"]
    assert {agent["name"]: agent["team"] for agent in agents} == {"agent_007": None, "bea": "buyers"}


async def test_a_change_of_team_is_told_with_what_it_was(office: Office) -> None:
    created = await office.last_event("create_agent")
    assert created["payload"] == {"name": "bea", "team": "buyers"}
    await office.move_to(None)
    event = await office.last_event("change_team")
    assert (event["type"], event["actor"]["name"]) == ("agent.team_changed", "operator")
    assert event["payload"] == {"name": "bea", "team": None, "was": "buyers"}


async def test_an_agent_sets_no_team_and_not_its_own_either(office: Office) -> None:
    for path, body in (("/v1/agents/bea/team", {"team": "sellers"}), ("/v1/agents", {"name": "b", "team": "buyers"})):
        answer = await office.post(path, body, office.buyer)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    shown = await office.client.get("/v1/agents/bea", headers=bearing(office.buyer))
    assert shown.json()["team"] == "buyers"


@pytest.mark.parametrize("body", [{}, {"team": ""}, {"team": "a team"}, {"team": "x" * 65}, {"team": 7}])
async def test_a_team_is_named_or_null(office: Office, body: dict[str, Any]) -> None:
    answer = await office.post("/v1/agents/bea/team", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")


async def test_only_agents_have_a_team(office: Office) -> None:
    for name in ("operator", "nobody", "prn_" + "0" * 32):
        answer = await office.post(f"/v1/agents/{name}/team", {"team": "buyers"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_another_tenants_agent_is_unknown(office: Office, other: Tenant) -> None:
    answer = await office.post("/v1/agents/bea/team", {"team": None}, other.operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await office.pay()).status_code == 201
