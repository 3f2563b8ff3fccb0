"""Jobs over HTTP: several agents do one payment, each step once, by those who may."""

import httpx2
import pytest

from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, key_for
from tests.crews import Crew, crew_of


@pytest.fixture
async def crew(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Crew:
    return await crew_of(database, client, tenant)


async def test_three_agents_do_a_checkout_and_every_step_has_its_name(crew: Crew) -> None:
    job = await crew.until("checked")
    reserved = await crew.do("ann", job)
    assert [share["state"] for share in reserved["shares"]] == ["reserved"]
    assert await crew.available(crew.tenant.main) == "999990.00"
    charged = await crew.do("ann", job, note="Paid as agreed.")
    assert await crew.available(crew.tenant.side) == "10.00"
    assert charged["shares"][0]["transfer_id"].startswith("tr_")
    done = await crew.do("cat", job)
    assert (done["status"], done["stage"], done["step"]) == ("done", "reconciled", None)
    report = await crew.get(f"/{job}/report")
    assert [(step["name"], step["done_by_name"]) for step in report["steps"]] == [
        ("initiate", "ann"), ("price", "ann"), ("check_risk", "bob"), ("reserve", "ann"), ("charge", "ann"),
        ("reconcile", "cat"),
    ]  # fmt: skip
    assert (report["held"], report["captured"], report["reversed"]) == ("0.00", "10.00", "0.00")
    assert [event["version"] for event in report["events"]] == list(range(1, done["version"] + 1))


async def test_whoever_initiated_checks_no_risk_and_who_executed_does_not_reconcile(crew: Crew) -> None:
    job = await crew.until("priced")
    refused = await crew.post("ann", "/claim", {"job_id": job})
    assert (refused.status_code, refused.json()["code"]) == (403, "duties_separated")
    assert "may not check_risk" in refused.json()["detail"]
    # Asked for any step, it passes by.
    assert (await crew.ok("ann", "/claim"))["job"] is None
    token = await crew.claim("bob", job)
    refused = await crew.post("bob", f"/{job}/hand-over", {"token": token, "to": "ann"})
    assert (refused.status_code, refused.json()["code"]) == (403, "duties_separated")
    await crew.ok("bob", f"/{job}/complete", {"token": token})
    for _ in range(2):
        await crew.do("cat", job)
    assert (await crew.post("cat", "/claim", {"job_id": job})).json()["code"] == "duties_separated"
    assert (await crew.do("bob", job))["status"] == "done"


async def test_another_key_of_the_same_agent_is_the_same_principal(crew: Crew, database: Database) -> None:
    job = await crew.until("priced")
    async with database.transaction(crew.tenant.id) as tx:
        crew.keys["ann again"] = await key_for(tx, "agent", "ann")
    assert (await crew.post("ann again", "/claim", {"job_id": job})).json()["code"] == "duties_separated"


async def test_a_step_repeated_under_a_new_key_charges_nobody_twice(crew: Crew) -> None:
    job = await crew.until("reserved")
    token = await crew.claim("ann", job)
    once = new_id().hex
    first = await crew.post("ann", f"/{job}/complete", {"token": token}, once)
    again = await crew.post("ann", f"/{job}/complete", {"token": token}, once)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    other = await crew.post("ann", f"/{job}/complete", {"token": token})
    assert (other.status_code, other.json()["code"]) == (409, "lease_lost")
    assert await crew.available(crew.tenant.side) == "10.00"


async def test_an_order_that_is_refused_leaves_the_step_open(crew: Crew) -> None:
    job = await crew.until("checked", shares=[{"source": crew.tenant.side, "target": crew.tenant.main}])
    token = await crew.claim("ann", job)
    refused = await crew.post("ann", f"/{job}/complete", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_funds")
    assert (await crew.get(f"/{job}"))["step"]["state"] == "claimed"
