"""Decisions within a mandate and against a product's rules; what a person must decide reaches one."""

from typing import Any

import psycopg
import pytest

from bursar import worker
from bursar.features.lending import application as model
from bursar.features.lending import application_store
from bursar.features.lending.catalog import Product
from bursar.features.lending.policy import judge
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id, read
from tests.features.lending.applying import CONSENT, Lender, refused

CAPS = {"per_transaction": [{"currency": "USD", "max": "5000", "auto_max": "2000"}]}
DAY = {"windows": [{"period": "day", "currency": "USD", "max_amount": "3000"}]}


async def clerk(lender: Lender, **terms: Any) -> str:
    """The key of a new agent that may decide within these terms."""
    name = f"clerk-{new_id().hex[-12:]}"
    await lender.ok("operator", "/agents", {"name": name})
    key: str = (await lender.ok("operator", "/keys", {"agent": name}))["key"]
    wanted = {"actions": ["decide_application"], "counterparties": {"mode": "any"}, **terms}
    mandate = await lender.ok("operator", "/mandates", {"name": name, "agent": name, "terms": wanted})
    await lender.ok("operator", f"/mandates/{mandate['id']}/activate")
    return key


async def approve(lender: Lender, who: str, approval_id: str) -> None:
    seen = await lender.get(f"/approvals/{approval_id}")
    await lender.ok(who, f"/approvals/{approval_id}/approve", {"payload_hash": seen["payload_hash"]})


async def test_a_mandate_counts_what_is_approved_and_only_that(lender: Lender) -> None:
    key = await clerk(lender, **DAY)
    found = [await lender.submitted(key, amount="1500") for _ in range(5)]
    assert (await lender.decide(key, found[0], "rejected", reason="No income.")).status_code == 200
    assert (await lender.decide(key, found[1], "review", reason="Unclear.")).status_code == 200
    for each in found[2:4]:
        assert (await lender.decide(key, each, "approved")).status_code == 200
    detail = refused(await lender.decide(key, found[4], "approved"), 409, "limit_exceeded")
    assert "0.00 of 3000.00 USD left" in detail
    assert await lender.status(found[4]) == "submitted"
    # To say no takes no limit.
    assert (await lender.decide(key, found[4], "rejected", reason="No income.")).status_code == 200


async def test_what_the_mandate_does_not_cover_is_refused_whatever_is_decided(lender: Lender) -> None:
    paying = await clerk(lender, actions=["create_transfer"])
    elsewhere = await clerk(lender, accounts=[lender.tenant.side])
    for key in (paying, elsewhere):
        found = await lender.submitted(key)
        for decision in ("approved", "rejected", "review"):
            answer = await lender.decide(key, found, decision, reason="A reason.")
            refused(answer, 403, "mandate_missing")
        assert await lender.status(found) == "submitted"
        assert (await lender.get(f"/applications/{found['id']}"))["decisions"] == []


async def test_above_what_an_agent_decides_alone_a_person_approves(lender: Lender, workers: Database) -> None:
    key = await clerk(lender, **CAPS)
    found = await lender.submitted(key, amount="2500")
    once = new_id().hex
    waiting = await lender.decide(key, found, "approved", once, reason="A regular income.")
    assert waiting.status_code == 202, waiting.text
    assert (await lender.decide(key, found, "approved", once, reason="A regular income.")).content == waiting.content
    seen = await lender.get(f"/applications/{found['id']}")
    assert (seen["status"], seen["approval_id"]) == ("review", waiting.json()["approval_id"])
    # Nobody passes by those who were asked, and nothing changes meanwhile.
    refused(await lender.decide("operator", seen, "approved"), 409, "state_conflict")
    change = await lender.post(key, f"/applications/{found['id']}/change", {"version": 3, "amount": "200"})
    refused(change, 409, "state_conflict")
    await approve(lender, "olivia", seen["approval_id"])
    for _ in range(2):
        await worker.execute_approvals(workers)
        await worker.settle_applications(workers)
    assert await lender.status(found) == "approved"
    too_much = await lender.submitted(key, amount="5001")
    refused(await lender.decide(key, too_much, "approved"), 409, "limit_exceeded")


async def test_what_people_do_not_approve_is_theirs_to_decide(lender: Lender, workers: Database) -> None:
    key = await clerk(lender, **CAPS)
    found = await lender.submitted(key, amount="2500")
    waiting = (await lender.decide(key, found, "approved")).json()["approval_id"]
    await lender.ok("olivia", f"/approvals/{waiting}/reject", {"reason": "The payslip is forged."})
    for _ in range(2):
        await worker.settle_applications(workers)
    seen = await lender.get(f"/applications/{found['id']}")
    assert (seen["status"], seen["approval_id"]) == ("review", None)
    case = await lender.get(f"/cases/{seen['case_id']}")
    assert (case["kind"], case["state"], case["subject"]) == (
        "loan_review", "open", {"kind": "application", "id": found["id"]},
    )  # fmt: skip
    refused(await lender.decide(key, seen, "approved"), 403, "not_an_approver")
    decided = await lender.decide("olivia", seen, "rejected", reason="The payslip is forged.")
    assert decided.json()["status"] == "rejected"
    assert (await lender.get(f"/cases/{seen['case_id']}"))["state"] == "resolved"


async def test_what_is_withdrawn_while_people_are_asked_is_decided_by_nobody(lender: Lender, workers: Database) -> None:
    key = await clerk(lender, **CAPS, **DAY)
    found = await lender.submitted(key, amount="2500")
    waiting = (await lender.decide(key, found, "approved")).json()["approval_id"]
    await lender.ok(key, f"/applications/{found['id']}/withdraw", {"version": 3})
    seen = await lender.get(f"/approvals/{waiting}")
    assert (seen["status"], seen["ended_why"]) == ("superseded", "The application was withdrawn.")
    answer = await lender.post("olivia", f"/approvals/{waiting}/approve", {"payload_hash": seen["payload_hash"]})
    refused(answer, 409, "state_conflict")
    await worker.settle_applications(workers)
    assert await lender.status(found) == "withdrawn"
    # What it had set aside of the day's limit is back.
    again = await lender.submitted(key, amount="2000")
    assert (await lender.decide(key, again, "approved")).status_code == 200


async def test_a_review_reaches_a_person_who_alone_decides_it(lender: Lender) -> None:
    found = await lender.submitted("ann")
    sent = (await lender.decide("ann", found, "review", reason="Two incomes.")).json()
    (case,) = (await lender.get("/cases?kind=loan_review"))["items"]
    assert (case["id"], case["subject"]["id"]) == (sent["case_id"], found["id"])
    for decision in ("approved", "rejected", "review"):
        answer = await lender.decide("ann", sent, decision, reason="I know better.")
        assert answer.json()["code"] in ("not_an_approver", "state_conflict")
    refused(await lender.decide("ann", sent, "approved"), 403, "not_an_approver")
    decided = (await lender.decide("olivia", sent, "approved", reason="Both incomes are there.")).json()
    assert [d["outcome"] for d in decided["decisions"]] == ["review", "approved"]
    assert (await lender.get(f"/cases/{case['id']}"))["state"] == "resolved"


async def test_no_agent_approves_what_the_product_refuses_but_a_person_may_who_says_why(lender: Lender) -> None:
    product = await lender.product(policy={"max_debt_service_percent": 40})
    poor = {"monthly_income": "1000", "monthly_debt_service": "301"}
    found = await lender.submitted("ann", product, **poor)
    detail = refused(await lender.decide("ann", found, "approved", reason="Trust me."), 403, "policy_refused")
    assert "would take 41% of the income; 40% may be taken" in detail
    assert await lender.status(found) == "submitted"
    # Nor does the operator who took an application in.
    own = await lender.submitted("olivia", product, **poor)
    refused(await lender.decide("olivia", own, "approved", reason="A friend."), 403, "policy_refused")
    refused(await lender.decide("operator", own, "approved"), 422, "invalid_argument")
    assert (await lender.decide("operator", own, "approved", reason="He inherits.")).status_code == 200
    rejected = (await lender.decide("ann", found, "rejected")).json()
    (decision,) = rejected["decisions"]
    assert (decision["policy"], decision["reason"]) == ("reject", None)
    assert decision["reasons"][0]["fact"].startswith("Debt service would take 41%")


async def test_where_an_application_stands_is_told_before_any_limit_is_asked(lender: Lender) -> None:
    key = await clerk(lender, **CAPS)
    found = await lender.submitted(key, amount="6000")
    gone = await lender.ok(key, f"/applications/{found['id']}/withdraw", {"version": 2})
    detail = refused(await lender.decide(key, gone, "approved"), 409, "state_conflict")
    assert detail.startswith("The application is withdrawn.")


@pytest.mark.parametrize("status", sorted(model.OVER))
async def test_people_are_asked_of_nothing_that_is_over(lender: Lender, workers: Database, status: str) -> None:
    made = await lender.submitted()
    async with workers.transaction(lender.tenant.id) as tx:
        found = await application_store.find_application(tx, read("app", made["id"]) or new_id())
    assert found
    over = found._replace(status=status)
    for outcome in ("approved", "rejected", "review", "accepted"):
        with pytest.raises(model.ApplicationConflict):
            model.awaiting(over, new_id(), outcome, found.created_at)


async def test_a_consent_that_was_taken_back_stops_the_decision(lender: Lender) -> None:
    found = await lender.submitted("ann", await lender.product(consents=["credit_check"]), consents=[CONSENT])
    changed = await lender.ok("ann", f"/applications/{found['id']}/change", {"version": 2, "consents": []})
    for who in ("ann", "operator"):
        refused(await lender.decide(who, changed, "approved", reason="She will."), 403, "consent_required")
    assert await lender.status(found) == "submitted"


async def test_a_rejection_has_a_reason(lender: Lender) -> None:
    found = await lender.submitted("ann")
    refused(await lender.decide("ann", found, "rejected"), 422, "invalid_argument")
    assert await lender.status(found) == "submitted"


async def test_a_decision_can_be_made_again_from_what_is_kept_of_it(lender: Lender, database_url: str) -> None:
    product = await lender.product(policy={"max_debt_service_percent": 40, "min_points": 500})
    for facts in (
        {}, {"monthly_income": "1000", "monthly_debt_service": "0"},
        {"monthly_income": "1000", "monthly_debt_service": "900"},
    ):  # fmt: skip
        found = await lender.submitted("ann", product, **facts)
        assert (await lender.decide("ann", found, "rejected", reason="No.")).status_code == 200
    with psycopg.connect(database_url, options="-c search_path=bursar") as connection:
        rows = connection.execute(
            """SELECT d.inputs, d.judgement, d.inputs_hash = sha256(convert_to(d.inputs, 'UTF8')), p.terms
               FROM loan_decision d JOIN loan_application a ON a.id = d.application_id
               JOIN loan_product p ON (p.code, p.version) = (a.product, a.product_version) ORDER BY d.id"""
        ).fetchall()
    assert len(rows) == 3
    for inputs, judgement, hashed, terms in rows:
        assert hashed
        assert judge(Product("p", 1, terms).facts, inputs).text == judgement


async def test_time_runs_out_and_what_waits_goes_with_it(lender: Lender, workers: Database, database_url: str) -> None:
    key = await clerk(lender, **CAPS)
    found = [await lender.submitted(key, amount="2500") for _ in range(2)]
    waiting = (await lender.decide(key, found[0], "approved")).json()["approval_id"]
    sent = (await lender.decide("olivia", found[1], "review", reason="Unclear.")).json()
    await worker.expire_applications(workers)
    assert [await lender.status(each) for each in found] == ["review", "review"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE bursar.loan_application SET expires_at = now()")
    for _ in range(2):
        await worker.expire_applications(workers)
    assert [await lender.status(each) for each in found] == ["expired", "expired"]
    assert (await lender.get(f"/approvals/{waiting}"))["status"] == "superseded"
    assert (await lender.get(f"/cases/{sent['case_id']}"))["state"] == "resolved"
    trail = (await lender.get(f"/applications/{found[1]['id']}/events"))["items"]
    assert (trail[-1]["type"], trail[-1]["actor"]) == ("expired", None)
