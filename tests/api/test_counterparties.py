"""`/v1/counterparties` over HTTP."""

import httpx2
import pytest

from bursar.kernel.db import Database
from tests.api.tenants import Tenant, bearing, key_for

PATH = "/v1/counterparties"


async def entered(client: httpx2.AsyncClient, tenant: Tenant, account: str, name: str = "Blake Brown") -> str:
    body = {"account": account, "name": name}
    answer = await client.post(PATH, json=body, headers=bearing(tenant.operator))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_counterparty_is_entered_found_blocked_and_unblocked(
    client: httpx2.AsyncClient, tenant: Tenant
) -> None:
    operator = bearing(tenant.operator)
    made = await client.post(PATH, json={"account": tenant.side, "name": "Blake Brown"}, headers=operator)
    shown = made.json()
    assert made.status_code == 201
    assert shown.pop("created_at").endswith("Z")
    path = f"{PATH}/{shown['id']}"
    assert shown["id"].startswith("cp_")
    assert shown == {
        "id": shown["id"], "account": tenant.side, "name": "Blake Brown", "status": "active", "version": 1,
    }  # fmt: skip
    for verb, status, version in (("block", "blocked", 2), ("unblock", "active", 3)):
        changed = (await client.post(f"{path}/{verb}", headers=bearing(tenant.operator))).json()
        assert (changed["status"], changed["version"]) == (status, version)
        assert (await client.get(path, headers=bearing(tenant.agent))).json() == changed
        again = await client.post(f"{path}/{verb}", headers=bearing(tenant.operator))
        assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    listed = await client.get("/v1/events", params={"object": shown["id"]}, headers=bearing(tenant.operator))
    assert [e["type"] for e in listed.json()["items"] if e["decision"] == "allow"] == [
        "counterparty.unblocked", "counterparty.blocked", "counterparty.entered",
    ]  # fmt: skip


async def test_an_account_is_named_by_number_or_id_and_has_one_counterparty(
    client: httpx2.AsyncClient, tenant: Tenant
) -> None:
    account = (await client.get(f"/v1/accounts/{tenant.side}", headers=bearing(tenant.operator))).json()
    await entered(client, tenant, account["id"])
    twice = await client.post(PATH, json={"account": tenant.side, "name": "Again"}, headers=bearing(tenant.operator))
    assert (twice.status_code, twice.json()["code"]) == (409, "state_conflict")
    assert tenant.side in twice.json()["detail"]


async def test_a_repeated_request_enters_once(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    body, headers = {"account": tenant.side, "name": "Blake Brown"}, bearing(tenant.operator, "once")
    first, second = [await client.post(PATH, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["Idempotent-Replayed"] == "true"


async def test_counterparties_are_listed_page_by_page(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    made = [await entered(client, tenant, tenant.number("side", currency)) for currency in ("USD", "JPY", "BHD")]
    first = (await client.get(PATH, params={"limit": 2}, headers=bearing(tenant.agent))).json()
    query = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get(PATH, params=query, headers=bearing(tenant.agent))).json()
    assert [c["id"] for c in first["items"] + second["items"]] == made
    assert second["next_cursor"] is None


@pytest.mark.parametrize("kind", ["agent", "service"])
async def test_only_an_operator_enters_one(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant, kind: str
) -> None:
    async with database.transaction(tenant.id) as tx:
        key = tenant.agent if kind == "agent" else await key_for(tx, "service", "importer")
    answer = await client.post(PATH, json={"account": tenant.side, "name": "Me"}, headers=bearing(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await client.get(PATH, headers=bearing(tenant.operator))).json()["items"] == []


async def test_another_tenants_counterparty_is_unknown(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant
) -> None:
    theirs = await entered(client, other, other.side)
    for verb in ("block", "unblock"):
        answer = await client.post(f"{PATH}/{theirs}/{verb}", headers=bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await client.get(f"{PATH}/{theirs}", headers=bearing(tenant.operator))).status_code == 404
    assert (await client.get(f"{PATH}/{theirs}", headers=bearing(other.operator))).json()["version"] == 1
