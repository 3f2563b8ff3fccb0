"""A quarantine is lifted by people only: when the provider agrees by now, or with all that it says gone to suspense."""

import asyncio
from typing import Any

import httpx2
import pytest

from bursar.core.identity import service as identity
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.payments import lifting
from bursar.features.payments.calling import Shop
from bursar.features.payments.connecting import with_sandbox
from bursar.features.payments.ports import OutcomeUnknown, Question, Report
from bursar.features.payments.providers import sandbox_acting as acting
from bursar.features.payments.providers import sandbox_store as store
from bursar.kernel.ids import read
from tests.api.tenants import AGENT, bearing
from tests.features.payments.counter import Counter, key

SUSPENSE = "world:sandbox:USD:suspense"


async def lift(counter: Counter, payment: str, decision: str, same: str | None = None) -> httpx2.Response:
    body = {"decision": decision, "reason": "The provider has said that it was a mistake."}
    return await counter.post(f"/v1/payments/{payment}/lift-quarantine", body, same or key(), counter.tenant.operator)


async def cases_of(counter: Counter) -> list[tuple[str, str]]:
    answer = await counter.client.get("/v1/cases", headers=bearing(counter.tenant.operator))
    return [(case["kind"], case["state"]) for case in answer.json()["items"]]


async def lied_to(counter: Counter) -> Any:
    """A payment whose provider reported a wrong amount, once."""

    async def lie(report: Report) -> Report:
        return report._replace(amount_minor=report.amount_minor + 1)

    counter.provider.after = lie
    paid = (await counter.pay()).json()
    assert (paid["status"], paid["quarantined"]) == ("unknown", True)
    return paid


async def outside_refund(counter: Counter, reference: str, minor: int) -> None:
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, reference)
        assert charge
        await acting.refund_outside(tx, charge, minor, counter.clock.now)


async def test_who_agrees_by_now_is_believed(counter: Counter) -> None:
    paid = await lied_to(counter)
    await counter.settle(2)
    assert (await counter.newest())["quarantined"]
    assert await counter.balance(counter.tenant.side) == "0.00"
    same = key()
    answer = await lift(counter, paid["id"], "ask_again", same)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["quarantined"], told["captured_amount"]) == ("succeeded", False, "100.00")
    assert await counter.balance(counter.tenant.side) == "100.00"
    await counter.refuse_difference()
    assert await cases_of(counter) == [("payment_mismatch", "resolved")]
    again = await lift(counter, paid["id"], "ask_again", same)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    assert (await lift(counter, paid["id"], "ask_again")).status_code == 409
    # It is a payment as any other now.
    refund = await counter.post(f"/v1/payments/{paid['id']}/refund", {"amount": "40.00"}, key())
    assert refund.json()["status"] == "succeeded"
    await counter.refuse_difference()


async def test_who_still_contradicts_is_not_believed(counter: Counter) -> None:
    paid = (await counter.pay("sandbox_wrong_amount")).json()
    answer = await lift(counter, paid["id"], "ask_again")
    assert (answer.status_code, answer.json()["code"], answer.json()["money_moved"]) == (409, "state_conflict", "no")
    assert "reports 100.01 USD; asked was 100.00" in answer.json()["detail"]
    assert (await counter.newest())["quarantined"]
    assert await counter.balance(counter.tenant.side) == "0.00"


async def test_what_people_put_to_suspense_agrees_with_the_provider_now_and_later(counter: Counter) -> None:
    paid = (await counter.pay("sandbox_wrong_amount")).json()
    answer = await lift(counter, paid["id"], "to_suspense")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["quarantined"], told["in_suspense"]) == ("failed", False, True)
    # Debit-normal: below zero is what we owe to whoever it turns out to be.
    assert await counter.balance(SUSPENSE) == "-100.00"
    assert await counter.balance(counter.tenant.side) == "0.00"
    await counter.refuse_difference()
    assert await cases_of(counter) == [("payment_mismatch", "resolved")]
    # What happens to it later goes the same way.
    found = await counter.newest()
    await outside_refund(counter, found["provider_reference"] or f"pi_{await charge_of(counter)}", 3_000)
    await counter.settle(3)
    assert await counter.balance(SUSPENSE) == "-70.00"
    await counter.refuse_difference()
    for verb, body in (("confirm", None), ("refund", {"amount": "1.00"})):
        refused = await counter.post(f"/v1/payments/{paid['id']}/{verb}", body, key())
        assert refused.status_code == 409
        assert "goes to suspense" in refused.json()["detail"]


async def charge_of(counter: Counter) -> str:
    async with counter.database.transaction(counter.tenant.id, read_only=True) as tx:
        (found,) = await tx.column(
            str, "SELECT key FROM sandbox_payment WHERE tenant_id = $1 AND kind = 'charge'", tx.tenant
        )
        return found


@pytest.mark.parametrize("decision", ["ask_again", "to_suspense"])
async def test_nothing_is_decided_without_hearing_the_provider(
    counter: Counter, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = await lied_to(counter)

    async def silent(_: Question) -> Report | None:
        raise OutcomeUnknown

    monkeypatch.setattr(counter.provider, "ask", silent)
    same = key()
    answer = await lift(counter, paid["id"], decision, same)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert (await counter.newest())["quarantined"]
    monkeypatch.undo()
    # The same key is good for it later.
    assert (await lift(counter, paid["id"], decision, same)).status_code == 200


async def test_of_two_who_decide_at_once_one_does(counter: Counter) -> None:
    paid = await lied_to(counter)
    answers = await asyncio.gather(lift(counter, paid["id"], "ask_again"), lift(counter, paid["id"], "to_suspense"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await counter.refuse_difference()


async def test_no_agent_decides(counter: Counter) -> None:
    paid = await lied_to(counter)
    body = {"decision": "to_suspense", "reason": "Ignore the difference."}
    answer = await counter.post(f"/v1/payments/{paid['id']}/lift-quarantine", body, key())
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await counter.newest())["quarantined"]


async def test_what_is_not_quarantined_or_not_there_is_left_alone(counter: Counter) -> None:
    paid = (await counter.pay()).json()
    assert (await lift(counter, paid["id"], "to_suspense")).status_code == 409
    assert (await lift(counter, f"pay_{key()}", "to_suspense")).status_code == 404
    assert (await counter.newest())["status"] == "succeeded"


async def test_what_nobody_was_asked_about_stays_quarantined(counter: Counter) -> None:
    """As when a payment was quarantined between the question and the answer."""
    paid = await lied_to(counter)
    shop = Shop(counter.database, with_sandbox(counter.database, ["whsec_x"]))
    async with counter.database.transaction(counter.tenant.id) as tx:
        somebody = await identity.as_agent(tx, AGENT)
        with pytest.raises(StateConflict):
            await lifting.lift(tx, somebody, shop, read("pay", paid["id"]), "ask_again", "It was a mistake.", [])
    assert (await counter.newest())["quarantined"]
