"""The quarantine of a payout is lifted by people only: its provider agrees by now, or all of it is in suspense."""

import asyncio
from typing import Any

import httpx2
import pytest

from bursar.features.payments.ports import OutcomeUnknown, Question, Report
from bursar.features.payments.resolving import resolve_due
from tests.api.tenants import bearing
from tests.features.payments.counter import Counter, key

SUSPENSE = "world:sandbox:USD:suspense"


async def lift(counter: Counter, payout: str, decision: str, same: str | None = None) -> httpx2.Response:
    body = {"decision": decision, "reason": "The provider has said that it was a mistake."}
    return await counter.post(f"/v1/payouts/{payout}/lift-quarantine", body, same or key(), counter.tenant.operator)


async def cases_of(counter: Counter) -> list[tuple[str, str, str]]:
    answer = await counter.client.get("/v1/cases", headers=bearing(counter.tenant.operator))
    return [(case["kind"], case["subject"]["kind"], case["state"]) for case in answer.json()["items"]]


async def pay_out(counter: Counter, reference: str = "sandbox_bank", intent: str | None = None) -> Any:
    destination = await counter.method(reference, "bank_account")
    body = {"account": counter.tenant.side, "amount": "10.00", "currency": "USD", "destination": destination}
    answer = await counter.post("/v1/payouts", body, intent)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def lied_to(counter: Counter) -> Any:
    """A payout whose provider reported a wrong amount, once."""

    async def lie(report: Report) -> Report:
        return report._replace(amount_minor=report.amount_minor + 1)

    await counter.pay()
    counter.provider.after = lie
    made = await pay_out(counter, intent=key())
    assert (made["status"], made["quarantined"]) == ("unknown", True)
    return made


async def held(counter: Counter) -> str:
    return (await counter.get(f"/v1/accounts/{counter.tenant.side}"))["held"]


async def test_who_agrees_by_now_is_believed(counter: Counter) -> None:
    made = await lied_to(counter)
    counter.clock.pass_by(days=3)
    await resolve_due(counter.shop)
    assert (await counter.get(f"/v1/payouts/{made['id']}"))["quarantined"]
    same = key()
    answer = await lift(counter, made["id"], "ask_again", same)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["quarantined"]) == ("pending", False)
    assert await cases_of(counter) == [("payment_mismatch", "payout", "resolved")]
    again = await lift(counter, made["id"], "ask_again", same)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    assert (await lift(counter, made["id"], "ask_again")).status_code == 409
    await counter.settle(3)
    assert (await counter.get(f"/v1/payouts/{made['id']}"))["status"] == "succeeded"
    assert (await counter.balance(counter.tenant.side), await held(counter)) == ("90.00", "0.00")
    await counter.refuse_difference()


async def test_who_still_contradicts_is_not_believed(counter: Counter) -> None:
    await counter.pay()
    made = await pay_out(counter, "sandbox_bank_wrong_amount")
    answer = await lift(counter, made["id"], "ask_again")
    assert (answer.status_code, answer.json()["code"], answer.json()["money_moved"]) == (409, "state_conflict", "no")
    assert "reports 10.01 USD; asked was 10.00" in answer.json()["detail"]
    assert (await counter.get(f"/v1/payouts/{made['id']}"))["quarantined"]
    assert await held(counter) == "10.00"


async def test_what_people_put_to_suspense_agrees_with_the_provider_now_and_later(counter: Counter) -> None:
    await counter.pay()
    made = await pay_out(counter, "sandbox_bank_wrong_amount")
    answer = await lift(counter, made["id"], "to_suspense")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["failure"], told["in_suspense"]) == ("failed", "to_suspense", True)
    # Debit-normal: it has left the provider, and nobody's account has paid for it yet.
    assert await counter.balance(SUSPENSE) == "10.00"
    assert (await counter.balance(counter.tenant.side), await held(counter)) == ("100.00", "0.00")
    await counter.refuse_difference()
    # The bank has it later; that changes nothing of what the provider has.
    await counter.settle(3)
    assert await counter.balance(SUSPENSE) == "10.00"
    assert await cases_of(counter) == [("payment_mismatch", "payout", "resolved")]
    await counter.refuse_difference()
    assert (await lift(counter, made["id"], "to_suspense")).status_code == 409


async def test_what_comes_back_of_it_comes_back_to_suspense(counter: Counter) -> None:
    await counter.pay()
    made = await pay_out(counter, "sandbox_bank_wrong_amount")
    await lift(counter, made["id"], "to_suspense")
    async with counter.database.transaction(counter.tenant.id) as tx:
        await tx.run(
            "UPDATE sandbox_payment SET method = 'sandbox_bank_fails' WHERE tenant_id = $1 AND kind = 'payout'",
            tx.tenant,
        )
    await counter.settle(3)
    assert await counter.balance(SUSPENSE) == "0.00"
    await counter.refuse_difference()


@pytest.mark.parametrize("decision", ["ask_again", "to_suspense"])
async def test_nothing_is_decided_without_hearing_the_provider(
    counter: Counter, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await lied_to(counter)

    async def silent(_: Question) -> Report | None:
        raise OutcomeUnknown

    monkeypatch.setattr(counter.provider, "ask", silent)
    same = key()
    answer = await lift(counter, made["id"], decision, same)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    monkeypatch.undo()
    assert (await lift(counter, made["id"], decision, same)).status_code == 200


async def test_of_two_who_decide_at_once_one_does(counter: Counter) -> None:
    made = await lied_to(counter)
    answers = await asyncio.gather(lift(counter, made["id"], "ask_again"), lift(counter, made["id"], "to_suspense"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await counter.settle(3)
    await counter.refuse_difference()


async def test_no_agent_decides_and_what_is_not_quarantined_or_not_there_is_left_alone(counter: Counter) -> None:
    made = await lied_to(counter)
    body = {"decision": "to_suspense", "reason": "Ignore the difference."}
    answer = await counter.post(f"/v1/payouts/{made['id']}/lift-quarantine", body, key())
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    other = await pay_out(counter)
    assert (await lift(counter, other["id"], "to_suspense")).status_code == 409
    for name in (f"po_{key()}", (await counter.newest())["id"]):
        assert (await lift(counter, name, "to_suspense")).status_code == 404
    await lift(counter, made["id"], "ask_again")


async def test_a_refund_that_was_lied_about_is_lifted_with_its_payment(counter: Counter) -> None:
    async def lie(report: Report) -> Report:
        return report._replace(amount_minor=report.amount_minor + 1)

    paid = (await counter.pay()).json()
    counter.provider.after = lie
    await counter.post(f"/v1/payments/{paid['id']}/refund", {"amount": "40.00"}, key())
    assert (await counter.newest())["quarantined"]
    body = {"decision": "ask_again", "reason": "They have set it right."}
    path = f"/v1/payments/{paid['id']}/lift-quarantine"
    assert (await counter.post(path, body, key(), counter.tenant.operator)).status_code == 200
    assert (await counter.newest())["refunded_amount"] == "40.00"
    assert await counter.attempts() == ["succeeded", "succeeded"]
    await counter.refuse_difference()
