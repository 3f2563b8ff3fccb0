"""A loan is late: its job is claimed and the borrower reminded; when it is paid the job ends."""

from bursar import worker
from bursar.kernel.db import Database
from tests.features.collections.late import BY_WEBHOOK, claimed, collection_of, late_loan, night, paid_up
from tests.features.lending.applying import Lender, refused
from tests.others import others_are_over


async def test_from_a_late_loan_to_a_reminder_and_to_its_end(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    found = await collection_of(lender, loan)
    assert (found["status"], found["bucket"], found["reminders"], found["promise"]) == ("open", "31-60", 0, None)
    job = await lender.get(f"/jobs/{found['job_id']}")
    assert (job["definition"], job["stage"], job["step"]["role"]) == ("collection", "opened", "collect")
    assert (job["reference"], job["amount"], job["shares"]) == (loan["id"], None, [])

    claim = await lender.ok("bob", "/jobs/claim", {"roles": ["collect"]})
    assert claim["job"]["id"] == found["job_id"]
    asked = BY_WEBHOOK | {"token": claim["token"]}
    made = await lender.ok("bob", f"/loans/{loan['id']}/reminders", asked)
    assert found["overdue"] in made["subject"]
    assert loan["id"] in made["text"]
    assert (made["template"], made["template_version"], made["channel"]) == ("payment_overdue", 0, "webhook")
    assert (made["to"], made["mail"]) == (None, None)
    assert (await lender.get(f"/loans/{loan['id']}/reminders"))["items"] == [made]
    events = (await lender.get(f"/events?object={loan['id']}&action=create_reminder"))["items"]
    assert [event["type"] for event in events] == ["loan.reminder"]
    assert events[0]["payload"]["body"] == made["text"]

    done = await lender.ok("bob", f"/jobs/{found['job_id']}/complete", {"token": claim["token"], "note": "Reminded."})
    assert (done["stage"], done["step"]["name"]) == ("contacted", "follow_up")
    held = await claimed(lender, "bob", loan)
    await paid_up(lender, loan)
    await night(workers)
    ended = await collection_of(lender, loan)
    assert (ended["status"], ended["overdue"], ended["reminders"]) == ("paid", "0.00", 1)
    job = await lender.get(f"/jobs/{found['job_id']}")
    assert (job["status"], job["last_error"]) == ("canceled", "Nothing of the loan is overdue.")
    answer = await lender.post("bob", f"/loans/{loan['id']}/reminders", BY_WEBHOOK | {"token": held})
    refused(answer, 404, "not_found")


async def test_a_loan_that_is_paid_in_time_has_none(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers, days=-20)
    assert (await lender.get(f"/collections?loan={loan['id']}"))["items"] == []
    answer = await lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
    assert "Nothing of the loan is overdue." in refused(answer, 409, "state_conflict")


async def test_a_reminder_goes_out_to_the_webhooks_that_ask_for_it(lender: Lender, workers: Database) -> None:
    wanted = {"url": "https://example.com/reminders", "events": ["loan.reminder"]}
    await lender.ok("operator", "/webhook-endpoints", wanted)
    loan = await late_loan(lender, workers)
    made = await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
    await others_are_over(workers)
    await worker.follow_events(workers)
    (delivery,) = (await lender.get("/webhook-deliveries"))["items"]
    assert (delivery["event_id"], delivery["event_type"]) == (made["event_id"], "loan.reminder")
