"""Definitions that people make: versions over HTTP, read by agents, kept by the jobs that run."""

import asyncio
from typing import Any

import httpx2
import pytest

from bursar.features.jobs import going_on
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.ids import read as read_id
from tests.api.tenants import Tenant, bearing
from tests.crews import Crew, crew_of

FIRST = {"name": "ask", "role": "initiate", "stage": "asked"}
SIGN = {"name": "sign", "role": "approve", "stage": "signed", "timeout_seconds": 3600}
RESERVE = {"name": "reserve", "role": "execute", "stage": "reserved", "effect": "reserve"}
PAY = {"name": "pay", "role": "execute", "stage": "paid", "effect": "capture", "timeout_seconds": 3600}


@pytest.fixture
async def crew(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Crew:
    return await crew_of(database, client, tenant)


def refund(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "refund", "steps": [FIRST, *(steps or (RESERVE, PAY))], **more}


async def define(crew: Crew, body: Any, who: str = "operator", once: str | None = None) -> httpx2.Response:
    headers = bearing(crew.keys[who], once)
    return await crew.client.post("/v1/job-definitions", json=body, headers=headers)


async def read(crew: Crew, path: str, who: str = "ann") -> httpx2.Response:
    return await crew.client.get(f"/v1/job-definitions{path}", headers=bearing(crew.keys[who]))


async def test_a_definition_is_made_in_versions_that_agents_read_and_never_write(crew: Crew) -> None:
    first = await define(crew, refund())
    assert first.status_code == 201, first.text
    assert (first.json()["version"], first.json()["steps"][2]["timeout_seconds"]) == (1, 3600)
    assert first.json()["made_by"].startswith("prn_")
    second = (await define(crew, refund(SIGN, RESERVE, PAY, separate=[["initiate", "approve"]]))).json()
    assert (second["version"], second["separate"]) == (2, [["initiate", "approve"]])
    assert (await read(crew, "/refund")).json() == second
    assert (await read(crew, "/refund?version=1")).json() == first.json()
    for path in ("/refund?version=3", "/nothing", "/Not%20a%20name"):
        assert (await read(crew, path)).status_code == 404, path
    refused = await define(crew, refund(), "ann")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert "jobs:define" in refused.json()["detail"]


async def test_the_list_goes_by_name_and_version_and_what_comes_with_bursar_is_in_it(crew: Crew) -> None:
    await define(crew, refund())
    assert (await define(crew, {**refund(), "name": "checkout"})).json()["version"] == 2
    listed = (await read(crew, "")).json()["items"]
    names = [(found["name"], found["version"]) for found in listed]
    assert names == [
        ("agent_payment", 1), ("checkout", 1), ("checkout", 2), ("claim_disbursement", 1), ("collection", 1),
        ("refund", 1), ("shared_bill", 1),
    ]  # fmt: skip
    assert [found["made_by"] is None for found in listed] == [True, True, False, True, True, False, True]
    pages: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = (await read(crew, f"?limit=1{cursor and f'&cursor={cursor}'}")).json()
        pages, cursor = [*pages, *page["items"]], page["next_cursor"]
    assert pages == listed
    assert (await read(crew, "?cursor=nonsense")).status_code == 422


async def test_a_running_job_keeps_its_version_and_the_next_goes_by_the_new_one(crew: Crew) -> None:
    await define(crew, refund())
    wish: dict[str, Any] = {"definition": "refund", "amount": "10.00"}
    running = await crew.job(**wish)
    assert (await crew.do("ann", running))["stage"] == "reserved"
    await define(crew, refund(SIGN, RESERVE, PAY, separate=[["initiate", "approve"]]))
    assert (await crew.get(f"/{running}"))["definition_version"] == 1
    assert (await crew.do("ann", running))["status"] == "done"
    newer = await crew.job(**wish)
    assert (await crew.get(f"/{newer}"))["step"]["name"] == "sign"
    refused = await crew.post("ann", "/claim", {"job_id": newer})
    assert refused.json()["code"] == "duties_separated"
    for who, stage in (("bob", "signed"), ("ann", "reserved"), ("ann", "paid")):
        assert (await crew.do(who, newer))["stage"] == stage
    older = await crew.job(**wish, version=1)
    assert (await crew.get(f"/{older}"))["step"]["name"] == "reserve"
    report = await crew.get(f"/{newer}/report")
    assert [step["name"] for step in report["steps"]] == ["ask", "sign", "reserve", "pay"]
    listed = {job["id"]: job["definition_version"] for job in (await crew.get("?definition=refund"))["items"]}
    assert listed == {running: 1, newer: 2, older: 1}
    assert await crew.available(crew.tenant.side) == "20.00"


async def test_what_an_own_definition_holds_is_given_back_when_its_job_is_undone(
    crew: Crew, database: Database
) -> None:
    await define(crew, refund())
    job = await crew.job(definition="refund", amount="10.00")
    await crew.do("ann", job)
    assert await crew.available(crew.tenant.main) == "999990.00"
    await crew.ok("ann", f"/{job}/cancel", {"reason": "Not wanted."})
    known = read_id("job", job)
    assert known
    async with database.transaction(crew.tenant.id) as tx:
        assert await going_on.compensate(tx, known)
    assert (await crew.get(f"/{job}"))["status"] == "canceled"
    assert await crew.available(crew.tenant.main) == "1000000.00"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (refund(PAY), "steps.1.effect"),
        (refund(RESERVE), "steps"),
        (refund(RESERVE, {**PAY, "timeout_seconds": None}), "steps.2.timeout_seconds"),
        (refund(separate=[["initiate", "reconcile"]]), "separate.0.1"),
        (refund(SIGN, {**SIGN, "role": "Sign"}), "steps.2.role"),
        ({**refund(), "version": 7}, "body"),
        ({**refund(), "name": "agent_payment"}, "name"),
        ({**refund(), "name": "Refund"}, "name"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(crew: Crew, body: Any, field: str) -> None:
    refused = await define(crew, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_argument")
    assert f"{field}: " in refused.json()["detail"]
    assert len((await read(crew, "")).json()["items"]) == 5


async def test_versions_made_at_once_have_numbers_of_their_own_and_a_repetition_makes_none(crew: Crew) -> None:
    once = new_id().hex
    made = await asyncio.gather(*[define(crew, refund()) for _ in range(8)])
    assert sorted(answer.json()["version"] for answer in made) == list(range(1, 9))
    again = [await define(crew, refund(), once=once) for _ in range(2)]
    assert [answer.json()["version"] for answer in again] == [9, 9]
    assert (await read(crew, "/refund")).json()["version"] == 9
