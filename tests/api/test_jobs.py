"""Jobs over HTTP: several agents do one payment, each step once, by those who may."""

from typing import Any

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


async def test_the_scope_to_work_is_enough_for_steps_that_move_nothing_and_holds_need_their_own(
    crew: Crew, database: Database
) -> None:
    async with database.transaction(crew.tenant.id) as tx:
        for name in ("dan", "eve"):
            crew.keys[name] = await key_for(tx, "agent", name, ["jobs:work", "jobs:read"])
    job = await crew.job()
    token = await crew.claim("dan", job)
    assert (await crew.ok("dan", f"/{job}/renew", {"token": token, "lease_seconds": 600}))["step"]["token"] == token
    await crew.ok("dan", f"/{job}/hand-over", {"token": token, "to": "eve"})
    assert (await crew.ok("bob", "/claim", {"job_id": job}))["job"] is None
    token = await crew.claim("eve", job)
    await crew.ok("eve", f"/{job}/fail", {"token": token, "reason": "No answer from the shop."})
    # It is tried again in a second.
    token = (await crew.ok("dan", "/claim?wait=10", {"job_id": job}))["token"]
    await crew.ok("dan", f"/{job}/complete", {"token": token})
    await crew.do("bob", job)
    token = await crew.claim("eve", job)
    refused = await crew.post("eve", f"/{job}/complete", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert "holds:create" in refused.json()["detail"]


async def test_a_stale_token_does_nothing_whatever_it_is_sent_with(crew: Crew) -> None:
    job = await crew.job()
    stale = await crew.claim("ann", job)
    await crew.ok("ann", f"/{job}/hand-over", {"token": stale, "to": "cat"})
    fresh = await crew.claim("cat", job)
    assert fresh > stale
    before = await crew.get(f"/{job}")
    for verb, more in (
        ("complete", {}), ("renew", {}), ("fail", {"reason": "Late."}), ("hand-over", {"to": "bob"}),
    ):  # fmt: skip
        for who, token in (("ann", stale), ("ann", fresh), ("cat", stale)):
            refused = await crew.post(who, f"/{job}/{verb}", {"token": token, **more})
            assert (refused.status_code, refused.json()["code"]) == (409, "lease_lost"), (verb, who)
    assert await crew.get(f"/{job}") == before


async def test_the_price_is_said_by_the_step_that_prices_and_never_above_what_was_asked(crew: Crew) -> None:
    job = await crew.job()
    token = await crew.claim("ann", job)
    refused = await crew.post("ann", f"/{job}/complete", {"token": token, "amount": "10.01"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_argument")
    assert (await crew.ok("ann", f"/{job}/complete", {"token": token, "amount": "9.99"}))["amount"] == "9.99"
    token = await crew.claim("bob", job)
    assert (await crew.post("bob", f"/{job}/complete", {"token": token, "amount": "9.98"})).status_code == 422


async def test_a_bill_is_shared_to_the_cent_and_held_from_reserve_to_capture(crew: Crew) -> None:
    tenant = crew.tenant
    shares = [{"source": tenant.main, "target": tenant.side, "weight": weight} for weight in (1, 1, 1)]
    job = await crew.until("reserved", definition="shared_bill", amount="100.00", shares=shares)
    found = await crew.get(f"/{job}")
    assert [share["amount"] for share in found["shares"]] == ["33.34", "33.33", "33.33"]
    assert await crew.available(tenant.main) == "999900.00"
    done = await crew.do("ann", job)
    assert {share["state"] for share in done["shares"]} == {"captured"}
    assert await crew.available(tenant.side) == "100.00"


async def test_shares_are_reserved_all_or_none(crew: Crew) -> None:
    tenant = crew.tenant
    shares = [
        {"source": tenant.main, "target": tenant.side}, {"source": tenant.side, "target": tenant.main},
    ]  # fmt: skip
    job = await crew.until("checked", definition="shared_bill", shares=shares)
    token = await crew.claim("ann", job)
    refused = await crew.post("ann", f"/{job}/complete", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_funds")
    assert await crew.available(tenant.main) == "1000000.00"


async def test_what_cannot_be_a_job_is_refused_and_names_the_field(crew: Crew) -> None:
    tenant = crew.tenant
    yen = {"source": tenant.number("main", "JPY"), "target": tenant.side}
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"definition": "nothing"}, 404, "job definition"),
        ({"version": 2}, 404, "job definition"),
        ({"definition": "claim_disbursement", "amount": None}, 422, "amount"),
        ({"amount": "0.01", "shares": [crew.wish()["shares"][0]] * 2}, 422, "amount"),
        ({"currency": "XYZ"}, 422, "currency"),
        ({"shares": [yen]}, 422, "shares.0.source"),
        ({"shares": [{"source": tenant.main, "target": tenant.main}]}, 422, "shares.0.target"),
        ({"shares": [{"source": tenant.main, "target": "nobody"}]}, 404, "shares.0.target"),
        ({"shares": [{"source": "world:funding:USD", "target": tenant.main}]}, 422, "shares.0.source"),
        ({"shares": []}, 422, "shares"),
    ]
    for changes, status, named in wrong:
        refused = await crew.post("ann", "", crew.wish(**changes))
        assert (refused.status_code, named in refused.json()["detail"]) == (status, True), refused.text
    assert (await crew.get(""))["items"] == []


async def test_an_agent_cancels_its_own_until_money_has_moved(crew: Crew) -> None:
    job, paid = await crew.until("checked"), await crew.until("charged")
    for who, which in (("bob", job), ("ann", paid)):
        refused = await crew.post(who, f"/{which}/cancel", {"reason": "Never mind."})
        assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    token = await crew.claim("cat", paid)
    refused = await crew.post("cat", f"/{paid}/fail", {"token": token, "reason": "No.", "retry": False})
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert (await crew.ok("ann", f"/{job}/cancel", {"reason": "Never mind."}))["status"] == "compensating"
    assert (await crew.post("ann", f"/{job}/cancel", {"reason": "Again."})).json()["code"] == "state_conflict"
