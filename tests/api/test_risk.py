"""Risk over the API: rules that operators put in force decide payments, explain themselves, and can be tried first."""

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import orjson
import psycopg
import pytest
from pyotp.totp import TOTP

from bursar import worker
from bursar.core.authority import step_up
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.record import results_of
from bursar.core.authority.replaying import Kept, replay
from bursar.core.identity import service as identity
from bursar.features.risk.deciding import risk_of
from bursar.features.risk.explaining import explain
from bursar.kernel.db import Database
from bursar.kernel.ids import read
from tests.api.risky import Desk, opened, stranger
from tests.api.tenants import Tenant, bearing


@pytest.fixture
async def desk(client: httpx2.AsyncClient, tenant: Tenant) -> Desk:
    return await opened(client, tenant)


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=2)
    yield opened
    await opened.close()


async def test_a_payment_is_allowed_and_its_score_explained(desk: Desk) -> None:
    await desk.bring(stranger(2, 39), "activate")
    paid = await desk.pay(201)
    found = await desk.get(f"/v1/risk/assessments/{paid['event_id']}")
    assert (found["decision_id"], found["shadow"]) == (paid["event_id"], None)
    assert (found["active"]["rules_version"], found["active"]["score"], found["active"]["outcome"]) == (2, 39, "allow")
    said = {c["feature"]: (c["value"], c["points"], c["text"]) for c in found["active"]["contributions"]}
    assert said.keys() == {"velocity", "new_payee", "unusual_hour", "amount_outlier", "structuring", "dormant"}
    assert said["new_payee"] == (None, 39, "the agent has never paid this payee")
    assert "IGNORE" not in str(found)


async def test_a_score_asks_a_person_whom_it_tells_why(desk: Desk, workers: Database) -> None:
    await desk.bring(stranger(2, 40), "activate")
    told = await desk.pay(202)
    assert told["why"] == ["risk score 40: the agent has never paid this payee"]
    path = f"/v1/approvals/{told['approval_id']}"
    seen = await desk.get(path)
    assert [c["points"] for c in seen["risk"]["active"]["contributions"]] == [0, 40, 0, 0, 0, 0]
    assert (await desk.get(path, desk.clerk))["risk"] is None
    await desk.post(f"{path}/approve", {"payload_hash": seen["payload_hash"]}, 200)
    # What was approved is carried out whatever the rules say meanwhile: the approvers knew the score.
    await desk.bring(stranger(3, 100), "activate")
    await worker.execute_approvals(workers)
    executed = (await desk.get(path))["executed_event_id"]
    found = await desk.get(f"/v1/risk/assessments/{executed}")
    assert (found, found["active"]["score"]) == (seen["risk"], 40)
    assert (await desk.pay(409))["code"] == "limit_exceeded"


async def test_a_higher_score_asks_for_a_one_time_code(desk: Desk, database: Database, workers: Database) -> None:
    await desk.bring(stranger(2, 60), "activate")
    told = await desk.pay(202)
    assert told["step_up"]
    path = f"/v1/approvals/{told['approval_id']}"
    seen = await desk.get(path)
    body = {"payload_hash": seen["payload_hash"]}
    async with database.transaction(desk.tenant.id) as tx:
        operator = await identity.find_principal_named(tx, "operator")
        assert operator
        uri = step_up.enrol(tx, operator)
    assert (await desk.post(f"{path}/approve", body, 403))["code"] == "step_up_failed"
    (secret,) = parse_qs(urlsplit(uri).query)["secret"]
    await desk.post(f"{path}/approve", {**body, "code": TOTP(secret).now()}, 200)
    await worker.execute_approvals(workers)
    assert (await desk.get(path))["executed_event_id"]


async def test_the_highest_score_denies_and_says_why(desk: Desk) -> None:
    await desk.bring(stranger(2, 85), "activate")
    refused = await desk.pay(409)
    assert (refused["code"], refused["money_moved"]) == ("limit_exceeded", "no")
    assert refused["detail"] == (
        "The risk score of this payment is 85 of 100: the agent has never paid this payee. No money moved."
    )
    (event, *_) = await desk.decisions()
    assert (event["decision"], event["outcome"]) == ("deny", "limit_exceeded")
    found = await desk.get(f"/v1/risk/assessments/{event['id']}")
    assert (found["active"]["score"], found["active"]["outcome"]) == (85, "deny")


async def test_payments_of_one_batch_see_each_other(desk: Desk) -> None:
    """64 payments just under what needs nobody, in one request: only the first goes through alone."""
    await desk.post("/v1/risk/rules/1/activate", None, 200)
    body = {"mode": "each", "transfers": [desk.wish("95.00") for _ in range(64)]}
    answer = await desk.post("/v1/transfers/batch", body, 200, desk.clerk)
    assert len(answer["results"]) == 64
    balance = await desk.get(f"/v1/accounts/{desk.tenant.side}/balance")
    assert balance["posted"] == "95.00"
    (waiting,) = (await desk.get("/v1/approvals"))["items"]
    assert waiting["step_up"]
    assert "2 payments within 24 hours, this one included, just under 100.00 USD" in waiting["why"][0]


async def test_a_hold_that_names_nobody_is_asked_about_when_it_is_captured(desk: Desk) -> None:
    await desk.bring(stranger(2, 85), "activate")
    hold = {"account": desk.tenant.main, "amount": "5.00", "currency": "USD"}
    placed = await desk.post("/v1/holds", hold, 201, desk.clerk)
    capture = {"target": desk.tenant.side}
    refused = await desk.post(f"/v1/holds/{placed['id']}/capture", capture, 409, desk.clerk)
    assert "the agent has never paid this payee" in refused["detail"]


async def test_a_check_says_the_same_and_keeps_nothing(desk: Desk, database_url: str) -> None:
    await desk.bring(stranger(2, 60), "activate")
    checked = await desk.post("/v1/transfers/check", desk.wish(), 200, desk.clerk)
    assert checked["outcome"] == "needs_approval"
    assert "risk score 60: the agent has never paid this payee" in checked["detail"]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM bursar.decision").fetchone() == (0,)


async def test_a_mandate_that_wants_a_score_asks_a_person_as_long_as_there_is_none(desk: Desk) -> None:
    await desk.post("/v1/agents", {"name": "careful"}, 201)
    terms = {"counterparties": {"mode": "any"}, "approvals": [{"when": {"risk_at_least": 30}}]}
    mandate = await desk.post("/v1/mandates", {"name": "careful", "agent": "careful", "terms": terms}, 201)
    await desk.post(f"/v1/mandates/{mandate['id']}/activate", None, 200)
    key = (await desk.post("/v1/keys", {"agent": "careful"}, 201))["key"]

    async def why(status: int) -> Any:
        return (await desk.post("/v1/transfers", desk.wish(), status, key)).get("why")

    assert await why(202) == ["Its risk score is not known."]
    await desk.bring(stranger(2, 29), "activate")
    assert await why(201) is None
    await desk.bring(stranger(3, 30), "activate")
    assert await why(202) == ["Its risk score is 30: the agent first paid this payee 0 hours ago."]
    await desk.post("/v1/risk/rules/3/retire", None, 200)
    assert await why(202) == ["Its risk score is not known."]


async def test_rules_on_trial_change_nothing_and_are_compared(desk: Desk) -> None:
    await desk.bring(stranger(7, 100), "shadow")
    first = await desk.pay(201)
    await desk.bring(stranger(6, 0), "activate")
    second, third = await desk.pay(201), await desk.pay(201)
    found = await desk.get("/v1/risk/comparison")
    assert found["trials"] == [
        {
            "active_version": None, "shadow_version": 7, "payments": 1, "unchanged": 0,
            "changes": [{"old": "none", "new": "deny", "payments": 1, "examples": [first["event_id"]]}],
        },
        {
            "active_version": 6, "shadow_version": 7, "payments": 2, "unchanged": 0,
            "changes": [
                {"old": "allow", "new": "deny", "payments": 2, "examples": [second["event_id"], third["event_id"]]}
            ],
        },
    ]  # fmt: skip
    kept = await desk.get(f"/v1/risk/assessments/{second['event_id']}")
    assert (kept["active"]["outcome"], kept["shadow"]["outcome"]) == ("allow", "deny")
    assert (await desk.get(f"/v1/risk/assessments/{first['event_id']}"))["active"] is None
    early = {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z"}
    answer = await desk.client.get("/v1/risk/comparison", params=early, headers=bearing(desk.tenant.operator))
    assert answer.json()["trials"] == []


async def test_what_a_trial_would_not_change_is_counted_as_unchanged(desk: Desk) -> None:
    await desk.bring(stranger(7, 1), "shadow")
    await desk.pay(201)
    await desk.bring(stranger(6, 2), "activate")
    await desk.pay(201)
    trials = (await desk.get("/v1/risk/comparison"))["trials"]
    assert [(t["payments"], t["unchanged"], t["changes"]) for t in trials] == [(1, 1, []), (1, 1, [])]


async def test_without_rules_a_decision_has_no_assessment(desk: Desk) -> None:
    paid = await desk.pay(201)
    await desk.get(f"/v1/risk/assessments/{paid['event_id']}", status=404)
    await desk.get("/v1/risk/assessments/nothing", status=404)


class Decision(NamedTuple):
    """A decision as it is kept, with who may be asked what the mandate was."""

    id: UUID
    outcome: str
    codes: str
    inputs: str
    results: str


async def test_every_decision_is_made_again_with_the_same_result(desk: Desk, database: Database) -> None:
    await desk.bring(stranger(2, 45), "shadow")
    await desk.pay(201)
    await desk.post("/v1/risk/rules/1/activate", None, 200)
    for amount in ("5.00", "95.00", "95.00", "95.00", "150.00", "600.00"):
        answer = await desk.client.post("/v1/transfers", json=desk.wish(amount), headers=bearing(desk.clerk))
        assert answer.status_code in (201, 202, 409), answer.text
    await desk.bring(stranger(3, 60), "activate")
    await desk.pay(202)
    async with database.transaction(desk.tenant.id, read_only=True) as tx:
        kept = await tx.rows(
            Decision, "SELECT id, outcome, codes, inputs, results FROM decision WHERE tenant_id = $1", tx.tenant
        )
        mandates = await tx.rows(
            Mandate,
            """SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                      changed_at FROM mandate WHERE tenant_id = $1""",
            tx.tenant,
        )
        explained = {d.id: await explain(tx, d.id) for d in kept}
    known = {(m.id, m.version): m for m in mandates}
    versions: set[tuple[int | None, int | None]] = set()
    for d in kept:
        active, shadow = explained[d.id].active, explained[d.id].shadow
        versions.add((active.rules_version if active else None, shadow.rules_version if shadow else None))
        inputs = orjson.loads(d.inputs)
        assert inputs.get("risk") == (list(risk_of(active)) if active else None)
        for name, said_then in (("active", active), ("shadow", shadow)):
            measured = [[c.value, c.points] for c in said_then.contributions] if said_then else None
            assert (inputs["assessed"].get(name) or [None])[-1] == measured
        again = replay(Kept(*d), known)
        assert results_of(again) == d.results
        assert again.outcome == d.outcome
    assert {d.outcome for d in kept} == {"allow", "needs_approval", "deny"}
    assert versions == {(None, 2), (1, 2), (3, 2)}


async def test_an_events_id_of_another_tenant_tells_nothing(desk: Desk, other: Tenant) -> None:
    await desk.bring(stranger(2, 1), "activate")
    paid = await desk.pay(201)
    assert read("evt", paid["event_id"])
    await desk.get(f"/v1/risk/assessments/{paid['event_id']}", other.operator, 404)
