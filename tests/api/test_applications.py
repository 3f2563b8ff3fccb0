"""Applications over HTTP: the trail is kept, and they are decided once, by whom they are for, as they were seen."""

import httpx2
import psycopg
import pytest

from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant
from tests.features.lending.applying import CONSENT, Lender, lender_of, refused


@pytest.fixture
async def lender(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Lender:
    return await lender_of(database, client, tenant)


async def test_an_application_goes_from_a_draft_to_its_decision_and_keeps_its_trail(lender: Lender) -> None:
    product = await lender.product(consents=["credit_check"])
    wish = await lender.wish(product, monthly_income="3000", origins=[
        {"field": "monthly_income", "origin": "document", "document": "payslip.pdf"}
    ])  # fmt: skip
    made = await lender.ok("ann", "/applications", wish)
    assert (made["status"], made["version"], made["product_version"]) == ("draft", 1, 1)
    assert made["origins"] == [{"field": "monthly_income", "origin": "document", "document": "payslip.pdf"}]
    path = f"/applications/{made['id']}"
    detail = refused(await lender.post("ann", f"{path}/submit", {"version": 1}), 403, "consent_required")
    assert "credit_check" in detail
    same = await lender.post("ann", f"{path}/change", {"version": 1, "amount": "1200.00"})
    assert "does not say already" in refused(same, 422, "invalid_argument")
    changed = await lender.ok("ann", f"{path}/change", {"version": 1, "consents": [CONSENT], "amount": "900"})
    assert (changed["version"], changed["amount"], changed["monthly_income"]) == (2, "900.00", "3000.00")
    ready = await lender.ok("ann", f"{path}/submit", {"version": 2})
    decided = await lender.decide("ann", ready, "approved", reason="A regular income.")
    assert decided.status_code == 200, decided.text
    (decision,) = decided.json()["decisions"]
    assert (decided.json()["status"], decision["outcome"], decision["policy"]) == ("approved", "approved", "pass")
    assert (await lender.get(path))["decisions"] == [decision]
    trail = (await lender.get(f"{path}/events", "ann"))["items"]
    assert [(event["version"], event["type"], event["actor"]) for event in trail] == [
        (1, "created", "ann"), (2, "changed", "ann"), (3, "submitted", "ann"), (4, "decided", "ann"),
    ]  # fmt: skip
    assert trail[0]["facts"]["amount_minor"] == 120_000
    assert trail[1]["facts"] == {"amount_minor": 90_000, "consents": [CONSENT]}


async def test_an_application_is_decided_once(lender: Lender) -> None:
    found = await lender.submitted()
    once = new_id().hex
    first = await lender.decide("ann", found, "approved", once)
    assert first.status_code == 200
    again = await lender.decide("ann", found, "approved", once)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    refused(await lender.decide("ann", found, "approved"), 409, "state_conflict")
    refused(await lender.decide("ann", first.json(), "rejected", reason="No."), 409, "state_conflict")
    refused(await lender.decide("operator", first.json(), "rejected", reason="No."), 409, "state_conflict")


async def test_nobody_decides_a_version_that_they_have_not_seen(lender: Lender) -> None:
    found = await lender.submitted()
    await lender.ok("ann", f"/applications/{found['id']}/change", {"version": 2, "amount": "9000"})
    detail = refused(await lender.decide("ann", found, "approved"), 409, "state_conflict")
    assert "is at version 3, not 2" in detail
    stale = await lender.post("ann", f"/applications/{found['id']}/change", {"version": 2, "amount": "100"})
    refused(stale, 409, "state_conflict")


async def test_nobody_decides_what_is_withdrawn_or_a_draft(lender: Lender) -> None:
    draft = await lender.ok("ann", "/applications", await lender.wish())
    refused(await lender.decide("ann", draft, "approved"), 409, "state_conflict")
    gone = await lender.ok("ann", f"/applications/{draft['id']}/withdraw", {"version": 1, "reason": "Sold the car."})
    assert gone["status"] == "withdrawn"
    assert gone["expires_at"] is None
    refused(await lender.decide("ann", gone, "approved"), 409, "state_conflict")
    refused(await lender.decide("operator", gone, "approved"), 409, "state_conflict")


async def test_another_agents_application_is_not_there(lender: Lender, other: Tenant) -> None:
    found = await lender.submitted("ann")
    path = f"/applications/{found['id']}"
    for who in ("bob", other.agent, other.operator):
        refused(await lender.decide(who, found, "approved"), 404, "not_found")
        for verb in ("change", "submit", "withdraw"):
            body = {"version": 2, **({"amount": "200"} if verb == "change" else {})}
            refused(await lender.post(who, f"{path}/{verb}", body), 404, "not_found")
    assert (await lender.get("/applications", "bob"))["items"] == []
    assert [item["id"] for item in (await lender.get("/applications", "ann"))["items"]] == [found["id"]]


async def test_who_took_it_in_does_not_decide_what_is_another_agents_to_decide(lender: Lender) -> None:
    found = await lender.submitted("ann", decider="bob")
    refused(await lender.decide("ann", found, "approved"), 403, "not_an_approver")
    assert (await lender.decide("bob", found, "approved")).status_code == 200
    nobody = await lender.post("ann", "/applications", await lender.wish(decider="nobody"))
    refused(nobody, 422, "invalid_argument")


async def test_an_email_has_one_application_and_the_next_follows_it(lender: Lender) -> None:
    product = await lender.product()
    first = await lender.submitted("ann", product, email="Avery@example.com")
    again = await lender.wish(product, email="avery@EXAMPLE.com")
    assert first["id"] in refused(await lender.post("bob", "/applications", again), 409, "possible_duplicate")
    refused(await lender.post("ann", "/applications", {**again, "follows": first["id"]}), 409, "possible_duplicate")
    rejected = await lender.decide("ann", first, "rejected", reason="Too little income.")
    assert rejected.json()["status"] == "rejected"
    refused(await lender.post("ann", "/applications", again), 409, "possible_duplicate")
    # What another took in is not there for Bob, so he follows nothing.
    refused(await lender.post("bob", "/applications", {**again, "follows": first["id"]}), 404, "not_found")
    second = await lender.ok("ann", "/applications", {**again, "follows": first["id"]})
    assert second["follows"] == first["id"]
    refused(await lender.post("ann", "/applications", {**again, "follows": first["id"]}), 409, "possible_duplicate")
    other = await lender.wish(product, follows=second["id"])
    refused(await lender.post("ann", "/applications", other), 422, "invalid_argument")


async def test_a_product_binds_amount_term_and_currency(lender: Lender) -> None:
    product = await lender.product()
    for change in (
        {"amount": "99.99"}, {"amount": "10000.01"}, {"installments": 5}, {"installments": 61}, {"currency": "EUR"},
        {"amount": "100.001"},
    ):  # fmt: skip
        answer = await lender.post("ann", "/applications", await lender.wish(product, **change))
        refused(answer, 422, "invalid_argument")
    refused(await lender.post("ann", "/applications", await lender.wish("nothing")), 404, "not_found")
    made = await lender.ok("ann", "/applications", await lender.wish(product))
    answer = await lender.post("ann", f"/applications/{made['id']}/change", {"version": 1, "amount": "10000.01"})
    refused(answer, 422, "invalid_argument")


async def test_a_product_is_made_in_versions_and_an_application_keeps_its_own(lender: Lender) -> None:
    code = await lender.product()
    first = await lender.ok("ann", "/applications", await lender.wish(code))
    body = {
        "code": code, "account": lender.tenant.main, "currency": "USD", "min_amount": "100", "max_amount": "500",
        "min_installments": 6, "max_installments": 60, "rate_ppm": 99_000,
    }  # fmt: skip
    assert (await lender.ok("operator", "/loan-products", body))["version"] == 2
    refused(await lender.post("ann", "/applications", await lender.wish(code)), 422, "invalid_argument")
    ready = await lender.ok("ann", f"/applications/{first['id']}/submit", {"version": 1})
    assert (await lender.decide("ann", ready, "approved")).status_code == 200
    refused(await lender.post("ann", "/loan-products", body), 403, "scope_missing")
    for change in (
        {"max_amount": "99"}, {"max_installments": 5}, {"code": "quickstart"}, {"currency": "JPY"},
        {"policy": {"min_points": 5, "review_below_points": 4}},
    ):  # fmt: skip
        refused(await lender.post("operator", "/loan-products", {**body, **change}), 422, "invalid_argument")
    refused(await lender.post("operator", "/loan-products", {**body, "account": "nobody"}), 404, "unknown_account")
    versions = [(p["code"], p["version"]) for p in (await lender.get("/loan-products", "ann"))["items"]]
    assert versions == [(code, 1), (code, 2)]
    (page,) = ((await lender.get("/loan-products?limit=1", "ann"))["items"],)
    assert [item["version"] for item in page] == [1]
    assert [i["version"] for i in (await lender.get(f"/loan-products?cursor={code}.1", "ann"))["items"]] == [2]


async def test_what_is_expired_is_so_before_the_worker_has_been_there(lender: Lender, database_url: str) -> None:
    found = await lender.submitted()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE bursar.loan_application SET expires_at = now()")
    detail = refused(await lender.decide("ann", found, "approved"), 409, "state_conflict")
    assert "expired" in detail
    refused(await lender.post("ann", f"/applications/{found['id']}/withdraw", {"version": 2}), 409, "state_conflict")
