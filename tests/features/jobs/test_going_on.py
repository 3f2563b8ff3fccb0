"""What happens to jobs by themselves: leases run out, steps take too long, people decide, what failed is undone."""

from collections.abc import Awaitable, Callable

import httpx2
import psycopg

from bursar import worker
from bursar.kernel.db import Database
from tests.api.tenants import bearing
from tests.crews import Crew

Task = Callable[[Database], Awaitable[None]]


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, options="-c search_path=bursar") as connection:
        assert connection.execute(statement.encode()).rowcount


async def test_a_lease_that_is_over_frees_its_step_and_the_frozen_worker_does_nothing(
    crew: Crew, workers: Database, database_url: str
) -> None:
    job = await crew.until("checked")
    frozen = await crew.claim("ann", job)
    change(database_url, "UPDATE job SET lease_until = clock_timestamp()")
    await worker.time_out_jobs(workers)
    assert (await crew.get(f"/{job}"))["step"]["state"] == "ready"
    token = await crew.claim("cat", job)
    late = await crew.post("ann", f"/{job}/complete", {"token": frozen})
    assert (late.status_code, late.json()["code"]) == (409, "lease_lost")
    # Its order was not carried out either.
    assert await crew.available(crew.tenant.main) == "1000000.00"
    await crew.ok("cat", f"/{job}/complete", {"token": token})
    assert await crew.available(crew.tenant.main) == "999990.00"


async def test_a_lease_that_is_over_is_claimed_without_the_worker_and_until_then_still_counts(
    crew: Crew, database_url: str
) -> None:
    job = await crew.until("priced")
    token = await crew.claim("bob", job)
    change(database_url, "UPDATE job SET lease_until = clock_timestamp()")
    await crew.ok("bob", f"/{job}/complete", {"token": token})
    token = await crew.claim("ann", job)
    change(database_url, "UPDATE job SET lease_until = clock_timestamp()")
    assert await crew.claim("cat", job) > token


async def test_a_step_that_took_too_long_gives_the_job_up_and_its_funds_back(
    crew: Crew, workers: Database, database_url: str
) -> None:
    job = await crew.until("reserved")
    assert await crew.available(crew.tenant.main) == "999990.00"
    change(database_url, "UPDATE job SET deadline_at = clock_timestamp()")
    assert (await crew.ok("ann", "/claim"))["job"] is None
    await worker.time_out_jobs(workers)
    await worker.compensate_jobs(workers)
    found = await crew.get(f"/{job}")
    assert (found["status"], found["step"], found["shares"][0]["state"]) == ("failed", None, "released")
    assert "too long" in found["last_error"]
    assert await crew.available(crew.tenant.main) == "1000000.00"


async def test_what_an_operator_cancels_is_taken_back_the_last_first(crew: Crew, workers: Database) -> None:
    job = await crew.until("charged")
    await crew.ok("operator", f"/{job}/cancel", {"reason": "Sent to the wrong shop."})
    await worker.compensate_jobs(workers)
    report = await crew.get(f"/{job}/report")
    assert (report["job"]["status"], report["captured"], report["reversed"]) == ("canceled", "10.00", "10.00")
    assert [event["step"] for event in report["events"] if event["type"] == "compensated"] == ["charge"]
    assert (await crew.available(crew.tenant.main), await crew.available(crew.tenant.side)) == ("1000000.00", "0.00")


async def test_what_cannot_be_taken_back_yet_is_tried_again(crew: Crew, workers: Database, database_url: str) -> None:
    tenant = crew.tenant
    job = await crew.until("charged")
    away = {"source": tenant.side, "target": tenant.main, "amount": "10.00", "currency": "USD"}
    spent = await crew.client.post("/v1/transfers", json=away, headers=bearing(crew.keys["operator"]))
    assert spent.status_code == 201
    await crew.ok("operator", f"/{job}/cancel", {"reason": "Sent to the wrong shop."})
    await worker.compensate_jobs(workers)
    found = await crew.get(f"/{job}")
    assert (found["status"], found["shares"][0]["state"]) == ("compensating", "captured")
    assert "0.00 USD available" in found["last_error"]
    back = {**away, "source": tenant.main, "target": tenant.side}
    await crew.client.post("/v1/transfers", json=back, headers=bearing(crew.keys["operator"]))
    await worker.compensate_jobs(workers)
    assert (await crew.get(f"/{job}"))["status"] == "compensating"  # Its pause is not over.
    change(database_url, "UPDATE job SET run_at = clock_timestamp()")
    await worker.compensate_jobs(workers)
    assert (await crew.get(f"/{job}"))["status"] == "canceled"


async def test_two_workers_undo_once(crew: Crew, workers: Database, database_url: str) -> None:
    job = await crew.until("charged")
    await crew.ok("operator", f"/{job}/cancel", {"reason": "No."})
    change(database_url, "UPDATE job SET run_at = clock_timestamp()")
    for _ in range(2):
        await worker.compensate_jobs(workers)
    found = await crew.get(f"/{job}/events")
    assert [event["type"] for event in found["items"]].count("compensated") == 1


async def limited(crew: Crew) -> str:
    """The key of an agent who may hold 5.00 alone and 100.00 with a person's approval."""
    crew.keys["lim"] = (
        await made(crew, "/v1/keys", {"agent": (await made(crew, "/v1/agents", {"name": "lim"}))["name"]})
    )["key"]
    terms = {
        "actions": ["create_hold", "capture_hold"],
        "per_transaction": [{"currency": "USD", "max": "100.00", "auto_max": "5.00"}],
        "counterparties": {"mode": "any"},
    }
    mandate = await made(crew, "/v1/mandates", {"name": "Small", "agent": "lim", "terms": terms})
    await made(crew, f"/v1/mandates/{mandate['id']}/activate", None)
    return "lim"


async def made(crew: Crew, path: str, body: object) -> dict[str, str]:
    answer = await crew.client.post(path, json=body, headers=bearing(crew.keys["operator"]))
    assert answer.is_success, answer.text
    return answer.json()


async def asked_for(crew: Crew) -> tuple[str, httpx2.Response]:
    """A job whose reservation waits for a person, and what its agent was told."""
    who = await limited(crew)
    job = await crew.until("checked")
    token = await crew.claim(who, job)
    return job, await crew.post(who, f"/{job}/complete", {"token": token})


async def test_a_reservation_that_a_person_approves_goes_on(crew: Crew, workers: Database) -> None:
    job, told = await asked_for(crew)
    assert (told.status_code, told.json()["status"]) == (202, "pending_approval")
    approval = f"/v1/approvals/{told.json()['approval_id']}"
    waiting = await crew.get(f"/{job}")
    assert waiting["step"]["state"] == "awaiting_approval"
    assert await crew.available(crew.tenant.main) == "999990.00"
    await worker.settle_jobs(workers)
    assert await crew.get(f"/{job}") == waiting
    seen = (await crew.client.get(approval, headers=bearing(crew.keys["operator"]))).json()
    await made(crew, f"{approval}/approve", {"payload_hash": seen["payload_hash"]})
    await worker.execute_approvals(workers)
    await worker.settle_jobs(workers)
    reserved = await crew.get(f"/{job}")
    assert (reserved["stage"], reserved["shares"][0]["state"]) == ("reserved", "reserved")
    assert await crew.available(crew.tenant.main) == "999990.00"
    assert (await crew.do("lim", job))["shares"][0]["state"] == "captured"


async def test_a_reservation_that_is_rejected_ends_the_job(crew: Crew, workers: Database) -> None:
    job, told = await asked_for(crew)
    await made(crew, f"/v1/approvals/{told.json()['approval_id']}/reject", {"reason": "Too much."})
    await worker.settle_jobs(workers)
    await worker.compensate_jobs(workers)
    found = await crew.get(f"/{job}")
    assert (found["status"], "rejected" in found["last_error"]) == ("failed", True)
    assert await crew.available(crew.tenant.main) == "1000000.00"


async def test_a_step_is_held_to_the_mandate_of_who_does_it(crew: Crew) -> None:
    who = await limited(crew)
    job = await crew.until("checked", amount="200.00")
    token = await crew.claim(who, job)
    refused = await crew.post(who, f"/{job}/complete", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_exceeded"), refused.text
    assert await crew.available(crew.tenant.main) == "1000000.00"
