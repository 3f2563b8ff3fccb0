"""A loan from its offer to its last repayment: on the book, night by night, whoever asks and however often."""

from datetime import timedelta
from typing import Any

from bursar import worker
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import accepted, balance, book_of, borrowed, in_order, today
from tests.features.lending.test_deciding import CAPS, approve, clerk

DAY = timedelta(days=1)


async def test_an_approved_application_is_offered_accepted_paid_out_and_paid_back(
    lender: Lender, database_url: str
) -> None:
    found = await lender.submitted("ann", amount="1200.00", installments=12)
    approved = (await lender.decide("ann", found, "approved")).json()
    path = f"/applications/{found['id']}"
    offered = await lender.ok("ann", f"{path}/offer", {"version": approved["version"]})
    assert offered["loan_id"] is None
    body = {"version": offered["version"], "terms_hash": offered["offer"]["terms_hash"]}
    taken = await lender.ok("ann", f"{path}/accept", body)
    assert (taken["status"], await lender.get(path)) == ("accepted", taken)
    loan = await lender.get(f"/loans/{taken['loan_id']}", "ann")
    assert (loan["status"], loan["principal"], loan["day"]) == ("pending", "0.00", None)
    assert (loan["application_id"], loan["amount"], loan["installments"]) == (found["id"], "1200.00", 12)
    refused(await lender.post("ann", f"{path}/accept", body), 409, "state_conflict")
    ours, theirs = await balance(lender, lender.tenant.main), await balance(lender, lender.tenant.side)
    paid = await lender.ok("ann", f"/loans/{loan['id']}/disburse", {"account": lender.tenant.side})
    assert (paid["status"], paid["principal"], paid["disbursed_on"]) == ("active", "1200.00", str(today()))
    assert await balance(lender, lender.tenant.main) == ours - 120_000
    assert await balance(lender, lender.tenant.side) == theirs + 120_000
    assert await book_of(lender, paid["product"]) == {"principal": 120_000, "funding": 120_000}
    # It is paid out on the day of the offer, so its schedule is the one that was offered.
    schedule = await lender.get(f"/loans/{loan['id']}/schedule")
    assert [(row["due"], row["total"]) for row in schedule["rows"]] == [
        (row["due"], row["total"]) for row in offered["offer"]["installments"]
    ]
    refused(
        await lender.post("ann", f"/loans/{loan['id']}/disburse", {"account": lender.tenant.side}),
        409,
        "state_conflict",
    )
    back = {"account": lender.tenant.side, "amount": "1200.00"}
    settled = await lender.ok("ann", f"/loans/{loan['id']}/repay", back)
    assert (settled["status"], settled["principal"], settled["next_due"]) == ("settled", "0.00", None)
    assert await balance(lender, lender.tenant.main) == ours
    assert [fact["type"] for fact in (await lender.get(f"/loans/{loan['id']}/facts", "ann"))["items"]] == [
        "disbursed", "repaid",
    ]  # fmt: skip
    in_order(database_url)


async def test_an_installment_is_paid_when_it_is_due_and_what_comes_early_waits(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await borrowed(lender, on=today() - timedelta(days=31))
    await worker.pass_nights(workers)
    seen = await lender.get(f"/loans/{loan['id']}")
    schedule = await lender.get(f"/loans/{loan['id']}/schedule")
    first = schedule["rows"][0]
    assert (seen["day"], first["state"]) == (str(today()), "overdue" if first["due"] < str(today()) else "due")
    assert schedule["overdue"] == first["total"]
    paid = await lender.ok("ann", f"/loans/{loan['id']}/repay", {"account": lender.tenant.side, "amount": "150"})
    left = 15_000 - round(float(first["total"]) * 100)
    assert (paid["credit"], paid["bucket"]) == (f"{left / 100:.2f}", "current")
    in_order(database_url)


async def test_a_mandate_counts_what_is_paid_out_and_people_approve_what_is_above_it(
    lender: Lender, workers: Database, database_url: str
) -> None:
    key = await clerk(lender, actions=["decide_application", "disburse_loan"], **CAPS)
    loan = await accepted(lender, key, amount="1500")
    assert (await lender.post(key, f"/loans/{loan['id']}/disburse", {"account": lender.tenant.side})).is_success
    large = await accepted(lender, "operator", amount="2500", seen_by=key)
    once = new_id().hex
    body = {"account": lender.tenant.side}
    waiting = await lender.post(key, f"/loans/{large['id']}/disburse", body, once)
    assert waiting.status_code == 202, waiting.text
    approval = waiting.json()["approval_id"]
    refused(await lender.post("operator", f"/loans/{large['id']}/disburse", body), 409, "state_conflict")
    assert (await lender.get(f"/loans/{large['id']}"))["approval_id"] == approval
    await approve(lender, "olivia", approval)
    for _ in range(2):
        await worker.execute_approvals(workers)
        in_order(database_url)
        await worker.settle_loans(workers)
    seen = await lender.get(f"/loans/{large['id']}")
    assert (seen["status"], seen["principal"], seen["approval_id"]) == ("active", "2500.00", None)
    in_order(database_url)


async def test_what_people_do_not_approve_is_not_paid_out(lender: Lender, workers: Database) -> None:
    key = await clerk(lender, actions=["decide_application", "disburse_loan"], **CAPS)
    loan = await accepted(lender, "operator", amount="2500", seen_by=key)
    answer = await lender.post(key, f"/loans/{loan['id']}/disburse", {"account": lender.tenant.side})
    await lender.ok("olivia", f"/approvals/{answer.json()['approval_id']}/reject", {"reason": "No."})
    for _ in range(2):
        await worker.settle_loans(workers)
    seen = await lender.get(f"/loans/{loan['id']}")
    assert (seen["status"], seen["approval_id"]) == ("pending", None)
    assert (await lender.ok("operator", f"/loans/{loan['id']}/disburse", {"account": lender.tenant.side}))["principal"]


async def test_only_people_date_back_and_nobody_dates_ahead(lender: Lender) -> None:
    loan = await accepted(lender, "ann")
    path, body = f"/loans/{loan['id']}", {"account": lender.tenant.side}
    for on, who in ((today() - DAY, "ann"), (today() + DAY, "operator"), (today() + DAY, "ann")):
        refused(await lender.post(who, f"{path}/disburse", {**body, "on": str(on)}), 422, "invalid_argument")
    await lender.ok("operator", f"{path}/disburse", {**body, "on": str(today() - DAY)})
    repay = {**body, "amount": "5"}
    for on, who in ((today() - DAY, "ann"), (today() + DAY, "operator"), (today() - 2 * DAY, "operator")):
        refused(await lender.post(who, f"{path}/repay", {**repay, "on": str(on)}), 422, "invalid_argument")


async def test_an_agent_sees_and_pays_only_what_it_took_in_or_decided(lender: Lender) -> None:
    loan = await accepted(lender, "ann")
    body: Any = {"account": lender.tenant.side}
    refused(await lender.post("bob", f"/loans/{loan['id']}/disburse", body), 404, "not_found")
    await lender.ok("ann", f"/loans/{loan['id']}/disburse", body)
    refused(await lender.post("bob", f"/loans/{loan['id']}/repay", {**body, "amount": "5"}), 404, "not_found")
    assert (await lender.get("/loans", "bob"))["items"] == []
    assert [item["id"] for item in (await lender.get("/loans?status=active", "ann"))["items"]] == [loan["id"]]


async def test_what_belongs_to_a_loan_is_not_reversed_as_a_transfer(lender: Lender) -> None:
    loan = await borrowed(lender)
    (fact,) = (await lender.get(f"/loans/{loan['id']}/facts"))["items"]
    refused(await lender.post("operator", f"/transfers/{fact['transfer_id']}/reverse", {}), 409, "state_conflict")


async def test_a_repeated_request_is_done_once(lender: Lender) -> None:
    loan = await accepted(lender, "ann")
    once, body = new_id().hex, {"account": lender.tenant.side}
    first = await lender.post("ann", f"/loans/{loan['id']}/disburse", body, once)
    again = await lender.post("ann", f"/loans/{loan['id']}/disburse", body, once)
    assert first.is_success
    assert again.content == first.content
    assert len((await lender.get(f"/loans/{loan['id']}/facts"))["items"]) == 1
