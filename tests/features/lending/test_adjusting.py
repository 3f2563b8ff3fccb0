"""What people do to a loan: forgive, stretch, give up, stop its clock, take a repayment back; and what comes late."""

from datetime import timedelta
from typing import Any

import pytest

from bursar import worker
from bursar.kernel.db import Database
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import accepted, balance, borrowed, in_order, rich, today

WHY = {"reason": "Agreed on the phone."}


def ago(days: int) -> str:
    """A day in the past, as the wire shows it."""
    return str(today() - timedelta(days=days))


async def late(lender: Lender, workers: Database, days: int = 100) -> Any:
    """A loan of 1,200 dollars in 12 installments of which three are overdue, and a borrower who could pay."""
    loan = await borrowed(lender, today() - timedelta(days=days))
    await rich(lender)
    await worker.pass_nights(workers)
    return await lender.get(f"/loans/{loan['id']}")


async def repaid(lender: Lender, loan: Any, amount: str, who: str = "ann", **more: Any) -> Any:
    """The loan after a repayment."""
    body = {"account": lender.tenant.side, "amount": amount, **more}
    return await lender.ok(who, f"/loans/{loan['id']}/repay", body)


async def adjusted(lender: Lender, loan: Any, verb: str, **more: Any) -> Any:
    """The loan after an adjustment by an operator."""
    return await lender.ok("operator", f"/loans/{loan['id']}/{verb}", {**WHY, **more})


async def test_a_repayment_that_comes_late_counts_from_its_day_and_the_old_state_is_kept(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late(lender, workers)
    assert loan["bucket"] == "61-90"
    after = await repaid(lender, loan, "600", "operator", on=ago(95))
    assert (after["bucket"], after["status"]) == ("current", "active")
    facts = (await lender.get(f"/loans/{loan['id']}/facts"))["items"]
    assert [(fact["type"], fact["on"], fact["remade"]) for fact in facts] == [
        ("disbursed", ago(100), False), ("repaid", ago(95), True),
    ]  # fmt: skip
    in_order(database_url)


async def test_a_repayment_is_taken_back_once_with_its_money(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late(lender, workers)
    ours = await balance(lender, lender.tenant.main)
    await repaid(lender, loan, "300")
    path, body = f"/loans/{loan['id']}/reverse", {**WHY, "repayment": 2}
    after = await lender.ok("operator", path, body)
    assert await balance(lender, lender.tenant.main) == ours
    assert {**after, "facts": 1} == loan
    refused(await lender.post("operator", path, body), 409, "state_conflict")
    for nothing in (1, 3, 9):
        refused(await lender.post("operator", path, {**WHY, "repayment": nothing}), 404, "not_found")
    refused(await lender.post("ann", path, body), 403, "scope_missing")
    in_order(database_url)


async def test_a_prepayment_makes_the_loan_shorter_or_its_installments_smaller(
    lender: Lender, database_url: str
) -> None:
    shorter, smaller = await borrowed(lender), await borrowed(lender)
    await rich(lender)
    plans: dict[str, Any] = {}
    for loan, keeps in ((shorter, "installment"), (smaller, "term")):
        await repaid(lender, loan, "600", keeps=keeps)
        plans[keeps] = (await lender.get(f"/loans/{loan['id']}/schedule"))["rows"]
    assert len(plans["installment"]) < len(plans["term"]) == 12
    assert float(plans["term"][0]["total"]) < float(plans["installment"][0]["total"])
    in_order(database_url)


async def test_interest_is_waived_as_far_as_it_is_due(lender: Lender, workers: Database, database_url: str) -> None:
    loan = await late(lender, workers)
    before = await lender.get(f"/loans/{loan['id']}/schedule")
    due = sum(float(row["interest"]) for row in before["rows"] if row["state"] == "overdue")
    after = await adjusted(lender, loan, "waive", part="interest", amount="500")
    assert float(loan["interest"]) - float(after["interest"]) == pytest.approx(due)
    again = await lender.post("operator", f"/loans/{loan['id']}/waive", {**WHY, "part": "interest", "amount": "500"})
    assert "nothing that this would change" in refused(again, 409, "state_conflict")
    in_order(database_url)


async def test_what_is_owed_is_spread_anew(lender: Lender, workers: Database, database_url: str) -> None:
    loan = await late(lender, workers)
    after = await adjusted(lender, loan, "reschedule", installments=24, rate_ppm=50_000, first_due=ago(-40))
    assert (after["principal"], after["next_due"]) == (loan["principal"], ago(-40))
    rows = (await lender.get(f"/loans/{loan['id']}/schedule"))["rows"]
    assert len([row for row in rows if row["state"] == "planned"]) == 24
    for change in ({"installments": 601}, {"installments": 24, "first_due": ago(0)}):
        answer = await lender.post("operator", f"/loans/{loan['id']}/reschedule", {**WHY, **change})
        refused(answer, 422, "invalid_argument")
    in_order(database_url)


async def test_a_pause_stops_the_clock_until_it_is_resumed(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late(lender, workers)
    paused = await adjusted(lender, loan, "pause", on=ago(60))
    assert (loan["bucket"], paused["bucket"]) == ("61-90", "1-30")
    refused(await lender.post("operator", f"/loans/{loan['id']}/pause", WHY), 409, "state_conflict")
    resumed = await adjusted(lender, loan, "resume", on=ago(20))
    assert resumed["bucket"] == "1-30"
    refused(await lender.post("operator", f"/loans/{loan['id']}/resume", WHY), 409, "state_conflict")
    in_order(database_url)


async def test_what_is_charged_off_can_be_recovered_and_what_is_written_off_is_given_up(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late(lender, workers)
    off = await adjusted(lender, loan, "charge-off")
    assert (off["status"], off["principal"], off["interest"]) == ("charged_off", "0.00", "0.00")
    assert (await repaid(lender, loan, "100"))["status"] == "charged_off"
    given_up = await adjusted(lender, loan, "write-off")
    assert given_up["status"] == "written_off"
    refused(await lender.post("operator", f"/loans/{loan['id']}/write-off", WHY), 409, "state_conflict")
    in_order(database_url)


async def test_credit_goes_back_and_no_more_than_there_is(lender: Lender, database_url: str) -> None:
    loan = await borrowed(lender)
    await rich(lender)
    assert (await repaid(lender, loan, "1250"))["credit"] == "50.00"
    path, body = f"/loans/{loan['id']}/return", {**WHY, "account": lender.tenant.side}
    refused(await lender.post("operator", path, {**body, "amount": "50.01"}), 409, "state_conflict")
    assert (await lender.ok("operator", path, {**body, "amount": "50"}))["credit"] == "0.00"
    in_order(database_url)


async def test_nothing_is_adjusted_before_the_loan_is_paid_out_nor_by_an_agent(lender: Lender) -> None:
    loan = await accepted(lender, "ann")
    bodies: dict[str, Any] = {
        "waive": {"part": "fee", "amount": "5"}, "reschedule": {"installments": 9}, "charge-off": {}, "write-off": {},
        "pause": {}, "resume": {},
    }  # fmt: skip
    for verb, body in bodies.items():
        path = f"/loans/{loan['id']}/{verb}"
        refused(await lender.post("operator", path, {**WHY, **body}), 409, "state_conflict")
        refused(await lender.post("ann", path, {**WHY, **body}), 403, "scope_missing")
