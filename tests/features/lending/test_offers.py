"""An offer has the very terms that are accepted, by the agent that applied, within its mandate and in time."""

from decimal import Decimal
from typing import Any

import psycopg

from bursar import worker
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.features.lending.applying import Lender, refused


async def offered(lender: Lender, who: str = "ann", **changes: Any) -> Any:
    found = await lender.submitted(who, **changes)
    approved = (await lender.decide("olivia", found, "approved")).json()
    return await lender.ok("olivia", f"/applications/{found['id']}/offer", {"version": approved["version"]})


async def accept(lender: Lender, who: str, found: Any, once: str | None = None, **changes: Any) -> Any:
    body = {"version": found["version"], "terms_hash": found["offer"]["terms_hash"], **changes}
    return await lender.post(who, f"/applications/{found['id']}/accept", body, once)


async def test_what_is_approved_is_offered_and_accepted(lender: Lender) -> None:
    found = await offered(lender, amount="1000")
    offer = found["offer"]
    assert (found["status"], offer["amount"], offer["total"], found["expires_at"]) == (
        "offered", "1000.00", "1054.43", offer["expires_at"],
    )  # fmt: skip
    # 9.9 % a year: 1000 x 0.00825 / (1 - 1.00825 ** -12) = 87.869, and 1.00825 ** 12 = 1.1036.
    rows = [Decimal(row["principal"]) + Decimal(row["interest"]) for row in offer["installments"]]
    assert rows == [Decimal("87.87")] * 11 + [Decimal("87.86")]
    assert sum(Decimal(row["principal"]) for row in offer["installments"]) == 1000
    assert offer["installments"][0]["interest"] == "8.25"
    assert offer["apr_ppm"] // 1000 == 103
    once = new_id().hex
    taken = await accept(lender, "ann", found, once)
    assert (taken.status_code, taken.json()["status"]) == (200, "accepted")
    assert taken.json()["offer"] == offer
    assert (await accept(lender, "ann", found, once)).content == taken.content
    refused(await accept(lender, "ann", found), 409, "state_conflict")
    seen = await lender.get(f"/applications/{found['id']}")
    assert (seen["status"], seen["offer"], seen["expires_at"]) == ("accepted", offer, None)


async def test_only_the_very_terms_are_accepted_and_only_by_who_applied(lender: Lender) -> None:
    found = await offered(lender, decider="bob")
    other = await accept(lender, "ann", found, terms_hash="0" * 64)
    assert "terms" in refused(other, 409, "state_conflict")
    refused(await accept(lender, "ann", found, version=found["version"] - 1), 409, "state_conflict")
    refused(await accept(lender, "bob", found), 403, "not_an_approver")
    assert (await accept(lender, "ann", found)).status_code == 200


async def test_only_what_is_approved_is_offered_by_who_decides(lender: Lender) -> None:
    found = await lender.submitted("ann", decider="bob")
    path = f"/applications/{found['id']}/offer"
    refused(await lender.post("bob", path, {"version": 2}), 409, "state_conflict")
    assert (await lender.decide("bob", found, "approved")).status_code == 200
    refused(await lender.post("ann", path, {"version": 3}), 403, "not_an_approver")
    refused(await lender.post("bob", path, {"version": 2}), 409, "state_conflict")
    assert (await lender.ok("bob", path, {"version": 3}))["status"] == "offered"
    refused(await lender.post("bob", path, {"version": 4}), 409, "state_conflict")


async def test_an_offer_that_is_not_accepted_in_time_is_over(
    lender: Lender, workers: Database, database_url: str
) -> None:
    found = await offered(lender)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE bursar.loan_application SET expires_at = now()")
    refused(await accept(lender, "ann", found), 409, "state_conflict")
    await worker.expire_applications(workers)
    assert await lender.status(found) == "expired"
    declined = await offered(lender)
    gone = await lender.ok("ann", f"/applications/{declined['id']}/withdraw", {"version": declined["version"]})
    refused(await accept(lender, "ann", {**declined, "version": gone["version"]}), 409, "state_conflict")


async def test_what_an_agent_may_take_on_is_its_mandates_to_say(lender: Lender, workers: Database) -> None:
    await lender.ok("operator", "/agents", {"name": "buyer"})
    key = (await lender.ok("operator", "/keys", {"agent": "buyer"}))["key"]
    terms = {
        "actions": ["accept_offer"], "counterparties": {"mode": "any"},
        "per_transaction": [{"currency": "USD", "max": "2000", "auto_max": "500"}],
    }  # fmt: skip
    mandate = await lender.ok("operator", "/mandates", {"name": "buyer", "agent": "buyer", "terms": terms})
    await lender.ok("operator", f"/mandates/{mandate['id']}/activate")
    assert (await accept(lender, key, await offered(lender, key, amount="500"))).status_code == 200
    too_much = await offered(lender, key, amount="2500")
    refused(await accept(lender, key, too_much), 409, "limit_exceeded")
    found = await offered(lender, key, amount="1500")
    waiting = await accept(lender, key, found)
    assert waiting.status_code == 202
    assert await lender.status(found) == "offered"
    approval_id = waiting.json()["approval_id"]
    seen = await lender.get(f"/approvals/{approval_id}")
    await lender.ok("olivia", f"/approvals/{approval_id}/approve", {"payload_hash": seen["payload_hash"]})
    for _ in range(2):
        await worker.execute_approvals(workers)
        await worker.settle_applications(workers)
    taken = await lender.get(f"/applications/{found['id']}")
    assert taken["status"] == "accepted"
    assert (await lender.get(f"/loans/{taken['loan_id']}"))["status"] == "pending"
    again = await offered(lender, key, amount="1500")
    ended = (await accept(lender, key, again)).json()["approval_id"]
    await lender.ok("olivia", f"/approvals/{ended}/reject", {"reason": "Too dear."})
    await worker.settle_applications(workers)
    after = await lender.get(f"/applications/{again['id']}")
    assert (after["status"], after["approval_id"], after["case_id"]) == ("offered", None, None)
