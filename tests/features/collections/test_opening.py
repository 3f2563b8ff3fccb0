"""A late loan has one collection and one job, however many look for it at once and whatever dies in between."""

import asyncio
import random
from datetime import timedelta

import psycopg
import pytest

from bursar import worker
from bursar.features.collections import opening, store
from bursar.kernel.db import Database
from tests.features.collections.late import BY_WEBHOOK, collection_of, late_loan, night
from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import borrowed, in_order, today


class Killed(Exception):
    """The process is gone in the middle of a transaction."""


async def _scheduler(database: Database, chance: random.Random) -> None:
    """One that follows late loans and dies of it now and then."""
    async with database.transaction(read_only=True) as tx:
        found = await store.list_to_follow(tx, 100)
    for tenant_id, loan_id in found:
        try:
            async with database.transaction(tenant_id) as tx:
                await opening.follow(tx, loan_id)
                _die_by(chance)
        except Killed:
            return


def _die_by(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise Killed


async def test_three_schedulers_that_die_now_and_then_open_one_for_each_late_loan(
    lender: Lender, workers: Database, database_url: str
) -> None:
    product = await lender.product()
    late = [await borrowed(lender, today() - timedelta(days=40 + n), product=product) for n in range(6)]
    await borrowed(lender, today() - timedelta(days=5), product=product)
    await worker.pass_nights(workers)
    chance = random.Random(3)
    for _ in range(12):
        await asyncio.gather(*(_scheduler(workers, chance) for _ in range(3)))
    await asyncio.gather(*(worker.follow_late_loans(workers) for _ in range(3)))
    with psycopg.connect(database_url, options="-c search_path=bursar") as connection:
        collections = connection.execute("SELECT loan_id, count(*) FROM loan_collection GROUP BY 1").fetchall()
        jobs = connection.execute("SELECT reference, count(*) FROM job GROUP BY 1").fetchall()
        events = connection.execute("SELECT count(*) FROM event WHERE type = 'collection.opened'").fetchone()
    assert sorted(number for _, number in collections) == [1] * 6
    assert sorted(jobs) == sorted((loan["id"], 1) for loan in late)
    assert events == (6,)
    in_order(database_url)


async def test_whoever_acts_before_the_worker_opens_it_once(lender: Lender, workers: Database) -> None:
    loan = await borrowed(lender, today() - timedelta(days=45))
    await worker.pass_nights(workers)
    asked = [lender.post("operator", f"/loans/{loan['id']}/reminders", BY_WEBHOOK) for _ in range(3)]
    answers = await asyncio.gather(*asked, *(worker.follow_late_loans(workers) for _ in range(2)))
    assert [answer.status_code for answer in answers if answer] == [201] * 3
    assert len((await lender.get(f"/collections?loan={loan['id']}"))["items"]) == 1
    assert (await collection_of(lender, loan))["reminders"] == 3


async def test_a_step_is_collected_and_another_reviews(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    job = (await collection_of(lender, loan))["job_id"]
    for stage in ("contacted", "followed_up"):
        claim = await lender.ok("ann", "/jobs/claim", {"job_id": job})
        done = await lender.ok("ann", f"/jobs/{job}/complete", {"token": claim["token"]})
        assert done["stage"] == stage
    answer = await lender.post("ann", "/jobs/claim", {"job_id": job})
    assert (answer.status_code, answer.json()["code"]) == (403, "duties_separated")
    claim = await lender.ok("bob", "/jobs/claim", {"job_id": job})
    done = await lender.ok("bob", f"/jobs/{job}/complete", {"token": claim["token"], "note": "To be rescheduled."})
    assert (done["status"], done["stage"]) == ("done", "reviewed")
    await night(workers)
    found = await collection_of(lender, loan)
    assert (found["status"], found["job_id"]) == ("open", job)
    report = await lender.get(f"/jobs/{job}/report")
    assert [step["done_by_name"] for step in report["steps"]] == ["operator", "ann", "ann", "bob"]


@pytest.mark.parametrize("days", [1, 30, 31, 61, 91])
async def test_every_bucket_but_the_current_one_is_collected(lender: Lender, workers: Database, days: int) -> None:
    loan = await borrowed(lender, today() - timedelta(days=days + 31))
    await night(workers)
    found = await collection_of(lender, loan)
    assert (found["status"], found["bucket"] != "current") == ("open", True)
    assert found["days_past_due"] in range(days, days + 4)
