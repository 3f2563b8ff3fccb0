"""`/v1/cases` over HTTP: what people settle, what agents may say to it, and that nobody settles it twice."""

from typing import Any

import httpx2
import pytest

from tests.api.tenants import AGENT, Tenant, bearing

PATH = "/v1/cases"
BODY = {"kind": "unclear", "subject_kind": "account", "subject_id": "ACC1", "note": "Who is this?"}


async def opened(client: httpx2.AsyncClient, tenant: Tenant, **more: str) -> Any:
    answer = await client.post(PATH, json={**BODY, **more}, headers=bearing(tenant.operator))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def brought(client: httpx2.AsyncClient, key: str, case: Any, state: str, note: str | None = None) -> Any:
    body = {"state": state} | ({"note": note} if note else {})
    return await client.post(f"{PATH}/{case['id']}/state", json=body, headers=bearing(key))


async def listed(client: httpx2.AsyncClient, tenant: Tenant, **query: Any) -> list[str]:
    answer = await client.get(PATH, params=query, headers=bearing(tenant.agent))
    assert answer.status_code == 200, answer.text
    return [case["id"] for case in answer.json()["items"]]


async def test_a_case_is_opened_assigned_noted_resolved_and_closed(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    made = await opened(client, tenant)
    assert made["id"].startswith("case_")
    assert (made["state"], made["owner"], made["version"]) == ("open", None, 1)
    assert made["subject"] == {"kind": "account", "id": "ACC1"}
    path = f"{PATH}/{made['id']}"
    owned = (await client.post(f"{path}/assign", json={"owner": "operator"}, headers=bearing(tenant.operator))).json()
    assert (owned["owner"]["name"], owned["version"]) == ("operator", 2)
    noted = await client.post(f"{path}/notes", json={"text": "I saw it pay."}, headers=bearing(tenant.agent))
    assert (noted.status_code, noted.json()["author"]["kind"], noted.json()["author"]["name"]) == (201, "agent", AGENT)
    for state in ("in_progress", "resolved", "closed"):
        answer = await brought(client, tenant.operator, made, state, f"It is {state}.")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert (await client.get(path, headers=bearing(tenant.agent))).json() == answer.json()
    notes = (await client.get(f"{path}/notes", headers=bearing(tenant.agent))).json()["items"]
    assert [(n["author"]["name"], n["text"]) for n in notes] == [
        ("operator", "Who is this?"), (AGENT, "I saw it pay."), ("operator", "It is in_progress."),
        ("operator", "It is resolved."), ("operator", "It is closed."),
    ]  # fmt: skip
    events = (await client.get("/v1/events", params={"object": made["id"]}, headers=bearing(tenant.operator))).json()
    assert [event["type"] for event in events["items"]] == [
        "case.closed", "case.resolved", "case.in_progress", "case.noted", "case.assigned", "case.opened",
    ]  # fmt: skip


async def test_a_subject_has_one_unsettled_case_of_a_kind(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    made = await opened(client, tenant)
    again = await client.post(PATH, json=BODY, headers=bearing(tenant.operator))
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    assert made["id"] in again.json()["detail"]
    others = [await opened(client, tenant, kind="odd"), await opened(client, tenant, subject_id="ACC2")]
    await brought(client, tenant.operator, made, "resolved")
    later = await opened(client, tenant)
    assert len({case["id"] for case in (made, later, *others)}) == 4


@pytest.mark.parametrize(
    ("road", "refused"),
    [
        (["resolved"], "in_progress"),
        (["resolved"], "open"),
        (["closed"], "resolved"),
        (["closed"], "closed"),
        ([], "open"),
        (["in_progress"], "in_progress"),
    ],
)
async def test_what_is_settled_is_not_opened_again(
    client: httpx2.AsyncClient, tenant: Tenant, road: list[str], refused: str
) -> None:
    made = await opened(client, tenant)
    for state in road:
        assert (await brought(client, tenant.operator, made, state)).status_code == 200
    answer = await brought(client, tenant.operator, made, refused)
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")


async def test_a_closed_case_takes_no_note_and_no_owner(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    made = await opened(client, tenant)
    await brought(client, tenant.operator, made, "closed")
    for verb, body in (("notes", {"text": "Too late."}), ("assign", {"owner": None})):
        answer = await client.post(f"{PATH}/{made['id']}/{verb}", json=body, headers=bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")


async def test_an_agent_reads_and_notes_and_settles_nothing(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    made = await opened(client, tenant)
    path = f"{PATH}/{made['id']}"
    for url, body in (
        (PATH, {**BODY, "subject_id": "ACC2"}),
        (f"{path}/state", {"state": "closed"}),
        (f"{path}/assign", {"owner": AGENT}),
    ):
        answer = await client.post(url, json=body, headers=bearing(tenant.agent))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await client.get(path, headers=bearing(tenant.agent))).json() == made


async def test_cases_are_listed_by_state_kind_owner_and_subject(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    first = await opened(client, tenant, owner="operator")
    second = await opened(client, tenant, kind="odd")
    third = await opened(client, tenant, subject_id="ACC2", owner=AGENT)
    await brought(client, tenant.operator, third, "resolved")
    ids = [case["id"] for case in (first, second, third)]
    assert await listed(client, tenant) == ids
    assert await listed(client, tenant, state="open") == ids[:2]
    assert await listed(client, tenant, kind="odd") == ids[1:2]
    assert await listed(client, tenant, owner=first["owner"]["id"]) == ids[:1]
    assert await listed(client, tenant, owner=AGENT, state="resolved") == ids[2:]
    assert await listed(client, tenant, subject_kind="account", subject_id="ACC1") == ids[:2]
    assert await listed(client, tenant, limit=1, cursor=ids[0]) == ids[1:2]
    half = await client.get(PATH, params={"subject_id": "ACC1"}, headers=bearing(tenant.operator))
    assert (half.status_code, half.json()["code"]) == (422, "invalid_argument")


async def test_an_owner_must_be_somebody_of_the_tenant(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant
) -> None:
    theirs = (await client.get(f"/v1/agents/{AGENT}", headers=bearing(other.operator))).json()["id"]
    made = await opened(client, tenant)
    for owner in (theirs, "nobody"):
        answer = await client.post(
            f"{PATH}/{made['id']}/assign", json={"owner": owner}, headers=bearing(tenant.operator)
        )
        assert (answer.status_code, answer.json()["detail"]) == (422, "owner: is no principal of this tenant")
