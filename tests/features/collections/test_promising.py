"""Promises to pay: one at a time, decided once by the night, from repayments by value date."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from bursar import worker
from bursar.features.collections.model import Promise
from bursar.features.collections.promising import paid_of
from bursar.features.lending.events import Disbursed, Event, Prepaid, Repaid, Reversed
from bursar.features.lending.loan_store import Fact
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.features.collections.late import BY_WEBHOOK, claimed, collection_of, late_loan, night
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import rich, today

MONDAY = date(2026, 3, 9)


def fact(event: Event) -> Fact:
    return Fact(event, new_id(), None, None, None, None)


@pytest.mark.parametrize(
    ("events", "paid"),
    [
        ([], 0),
        ([Repaid(MONDAY, 3, 500)], 500),
        ([Repaid(MONDAY, 3, 500), Prepaid(MONDAY + timedelta(days=3), 4, 70, "term")], 570),
        # Known before the promise was given.
        ([Repaid(MONDAY, 2, 500)], 0),
        # Its value date is before the promise, or after its day.
        ([Repaid(MONDAY - timedelta(days=1), 3, 500)], 0),
        ([Repaid(MONDAY + timedelta(days=4), 3, 500)], 0),
        ([Repaid(MONDAY, 3, 500), Repaid(MONDAY, 4, 60), Reversed(MONDAY + timedelta(days=9), 5, repayment=3)], 60),
    ],
)
def test_what_came_of_a_promise_goes_by_value_date(events: list[Event], paid: int) -> None:
    due = MONDAY + timedelta(days=3)
    now: Any = None
    made = Promise(new_id(), new_id(), 500, 2, MONDAY, due, new_id(), now, "open", None, None, None)
    facts = [fact(Disbursed(MONDAY - timedelta(days=60), 1)), *map(fact, events)]
    assert paid_of(made, facts) == paid


async def promised(lender: Lender, loan: Any, amount: str = "50.00", days: int = 3) -> Any:
    body = {"amount": amount, "due_on": str(today() + timedelta(days=days))}
    return await lender.ok("operator", f"/loans/{loan['id']}/promises", body)


def days_pass(url: str, days: int) -> None:
    """What was promised was so many days ago; the constraints of a day apart hold all along."""
    with psycopg.connect(url, options="-c search_path=bursar") as connection:
        connection.execute(
            "UPDATE loan_promise SET made_on = made_on - %s::int, due_on = due_on - %s::int", [days, days]
        )


async def repaid(lender: Lender, loan: Any, amount: str, on: date) -> None:
    await rich(lender)
    body = {"account": lender.tenant.side, "amount": amount, "on": str(on)}
    await lender.ok("operator", f"/loans/{loan['id']}/repay", body)


async def last(lender: Lender, loan: Any) -> Any:
    return (await lender.get(f"/loans/{loan['id']}/promises"))["items"][-1]


async def test_a_promise_rests_reminders_and_is_one_at_a_time(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    body = {"amount": "50.00", "due_on": str(today() + timedelta(days=3))}
    path = f"/loans/{loan['id']}/promises"
    answers = await asyncio.gather(*(lender.post("operator", path, body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
    (made,) = (await lender.get(path))["items"]
    assert (made["status"], made["paid"], (await collection_of(lender, loan))["promise"]) == ("open", None, made)
    answer = await lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
    detail = refused(answer, 409, "contact_not_allowed")
    assert f"{today() + timedelta(days=4)}T00:00:00Z" in detail
    for amount, days in (("0", 3), ("50.00", -1), ("50.00", 31), ("0.001", 3)):
        wrong = {"amount": amount, "due_on": str(today() + timedelta(days=days))}
        refused(await lender.post("operator", path, wrong), 422, "invalid_argument")
    refused(await lender.post("ann", f"/promises/{made['id']}/cancel", {"reason": "No."}), 403, "scope_missing")
    ended = await lender.ok("operator", f"/promises/{made['id']}/cancel", {"reason": "Misheard."})
    assert (ended["status"], ended["reason"], ended["paid"]) == ("cancelled", "Misheard.", "0.00")
    refused(await lender.post("operator", f"/promises/{made['id']}/cancel", {"reason": "No."}), 409, "state_conflict")
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
    await promised(lender, loan)


async def test_a_race_of_a_promise_and_a_reminder_has_one_order(lender: Lender, workers: Database) -> None:
    """Either the reminder was first, or it is refused for the promise."""
    for _ in range(4):
        loan = await late_loan(lender, workers)
        body = {"amount": "50.00", "due_on": str(today() + timedelta(days=3))}
        promise, reminder = await asyncio.gather(
            lender.post("operator", f"/loans/{loan['id']}/promises", body),
            lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK),
        )
        assert promise.status_code == 201, promise.text
        if reminder.is_success:
            assert reminder.json()["made_at"] <= promise.json()["made_at"]
        else:
            assert "promised" in refused(reminder, 409, "contact_not_allowed")


@pytest.mark.parametrize(
    ("amount", "days_ago", "status"),
    [("50.00", 2, "kept"), ("49.99", 2, "broken"), ("50.00", 0, "broken"), (None, 0, "broken")],
)
async def test_the_night_after_its_day_decides_it_once(
    lender: Lender, workers: Database, database_url: str, amount: str | None, days_ago: int, status: str
) -> None:
    loan = await late_loan(lender, workers, days=70)
    await claimed(lender, "ann", loan)
    await promised(lender, loan, days=2)
    await night(workers)
    assert (await last(lender, loan))["status"] == "open"
    # It was given four days ago and its day was the day before yesterday.
    days_pass(database_url, 4)
    if amount:
        await repaid(lender, loan, amount, today() - timedelta(days=days_ago))
    await asyncio.gather(*(worker.decide_promises(workers) for _ in range(3)))
    made = await last(lender, loan)
    assert (made["status"], made["paid"]) == (status, amount if status == "kept" or amount == "49.99" else "0.00")
    job = await lender.get(f"/jobs/{(await collection_of(lender, loan))['job_id']}")
    assert ("is broken" in (job["last_error"] or "")) == (status == "broken")
    # Whoever holds the step goes on with it.
    assert (job["status"], job["step"]["state"]) == ("active", "claimed")
    events = [event["type"] for event in (await lender.get(f"/events?object={loan['id']}"))["items"]]
    assert events.count(f"promise.{status}") == 1
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)


async def test_an_agent_takes_it_down_by_the_token_of_its_step(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    path, body = f"/loans/{loan['id']}/promises", {"amount": "50.00", "due_on": str(today() + timedelta(days=3))}
    refused(await lender.post("bob", path, body | {"token": 2}), 404, "not_found")
    refused(await lender.post("ann", path, body | {"token": 2}), 409, "lease_lost")
    token = await claimed(lender, "bob", loan)
    made = await lender.ok("bob", path, body | {"token": token})
    assert made == (await lender.get(path, "bob"))["items"][0]
    assert UUID(made["id"].partition("_")[2])
