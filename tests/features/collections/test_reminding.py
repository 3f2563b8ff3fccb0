"""Who may remind, how often at once, and in which words."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import psycopg
import pytest

from bursar.core.identity.model import Actor
from bursar.features.collections import reminding
from bursar.features.collections.reminding import Wanted
from bursar.features.jobs.model import LeaseLost
from bursar.kernel.db import Database
from bursar.kernel.ids import read
from tests.features.collections.late import ANY_TIME, BY_WEBHOOK, claimed, collection_of, late_loan, night, paid_up
from tests.features.lending.applying import Lender, refused


async def test_of_many_at_once_no_more_go_out_than_the_rules_allow(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late_loan(lender, workers)
    path = f"/loans/{loan['id']}/reminders"
    answers = await asyncio.gather(*(lender.post("operator", path, BY_WEBHOOK) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 9
    details = {refused(answer, 409, "contact_not_allowed") for answer in answers if not answer.is_success}
    assert len(details) == 1
    with psycopg.connect(database_url) as connection:
        kept = connection.execute("SELECT count(*), count(DISTINCT id) FROM bursar.loan_reminder").fetchone()
    assert kept == (3, 3)


async def test_the_same_key_reminds_once(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    path = f"/loans/{loan['id']}/reminders"
    answers = await asyncio.gather(*(lender.post("operator", path, BY_WEBHOOK, "the-same") for _ in range(4)))
    ids = {answer.json()["id"] for answer in answers if answer.is_success}
    assert len(ids) == 1
    assert (await lender.post("operator", path, BY_WEBHOOK, "the-same")).json()["id"] in ids
    assert len((await lender.get(path))["items"]) == 1
    other = await lender.post("operator", path, BY_WEBHOOK | {"template": "final_notice"}, "the-same")
    refused(other, 422, "idempotency_conflict")


async def test_only_who_holds_the_step_reminds_and_only_by_its_token(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    path = f"/loans/{loan['id']}/reminders"
    # Bob neither took it in nor decided it, so it is not there for him; Ann did.
    refused(await lender.post("bob", path, BY_WEBHOOK | {"token": 2}), 404, "not_found")
    refused(await lender.post("ann", path, BY_WEBHOOK), 422, "invalid_argument")
    refused(await lender.post("ann", path, BY_WEBHOOK | {"token": 1}), 409, "lease_lost")
    assert (await lender.client.get(f"/v1{path}", headers=_of(lender, "bob"))).status_code == 404
    token = await claimed(lender, "bob", loan)
    refused(await lender.post("bob", path, BY_WEBHOOK), 422, "invalid_argument")
    refused(await lender.post("bob", path, BY_WEBHOOK | {"token": token + 1}), 409, "lease_lost")
    refused(await lender.post("ann", path, BY_WEBHOOK | {"token": token}), 409, "lease_lost")
    await lender.ok("bob", path, BY_WEBHOOK | {"token": token})
    job = (await collection_of(lender, loan))["job_id"]
    assert [each["id"] for each in (await lender.get("/collections", "bob"))["items"]] != []
    handed = await lender.post("bob", f"/jobs/{job}/hand-over", {"token": token, "to": "ann"})
    assert handed.is_success, handed.text
    assert (await lender.get("/collections", "bob"))["items"] == []
    refused(await lender.post("bob", path, BY_WEBHOOK | {"token": token}), 404, "not_found")
    await lender.ok("ann", path, BY_WEBHOOK | {"token": await claimed(lender, "ann", loan)})


def _of(lender: Lender, who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {lender.keys[who]}"}


async def test_a_worker_whose_step_goes_to_another_meanwhile_reminds_nobody(
    lender: Lender, workers: Database, database: Database
) -> None:
    loan = await late_loan(lender, workers)
    job, token = (await collection_of(lender, loan))["job_id"], await claimed(lender, "bob", loan)
    holder = read("prn", (await lender.get(f"/jobs/{job}"))["step"]["holder"])
    assert holder
    bob = Actor(lender.tenant.id, holder, "agent", "bob", None, frozenset())
    wanted = Wanted(read("loan", loan["id"]), "payment_overdue", "webhook", token)

    async def slowly() -> None:
        async with database.transaction(lender.tenant.id) as tx:
            found = await reminding.ready(tx, bob, wanted)
            await lender.ok("bob", f"/jobs/{job}/hand-over", {"token": token, "to": "ann"})
            await reminding.keep(tx, bob, found, token, "")

    with pytest.raises(LeaseLost):
        await slowly()
    assert (await lender.get(f"/loans/{loan['id']}/reminders"))["items"] == []


async def test_an_agent_neither_gives_a_collection_up_nor_ends_it_by_failing(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    job, token = (await collection_of(lender, loan))["job_id"], await claimed(lender, "ann", loan)
    answer = await lender.post("ann", f"/jobs/{job}/cancel", {"reason": "No."})
    assert "Bursar ends this job itself" in refused(answer, 409, "state_conflict")
    wrong = {"token": token, "reason": "No.", "retry": False}
    refused(await lender.post("ann", f"/jobs/{job}/fail", wrong), 409, "state_conflict")
    await lender.ok("ann", f"/jobs/{job}/fail", wrong | {"retry": True})
    made = {"definition": "collection", "amount": "1", "currency": "USD", "shares": [
        {"source": lender.tenant.main, "target": lender.tenant.side}]}  # fmt: skip
    refused(await lender.post("operator", "/jobs", made), 422, "invalid_argument")
    await lender.ok("operator", f"/jobs/{job}/cancel", {"reason": "By hand."})
    await night(workers)
    assert (await lender.get(f"/jobs/{job}"))["status"] == "canceled"
    # It stays with the loan, and no second one is opened.
    assert (await collection_of(lender, loan))["status"] == "open"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"actions": ["repay_loan"]}, "mandate_missing"),
        ({"actions": ["create_reminder"], "accounts": ["elsewhere"]}, "mandate_missing"),
        ({"actions": ["create_reminder"], "approvals": [{"when": {"rails": ["book"]}}]}, "mandate_missing"),
        ({"actions": ["create_reminder"]}, None),
    ],
)
async def test_a_mandate_must_cover_it_and_one_that_asks_a_person_does_not(
    lender: Lender, workers: Database, terms: dict[str, Any], code: str | None
) -> None:
    loan = await late_loan(lender, workers)
    await lender.ok("operator", "/agents", {"name": "carla"})
    lender.keys["carla"] = (await lender.ok("operator", "/keys", {"agent": "carla"}))["key"]
    draft = {"name": "of-carla", "agent": "carla", "terms": {"purpose": "Collections", **terms}}
    made = await lender.ok("operator", "/mandates", draft)
    await lender.ok("operator", f"/mandates/{made['id']}/activate", {})
    asked = BY_WEBHOOK | {"token": await claimed(lender, "carla", loan)}
    answer = await lender.post("carla", f"/loans/{loan['id']}/reminders", asked)
    if code:
        refused(answer, 403, code)
    else:
        assert answer.status_code == 201, answer.text
    assert len((await lender.get(f"/loans/{loan['id']}/reminders"))["items"]) == (code is None)


async def test_words_are_the_latest_version_of_a_template_with_facts_of_the_loan(
    lender: Lender, workers: Database
) -> None:
    loan = await late_loan(lender, workers, applicant_name="Robert $due_date", purpose="$currency")
    words = {"name": "payment_overdue", "subject": "$$ $amount_due", "text": "${days_past_due} days, $due_date: $loan."}
    assert (await lender.ok("operator", "/reminder-templates", words))["version"] == 1
    found = await collection_of(lender, loan)
    made = await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
    (due,) = {row["due"] for row in (await lender.get(f"/loans/{loan['id']}/schedule"))["rows"][:1]}
    assert (made["subject"], made["template_version"]) == (f"$ {found['overdue']}", 1)
    assert made["text"] == f"{found['days_past_due']} days, {due}: {loan['id']}."
    assert made["text_hash"] == sha256(f"{made['subject']}\n{made['text']}".encode()).hexdigest()
    for bad in ("$email is late", "$", "${amount_due", "$amount_due $Loan"):
        refused(await lender.post("operator", "/reminder-templates", words | {"text": bad}), 422, "invalid_argument")
    refused(await lender.post("operator", "/reminder-templates", words | {"subject": "a\nb"}), 422, "invalid_argument")
    unknown = await lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK | {"template": "nothing"})
    refused(unknown, 404, "not_found")


async def test_hours_count_where_the_borrower_is_and_rules_of_a_product_before_those_of_all(
    lender: Lender, workers: Database
) -> None:
    hour = datetime.now(UTC).hour
    # Open half the day, and closed now in UTC; half a day away it is open.
    start = (hour + 6) % 12
    product = await lender.product()
    closed = {"start": f"{start:02}:00", "end": f"{start + 12:02}:00"}
    is_open = start <= hour < start + 12
    far = f"Etc/GMT{'+' if hour >= 12 else '-'}12"
    zones = {"here": None, "there": far}
    await lender.ok("operator", "/contact-rules", ANY_TIME | closed | {"product": product})
    for name, zone in zones.items():
        loan = await late_loan(lender, workers, product=product, time_zone=zone)
        answer = await lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK)
        if is_open == (name == "here"):
            assert answer.json()["rules"] == product, answer.text
        else:
            assert (zone or "UTC") in refused(answer, 409, "contact_not_allowed")
    elsewhere = await late_loan(lender, workers)
    assert (await lender.ok("operator", f"/loans/{elsewhere['id']}/reminders", BY_WEBHOOK))["rules"] == "*"


@pytest.mark.parametrize("verb", ["pause", "charge-off", "write-off", "paid"])
async def test_what_ends_it_closes_its_job_and_nobody_is_reminded(lender: Lender, workers: Database, verb: str) -> None:
    loan = await late_loan(lender, workers)
    token = await claimed(lender, "ann", loan)
    if verb == "paid":
        await paid_up(lender, loan)
    else:
        await lender.ok("operator", f"/loans/{loan['id']}/{verb}", {"reason": "A reason."})
    # The worker has not been there yet.
    answer = await lender.post("ann", f"/loans/{loan['id']}/reminders", BY_WEBHOOK | {"token": token})
    refused(answer, 409, "state_conflict")
    await night(workers)
    found = await collection_of(lender, loan)
    assert found["status"] == {"pause": "paused", "charge-off": "charged_off", "write-off": "written_off"}.get(
        verb, verb
    )
    assert (await lender.get(f"/jobs/{found['job_id']}"))["status"] == "canceled"
    if verb == "pause":
        await lender.ok("operator", f"/loans/{loan['id']}/resume", {"reason": "A reason."})
        await night(workers)
        again = await collection_of(lender, loan)
        assert (again["status"], again["job_id"] != found["job_id"]) == ("open", True)
