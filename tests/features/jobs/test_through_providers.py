"""Steps that go through a provider: each call is made once, whoever repeats the step and whatever breaks between."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from bursar import worker
from bursar.features.payments.calling import Shop
from bursar.features.payments.connecting import with_sandbox
from bursar.features.payments.ports import Charge, Report
from bursar.features.payments.providers.sandbox import SandboxProvider
from bursar.features.payments.registry import Connection, Providers
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.serving import client_of, served
from tests.api.tenants import bearing
from tests.crews import Crew
from tests.features.jobs.test_going_on import change, made


async def by(crew: Crew, reference: str = "sandbox_ok", kind: str = "card") -> str:
    return (await made(crew, "/v1/payment-methods", {"reference": reference, "kind": kind}))["id"]


async def charged(crew: Crew, *references: str) -> list[dict[str, Any]]:
    """Shares that are charged to these methods."""
    return [{"payment_method": await by(crew, name), "target": crew.tenant.side} for name in references]


async def work(workers: Database, url: str, turns: int = 6) -> None:
    """What the worker does, with what is late due at once."""
    providers = with_sandbox(workers, ["whsec_of_the_worker"])
    for _ in range(turns):
        soon(url)
        await worker.settle_jobs(workers)
        await worker.compensate_jobs(workers)
        for task, _ in worker.payment_tasks(Shop(workers, providers)):
            await task(workers)


def soon(url: str) -> None:
    with psycopg.connect(url, autocommit=True, options="-c search_path=bursar") as connection:
        connection.execute("UPDATE payment_attempt SET ask_at = now(), leased_until = NULL WHERE ask_at IS NOT NULL")
        connection.execute("UPDATE sandbox_event SET due_at = now() - interval '1 second' WHERE told_at IS NULL")
        connection.execute("UPDATE job SET run_at = clock_timestamp() WHERE status = 'compensating'")


def at_the_provider(url: str) -> Counter[str]:
    """What the provider's own books say happened, and how many calls it has had of each kind."""
    with psycopg.connect(url, options="-c search_path=bursar") as connection:
        rows = connection.execute("SELECT kind FROM sandbox_transaction").fetchall()
        asked = connection.execute("SELECT 'asked ' || kind FROM sandbox_payment").fetchall()
    return Counter(row[0] for row in [*rows, *asked])


async def test_a_checkout_charges_a_card_once_and_its_trail_is_in_the_report(crew: Crew, database_url: str) -> None:
    job = await crew.until("reserved", shares=await charged(crew, "sandbox_ok"))
    found = await crew.get(f"/{job}")
    payment = found["shares"][0]["payment_id"]
    shown = await crew.client.get(f"/v1/payments/{payment}", headers=bearing(crew.keys["ann"]))
    assert (shown.json()["status"], shown.json()["provider_reference"][:3]) == ("requires_capture", "pi_")
    assert (await crew.do("ann", job))["stage"] == "charged"
    assert await crew.available(crew.tenant.side) == "10.00"
    await crew.do("cat", job)
    report = await crew.get(f"/{job}/report")
    assert (report["captured"], report["held"], report["job"]["status"]) == ("10.00", "0.00", "done")
    assert at_the_provider(database_url) == {"capture": 1, "asked charge": 1, "asked capture": 1}


async def test_a_step_that_is_repeated_under_any_key_at_once_or_later_is_one_call(
    crew: Crew, database_url: str
) -> None:
    job = await crew.until("checked", shares=await charged(crew, "sandbox_ok"))
    for stage in ("reserved", "charged"):
        token = await crew.claim("ann", job)
        answers = await asyncio.gather(
            *[crew.post("ann", f"/{job}/complete", {"token": token}, new_id().hex) for _ in range(5)]
        )
        assert {(a.status_code, a.json().get("id")) for a in answers} == {(200, job)}, [a.text for a in answers]
        assert (await crew.post("ann", f"/{job}/complete", {"token": token})).json()["stage"] == stage
        stranger = await crew.post("bob", f"/{job}/complete", {"token": token})
        assert stranger.json()["code"] == "lease_lost", stranger.text
    assert at_the_provider(database_url) == {"capture": 1, "asked charge": 1, "asked capture": 1}


@pytest.mark.parametrize("method", ["sandbox_timeout", "sandbox_timeout_before", "sandbox_unreachable", "sandbox_3ds"])
async def test_what_is_unknown_waits_in_the_job_and_goes_on_by_itself(
    crew: Crew, workers: Database, database_url: str, method: str
) -> None:
    job = await crew.until("checked", shares=await charged(crew, method))
    token = await crew.claim("ann", job)
    told = await crew.ok("ann", f"/{job}/complete", {"token": token, "note": "Agreed by telephone."})
    assert (told["stage"], told["step"]["state"]) == ("checked", "awaiting_payment")
    for verb, more in (("fail", {"reason": "Late."}), ("renew", {}), ("hand-over", {"to": "bob"})):
        refused = await crew.post("ann", f"/{job}/{verb}", {"token": token, **more})
        assert (refused.status_code, "waits for what a provider says" in refused.json()["detail"]) == (409, True)
    refused = await crew.post("operator", f"/{job}/cancel", {"reason": "No."})
    assert refused.json()["code"] == "state_conflict"
    await work(workers, database_url)
    found = await crew.get(f"/{job}/report")
    assert found["job"]["stage"] == "reserved"
    assert found["steps"][-1]["note"] == "Agreed by telephone."
    assert at_the_provider(database_url)["asked charge"] == 1


class Stuck(SandboxProvider):
    """A provider whose caller dies while it waits for the line."""

    async def charge(self, order: Charge) -> Report:
        del order
        raise asyncio.CancelledError


async def test_a_caller_that_dies_before_the_call_leaves_it_to_be_made_once(
    crew: Crew, database: Database, workers: Database, database_url: str
) -> None:
    job = await crew.until("checked", shares=await charged(crew, "sandbox_ok"))
    token = await crew.claim("ann", job)
    stuck = Providers({"sandbox": Connection(lambda tenant_id: Stuck(database, tenant_id))})
    async with served(database, providers=stuck) as app, client_of(app) as dying:
        with pytest.raises(asyncio.CancelledError):
            await replace(crew, client=dying).post("ann", f"/{job}/complete", {"token": token})
    assert at_the_provider(database_url) == {}
    change(database_url, "UPDATE job SET deadline_at = clock_timestamp()")
    await worker.time_out_jobs(workers)
    assert (await crew.get(f"/{job}"))["step"]["state"] == "awaiting_payment"
    await work(workers, database_url)
    assert (await crew.get(f"/{job}"))["stage"] == "reserved"
    assert at_the_provider(database_url) == {"asked charge": 1}


async def test_a_bill_is_charged_in_shares_and_one_that_is_declined_gives_the_others_back(
    crew: Crew, workers: Database, database_url: str
) -> None:
    good = await charged(crew, "sandbox_ok", "sandbox_ok", "sandbox_ok")
    paid = await crew.until("charged", definition="shared_bill", amount="100.00", shares=good)
    found = await crew.get(f"/{paid}")
    assert [share["amount"] for share in found["shares"]] == ["33.34", "33.33", "33.33"]
    assert len({share["payment_id"] for share in found["shares"]}) == 3
    assert await crew.available(crew.tenant.side) == "100.00"
    mixed = await charged(crew, "sandbox_ok", "sandbox_declined", "sandbox_ok")
    job = await crew.until("checked", definition="shared_bill", amount="100.00", shares=mixed)
    told = await crew.do("ann", job)
    assert (told["status"], "card_declined" in told["last_error"]) == ("compensating", True)
    await work(workers, database_url)
    found = await crew.get(f"/{job}")
    assert found["status"] == "failed", found
    assert [share["state"] for share in found["shares"]] == ["released", "released", "released"]
    assert await crew.available(crew.tenant.side) == "100.00"
    assert at_the_provider(database_url)["asked cancel"] == 2


async def test_what_was_charged_is_refunded_once_when_an_operator_cancels(
    crew: Crew, workers: Database, database_url: str
) -> None:
    job = await crew.until("charged", shares=await charged(crew, "sandbox_refund_timeout"))
    frozen = await made(crew, "/v1/freezes", {"scope": "agent", "object": "ann", "reason": "It runs away."})
    assert frozen
    await crew.ok("operator", f"/{job}/cancel", {"reason": "Sent to the wrong shop."})
    await work(workers, database_url)
    report = await crew.get(f"/{job}/report", "operator")
    assert (report["job"]["status"], report["captured"], report["reversed"]) == ("canceled", "10.00", "10.00")
    assert await crew.available(crew.tenant.side) == "0.00"
    assert at_the_provider(database_url)["refund"] == 1


async def test_a_refund_waits_for_funds(crew: Crew, workers: Database, database_url: str) -> None:
    job = await crew.until("charged", shares=await charged(crew, "sandbox_ok"))
    away = {"source": crew.tenant.side, "target": crew.tenant.main, "amount": "10.00", "currency": "USD"}
    await made(crew, "/v1/transfers", away)
    await crew.ok("operator", f"/{job}/cancel", {"reason": "No."})
    await work(workers, database_url, 2)
    found = await crew.get(f"/{job}")
    assert (found["status"], "0.00 USD available" in found["last_error"]) == ("compensating", True), found
    await made(crew, "/v1/transfers", {**away, "source": crew.tenant.main, "target": crew.tenant.side})
    await work(workers, database_url)
    assert (await crew.get(f"/{job}"))["status"] == "canceled"


async def claim_of(crew: Crew, destination: str) -> tuple[str, dict[str, Any]]:
    """A claim that is found eligible and reserved."""
    share = {"source": crew.tenant.main, "destination": await by(crew, destination, "bank_account")}
    job = await crew.job(definition="claim_disbursement", shares=[share])
    for who in ("bob", "bob", "cat"):
        found = await crew.do(who, job)
    return job, found


async def test_a_claim_is_paid_out_once_and_its_funds_are_held_until_the_bank_has_it(
    crew: Crew, workers: Database, database_url: str
) -> None:
    # The provider pays out of what it has.
    await crew.until("charged", amount="100.00", shares=await charged(crew, "sandbox_ok"))
    job, found = await claim_of(crew, "sandbox_bank_timeout")
    assert (found["stage"], found["shares"][0]["state"]) == ("reserved", "reserved")
    assert await crew.available(crew.tenant.main) == "999990.00"
    hold = found["shares"][0]["hold_id"]
    released = await crew.client.post(f"/v1/holds/{hold}/release", headers=bearing(crew.keys["operator"]))
    assert released.json()["code"] == "state_conflict"
    told = await crew.do("cat", job)
    assert (told["stage"], told["step"]["state"]) == ("reserved", "awaiting_payment")
    await work(workers, database_url)
    found = await crew.get(f"/{job}")
    assert (found["stage"], found["shares"][0]["payout_id"][:3]) == ("paid", "po_")
    assert await crew.available(crew.tenant.main) == "999990.00"
    refused = await crew.post("operator", f"/{job}/cancel", {"reason": "No."})
    assert (refused.status_code, "paid out" in refused.json()["detail"]) == (409, True)
    assert at_the_provider(database_url)["payout_paid"] == 1


@pytest.mark.parametrize("destination", ["sandbox_bank_refused", "sandbox_bank_fails"])
async def test_a_payout_that_fails_gives_its_funds_back(
    crew: Crew, workers: Database, database_url: str, destination: str
) -> None:
    await crew.until("charged", amount="100.00", shares=await charged(crew, "sandbox_ok"))
    job, _ = await claim_of(crew, destination)
    await crew.do("cat", job)
    await work(workers, database_url)
    assert (await crew.get(f"/{job}"))["status"] == "failed"
    assert await crew.available(crew.tenant.main) == "1000000.00"


async def test_a_claim_that_is_given_up_before_it_is_paid_out_gives_its_funds_back(
    crew: Crew, workers: Database
) -> None:
    job, _ = await claim_of(crew, "sandbox_bank")
    await crew.ok("ann", f"/{job}/cancel", {"reason": "Withdrawn."})
    await worker.compensate_jobs(workers)
    found = await crew.get(f"/{job}")
    assert (found["status"], found["shares"][0]["state"]) == ("canceled", "released")
    assert await crew.available(crew.tenant.main) == "1000000.00"


async def test_what_is_being_given_back_is_not_asked_for_again(
    crew: Crew, workers: Database, database_url: str
) -> None:
    job = await crew.until("reserved", shares=await charged(crew, "sandbox_ok"))
    await crew.ok("operator", f"/{job}/cancel", {"reason": "No."})
    for _ in range(3):  # Before the provider has heard of it.
        soon(database_url)
        await worker.compensate_jobs(workers)
    await work(workers, database_url)
    assert (await crew.get(f"/{job}"))["status"] == "canceled"
    assert at_the_provider(database_url) == {"asked charge": 1, "asked cancel": 1}
