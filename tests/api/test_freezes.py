"""`/v1/freezes` over HTTP, and freezing by the account's own paths."""

import asyncio
from typing import Any

import httpx2
import pytest

from bursar.kernel.db import Database
from tests.api.tenants import AGENT, Tenant, bearing, key_for

PATH = "/v1/freezes"


@pytest.fixture
async def second(database: Database, tenant: Tenant) -> str:
    """Another operator's key."""
    async with database.transaction(tenant.id) as tx:
        return await key_for(tx, "operator", "second")


async def frozen(client: httpx2.AsyncClient, key: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"reason": "It looks odd.", **body}, headers=bearing(key))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def pay(client: httpx2.AsyncClient, tenant: Tenant) -> int:
    body = {"source": tenant.main, "target": tenant.side, "amount": "1.00", "currency": "USD"}
    return (await client.post("/v1/transfers", json=body, headers=bearing(tenant.agent))).status_code


async def test_an_agent_is_stopped_by_one_call_and_resumed_by_two_operators(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    hold = {"account": tenant.main, "amount": "5.00", "currency": "USD"}
    held = (await client.post("/v1/holds", json=hold, headers=bearing(tenant.agent))).json()
    made = await frozen(client, tenant.operator, scope="agent", object=AGENT)
    agent = (await client.get(f"/v1/agents/{AGENT}", headers=bearing(tenant.operator))).json()
    assert agent["status"] == "suspended"
    assert made["id"].startswith("frz_")
    assert (made["scope"], made["object"], made["reason"]) == ("agent", agent["id"], "It looks odd.")
    assert (made["released_holds"], made["cancelled_approvals"], made["in_flight"]) == ([held["id"]], [], [])
    assert made["status"] == "in_force"
    assert await pay(client, tenant) == 403
    path = f"{PATH}/{made['id']}/resume"
    asked = await client.post(path, headers=bearing(tenant.operator))
    assert (asked.status_code, asked.json()["status"]) == (200, "resume_requested")
    again = await client.post(path, headers=bearing(tenant.operator))
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    assert "another operator must ask too" in again.json()["detail"]
    assert await pay(client, tenant) == 403
    lifted = (await client.post(path, headers=bearing(second))).json()
    assert lifted["status"] == "resumed"
    assert lifted["resume_asked_by"] == made["frozen_by"] != lifted["resumed_by"]
    assert await pay(client, tenant) == 201


async def test_an_agent_stops_itself_by_scope_and_reason_alone(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    made = await frozen(client, tenant.agent, scope="agent")
    agent = (await client.get(f"/v1/agents/{AGENT}", headers=bearing(tenant.operator))).json()
    assert (made["object"], made["frozen_by"], agent["status"]) == (agent["id"], agent["id"], "suspended")
    assert await pay(client, tenant) == 403
    for key in (tenant.operator, second):
        assert (await client.post(f"{PATH}/{made['id']}/resume", headers=bearing(key))).status_code == 200
    assert await pay(client, tenant) == 201


async def test_the_scope_to_stop_oneself_stops_nothing_for_an_operator(
    client: httpx2.AsyncClient, tenant: Tenant, database: Database
) -> None:
    async with database.transaction(tenant.id) as tx:
        key = await key_for(tx, "operator", "third", ["freezes:self"])
    answer = await client.post(PATH, json={"scope": "tenant", "reason": "x"}, headers=bearing(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert "freezes:write" in answer.json()["detail"]
    assert await pay(client, tenant) == 201


async def test_a_tenant_is_stopped_whole_and_its_operators_go_on(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, second: str
) -> None:
    made = await frozen(client, tenant.operator, scope="tenant")
    assert (made["scope"], made["object"]) == ("tenant", None)
    assert await pay(client, tenant) == 403
    assert await pay(client, other) == 201
    for key in (tenant.operator, second):
        assert (await client.post(f"{PATH}/{made['id']}/resume", headers=bearing(key))).status_code == 200
    assert await pay(client, tenant) == 201


async def test_an_account_is_frozen_and_unfrozen_by_its_own_paths_too(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    path = f"/v1/accounts/{tenant.main}"
    assert (await client.post(f"{path}/freeze", headers=bearing(tenant.agent))).status_code == 403
    assert (await client.post(f"{path}/freeze", headers=bearing(tenant.operator))).json()["status"] == "frozen"
    (record,) = (await client.get(PATH, headers=bearing(tenant.operator))).json()["items"]
    account = (await client.get(path, headers=bearing(tenant.operator))).json()
    assert (record["scope"], record["object"], record["status"]) == ("account", account["id"], "in_force")
    assert await pay(client, tenant) == 409
    assert (await client.post(f"{path}/unfreeze", headers=bearing(tenant.operator))).json()["status"] == "frozen"
    alone = await client.post(f"{path}/unfreeze", headers=bearing(tenant.operator))
    assert (alone.status_code, alone.json()["code"]) == (409, "state_conflict")
    assert (await client.post(f"{path}/unfreeze", headers=bearing(second))).json()["status"] == "open"
    assert await pay(client, tenant) == 201
    opened = await client.post(f"{path}/unfreeze", headers=bearing(second))
    assert (opened.status_code, opened.json()["code"]) == (409, "state_conflict")


async def test_a_mandate_is_paused_and_resumed_by_its_own_paths_too(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    async def ask(verb: str, key: str, body: Any = None) -> httpx2.Response:
        return await client.post(f"{path}/{verb}", json=body, headers=bearing(key))

    (mandate,) = (await client.get("/v1/mandates", headers=bearing(tenant.agent))).json()["items"]
    path = f"/v1/mandates/{mandate['id']}"
    assert (await ask("pause", tenant.agent)).json()["code"] == "scope_missing"
    assert (await ask("resume", tenant.operator)).json()["detail"].startswith("The mandate is active.")
    paused = await ask("pause", tenant.operator, {"reason": "It looks odd."})
    assert paused.status_code == 201
    made = paused.json()
    assert (made["scope"], made["object"], made["reason"]) == ("mandate", mandate["id"], "It looks odd.")
    assert made["next"] == f"Two operators lift it, each by POST /v1/freezes/{made['id']}/resume."
    assert (await client.get(path, headers=bearing(tenant.operator))).json()["status"] == "paused"
    assert await pay(client, tenant) == 403
    again = await ask("pause", tenant.operator)
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    assert (await ask("resume", tenant.agent)).json()["code"] == "scope_missing"
    assert (await ask("resume", tenant.operator)).json()["status"] == "resume_requested"
    alone = await ask("resume", tenant.operator)
    assert (alone.status_code, alone.json()["code"]) == (409, "state_conflict")
    assert await pay(client, tenant) == 403
    # The two roads are one: the other operator comes by the freeze's.
    lifted = await client.post(f"{PATH}/{made['id']}/resume", headers=bearing(second))
    assert lifted.json()["status"] == "resumed"
    assert await pay(client, tenant) == 201
    bare = (await ask("pause", tenant.operator)).json()
    assert bare["reason"] == "operator paused the mandate."


async def test_a_repeated_request_freezes_once_and_asks_once(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    body = {"scope": "agent", "object": AGENT, "reason": "It looks odd."}
    one, two = [await client.post(PATH, json=body, headers=bearing(tenant.operator, "off")) for _ in range(2)]
    assert (one.status_code, one.content) == (two.status_code, two.content)
    path = f"{PATH}/{one.json()['id']}/resume"
    asked = [await client.post(path, headers=bearing(tenant.operator, "on")) for _ in range(2)]
    assert [answer.json()["status"] for answer in asked] == ["resume_requested"] * 2
    assert await pay(client, tenant) == 403
    assert (await client.post(path, headers=bearing(second, "on"))).json()["status"] == "resumed"


async def test_racing_freezes_of_a_tenant_are_answered_and_one_holds(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    body = {"scope": "tenant", "reason": "It looks odd."}
    answers = await asyncio.gather(
        *(client.post(PATH, json=body, headers=bearing(key)) for key in (tenant.operator, second) * 2)
    )
    codes = [answer.status_code if answer.is_success else answer.json()["code"] for answer in answers]
    assert set(codes) <= {201, "state_conflict", "busy"}
    # Where all got into each other's way nothing was changed, and one of them presses again.
    again = await client.post(PATH, json=body, headers=bearing(tenant.operator))
    assert [*codes, again.status_code].count(201) == 1
    assert await pay(client, tenant) == 403


async def test_freezes_are_listed_page_by_page_and_by_whether_they_are_in_force(
    client: httpx2.AsyncClient, tenant: Tenant, second: str
) -> None:
    scopes = [{"scope": "agent", "object": AGENT}, {"scope": "account", "object": tenant.side}, {"scope": "tenant"}]
    made = [(await frozen(client, tenant.operator, **scope))["id"] for scope in scopes]
    for key in (tenant.operator, second):
        await client.post(f"{PATH}/{made[1]}/resume", headers=bearing(key))

    async def listed(**query: Any) -> tuple[list[str], str | None]:
        page = (await client.get(PATH, params=query, headers=bearing(tenant.operator))).json()
        return [record["id"] for record in page["items"]], page["next_cursor"]

    first, cursor = await listed(limit=2)
    assert (first, await listed(limit=2, cursor=cursor)) == (made[:2], (made[2:], None))
    assert await listed(in_force="true") == ([made[0], made[2]], None)
    assert await listed(in_force="false") == ([made[1]], None)


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "tenant", "object": AGENT, "reason": "x"},
        {"scope": "agent", "reason": "x"},
        {"scope": "agent", "object": AGENT},
        {"scope": "agent", "object": AGENT, "reason": ""},
        {"scope": "planet", "object": AGENT, "reason": "x"},
    ],
)
async def test_a_freeze_names_its_object_and_its_reason(
    client: httpx2.AsyncClient, tenant: Tenant, body: dict[str, str]
) -> None:
    answer = await client.post(PATH, json=body, headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    assert await pay(client, tenant) == 201


async def test_another_tenants_freeze_is_unknown(client: httpx2.AsyncClient, tenant: Tenant, other: Tenant) -> None:
    theirs = await frozen(client, other.operator, scope="agent", object=AGENT)
    for key in (tenant.operator, tenant.operator):
        answer = await client.post(f"{PATH}/{theirs['id']}/resume", headers=bearing(key))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await client.get(PATH, headers=bearing(tenant.operator))).json()["items"] == []
    assert await pay(client, other) == 403
