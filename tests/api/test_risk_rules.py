"""Versions of risk rules over the API: who drafts them, where they are brought, and from when on they hold."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from bursar.client import Bursar
from bursar.core.identity import service as identity
from bursar.features.risk.ruleset import DEFAULT_RULES, RuleSet
from bursar.kernel.db import Database
from bursar.wire.risk import RiskRules
from tests.api.risky import CLERK, Desk, opened, rules, stranger
from tests.api.serving import BASE
from tests.api.tenants import Tenant, bearing, credential_of, key_for


@pytest.fixture
async def desk(client: httpx2.AsyncClient, tenant: Tenant) -> Desk:
    return await opened(client, tenant)


async def test_a_payment_sees_the_old_rules_or_the_new_ones_and_never_old_ones_after_the_answer(desk: Desk) -> None:
    await desk.bring(stranger(2, 0), "activate")
    await desk.post("/v1/risk/rules", stranger(3, 100), 201)
    paid: list[int] = []

    async def pay() -> None:
        for _ in range(8):
            answer = await desk.client.post("/v1/transfers", json=desk.wish(), headers=bearing(desk.clerk))
            paid.append(answer.status_code)

    async def switch() -> None:
        for version, status in ((3, 409), (2, 201)) * 3:
            await desk.post(f"/v1/risk/rules/{version}/activate", None, 200)
            await desk.pay(status)
            paid.append(status)

    await asyncio.gather(*(pay() for _ in range(4)), switch())
    mine = [event for event in await desk.decisions() if event["actor"]["name"] == CLERK]
    said: Counter[tuple[str, int]] = Counter()
    for event in mine:
        scored = (await desk.get(f"/v1/risk/assessments/{event['id']}"))["active"]
        said[event["decision"], scored["rules_version"]] += 1
    assert said.keys() == {("allow", 2), ("deny", 3)}
    assert Counter(paid) == {201: said["allow", 2], 409: said["deny", 3]}


async def test_an_activation_waits_for_the_decisions_under_way(desk: Desk, database: Database) -> None:
    await desk.post("/v1/risk/rules", stranger(2, 100), 201)
    async with database.transaction(desk.tenant.id) as tx:
        await identity.authenticate_many(tx, [credential_of(desk.clerk)])
        assert (await desk.post("/v1/risk/rules/2/activate", None, 409))["code"] == "busy"
    await desk.post("/v1/risk/rules/2/activate", None, 200)


async def test_versions_stand_where_they_are_brought(desk: Desk) -> None:
    async def stand() -> dict[int, str]:
        return {item["version"]: item["status"] for item in (await desk.get("/v1/risk/rules"))["items"]}

    assert await stand() == {1: "draft"}
    for version in (2, 3):
        await desk.post("/v1/risk/rules", stranger(version, 1), 201)
    await desk.post("/v1/risk/rules/1/activate", None, 200)
    await desk.post("/v1/risk/rules/2/shadow", None, 200)
    assert await stand() == {1: "active", 2: "shadow", 3: "draft"}
    await desk.post("/v1/risk/rules/3/shadow", None, 200)
    await desk.post("/v1/risk/rules/3/activate", None, 200)
    assert await stand() == {1: "retired", 2: "retired", 3: "active"}
    await desk.post("/v1/risk/rules/1/activate", None, 200)
    assert await stand() == {1: "active", 2: "retired", 3: "retired"}
    events = (await desk.get("/v1/events?action=activate_risk_rules"))["items"]
    assert [(e["payload"]["version"], e["payload"]["instead_of"]) for e in events] == [(1, 3), (3, 1), (1, None)]
    assert {e["type"] for e in events} == {"risk_rules.active"}


@pytest.mark.parametrize("verb", ["activate", "shadow", "retire"])
async def test_a_version_is_not_brought_where_it_is_or_cannot_go(desk: Desk, verb: str) -> None:
    await desk.bring(stranger(2, 1), verb)
    refused = await desk.post(f"/v1/risk/rules/2/{verb}", None, 409)
    assert (refused["code"], refused["retry"]) == ("state_conflict", "never")
    for unknown in ("3", "0", "x", "1e3", "9999999999"):
        await desk.post(f"/v1/risk/rules/{unknown}/{verb}", None, 404)


async def test_an_active_version_does_not_go_on_trial(desk: Desk) -> None:
    await desk.bring(stranger(2, 1), "activate")
    assert "Version 2 of the rules is active." in (await desk.post("/v1/risk/rules/2/shadow", None, 409))["detail"]


async def test_a_number_is_used_once_and_what_makes_no_sense_is_refused(desk: Desk) -> None:
    await desk.post("/v1/risk/rules", stranger(2, 1), 201)
    for version in (1, 2):
        assert (await desk.post("/v1/risk/rules", stranger(version, 9), 409))["code"] == "state_conflict"
    backwards = rules(3, dormant={"points": 1, "above": 9, "full_at": 9})
    assert "dormant above must be less than full_at" in (await desk.post("/v1/risk/rules", backwards, 422))["detail"]
    falling = rules(3, outcomes={"needs_approval": 50, "step_up": 40, "deny": 90})
    await desk.post("/v1/risk/rules", falling, 422)
    await desk.post("/v1/risk/rules", {**stranger(3, 1), "memo": "x"}, 422)
    await desk.post("/v1/risk/rules", stranger(3, 101), 422)


async def test_a_list_goes_page_by_page(desk: Desk) -> None:
    for version in (3, 2, 9):
        await desk.post("/v1/risk/rules", stranger(version, 1), 201)
    first = await desk.get("/v1/risk/rules?limit=3")
    second = await desk.get(f"/v1/risk/rules?limit=3&cursor={first['next_cursor']}")
    assert [[i["version"] for i in page["items"]] for page in (first, second)] == [[1, 2, 3], [9]]
    assert second["next_cursor"] is None
    await desk.get("/v1/risk/rules?cursor=evt_1", status=422)


async def test_nobody_but_an_operator_says_what_is_risky(desk: Desk, database: Database, other: Tenant) -> None:
    await desk.post("/v1/risk/rules", stranger(2, 100), 201)
    paths = [f"/v1/risk/rules/2/{verb}" for verb in ("shadow", "activate", "retire")]
    async with database.transaction(desk.tenant.id) as tx:
        service = await key_for(tx, "service", "importer")
    for key in (desk.clerk, service):
        for path, body in [("/v1/risk/rules", stranger(3, 0)), *((path, None) for path in paths)]:
            assert (await desk.post(path, body, 403, key))["code"] == "scope_missing"
    for path in ("/v1/risk/rules", "/v1/risk/comparison", "/v1/risk/assessments/evt_0"):
        await desk.get(path, desk.clerk, 403)
    for path in paths:
        await desk.post(path, None, 404, other.operator)
    await desk.pay(201)


async def test_the_client_has_a_method_for_each_step(desk: Desk, app: ASGIApp) -> None:
    async with Bursar(BASE, desk.tenant.operator, transport=httpx2.ASGITransport(app)) as bursar:
        drafted = await bursar.draft_risk_rules(**stranger(2, 45))
        assert (drafted.status, drafted.rules.new_payee.points) == ("draft", 45)
        assert (await bursar.shadow_risk_rules(2)).status == "shadow"
        paid = await desk.pay(201)
        (trial,) = (await bursar.compare_risk_rules()).trials
        assert [(m.new, m.examples) for m in trial.changes] == [("needs_approval", [paid["event_id"]])]
        assert (await bursar.activate_risk_rules(2)).status == "active"
        assert [v.version async for v in bursar.iterate_risk_rules()] == [1, 2]
        assessed = await bursar.get_risk_assessment(paid["event_id"])
        assert assessed.shadow
        assert assessed.shadow.score == 45
        assert (await bursar.retire_risk_rules(2)).status == "retired"


def test_the_shape_on_the_wire_is_the_rules_shape() -> None:
    def fields(schema: Any, defs: Any) -> Any:
        if "$ref" in schema:
            schema = defs[schema["$ref"].rpartition("/")[2]]
        if "properties" in schema:
            return {name: fields(inner, defs) for name, inner in schema["properties"].items()}
        return {name: schema[name] for name in ("type", "minimum", "maximum")}

    ours, wire = RuleSet.model_json_schema(), RiskRules.model_json_schema()
    assert fields(ours, ours["$defs"]) == fields(wire, wire["$defs"])
    assert RiskRules.model_validate(DEFAULT_RULES.model_dump())
