"""What nobody knows is said to be unknown, asked for in time, and never guessed."""

import asyncio
from datetime import timedelta

import pytest

from bursar.features.payments.calling import Shop
from bursar.features.payments.ports import OutcomeUnknown, Question, Report
from bursar.features.payments.providers import sandbox_telling as telling
from bursar.features.payments.resolving import resolve_due
from tests.features.payments.counter import Counter, key


@pytest.mark.parametrize(
    ("method", "first"),
    [("sandbox_timeout", "unknown"), ("sandbox_timeout_before", "unknown"), ("sandbox_malformed", "unknown"),
     ("sandbox_unreachable", "processing")],
)  # fmt: skip
async def test_what_has_no_answer_says_so_and_is_found_out_after_a_minute(
    counter: Counter, method: str, first: str
) -> None:
    asked = (await counter.pay(method)).json()
    assert asked["status"] == first
    assert await counter.balance(counter.tenant.side) == "0.00"
    await resolve_due(counter.shop)
    assert (await counter.newest())["status"] == first
    counter.clock.pass_by(seconds=60)
    await resolve_due(counter.shop)
    assert (await counter.newest())["status"] == "succeeded"
    assert await counter.balance(counter.tenant.side) == "100.00"
    await counter.refuse_difference()


async def test_the_provider_is_asked_after_1_5_and_30_minutes_an_hour_and_daily_and_then_people_look(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (await counter.pay("sandbox_timeout")).json()
    start, questions = counter.clock.now, list[timedelta]()

    async def silent(_: Question) -> Report | None:
        questions.append(counter.clock.now - start)
        raise OutcomeUnknown

    monkeypatch.setattr(counter.provider, "ask", silent)
    for _ in range(3 * 24 * 60 + 5):
        counter.clock.pass_by(minutes=1)
        await resolve_due(counter.shop)
    minutes = [int(each.total_seconds()) // 60 for each in questions]
    assert minutes == [1, 6, 36, 96, 1536, 2976]
    assert (await counter.newest())["status"] == "unknown"
    cases = (
        await counter.client.get("/v1/cases", headers={"Authorization": f"Bearer {counter.tenant.operator}"})
    ).json()
    assert [(case["kind"], case["subject"]["id"]) for case in cases["items"]] == [("payment_unknown", asked["id"])]
    monkeypatch.undo()
    await counter.settle(30)
    assert (await counter.newest())["status"] == "succeeded"


async def test_another_amount_than_was_asked_is_never_booked_and_people_look(counter: Counter) -> None:
    asked = (await counter.pay("sandbox_wrong_amount")).json()
    assert (asked["status"], asked["quarantined"]) == ("unknown", True)
    await counter.settle()
    assert await counter.balance(counter.tenant.side) == "0.00"
    assert (await counter.newest())["status"] == "unknown"
    cases = (
        await counter.client.get("/v1/cases", headers={"Authorization": f"Bearer {counter.tenant.operator}"})
    ).json()
    assert [case["kind"] for case in cases["items"]] == ["payment_mismatch"]


async def test_a_suspended_agents_payment_that_was_never_sent_is_not_sent(counter: Counter) -> None:
    asked = (await counter.pay("sandbox_unreachable")).json()
    frozen = {"scope": "agent", "object": "agent_007", "reason": "It runs wild."}
    assert (await counter.post("/v1/freezes", frozen, who=counter.tenant.operator)).status_code == 201
    await counter.settle(3)
    assert await counter.provider.balances() == {}
    found = await counter.client.get(
        f"/v1/payments/{asked['id']}", headers={"Authorization": f"Bearer {counter.tenant.operator}"}
    )
    assert found.json()["status"] in ("processing", "unknown")


@pytest.mark.parametrize("turn", range(4))
async def test_a_resolver_that_races_a_webhook_books_once_and_never_goes_back(counter: Counter, turn: int) -> None:
    del turn
    await counter.pay("sandbox_timeout")
    counter.clock.pass_by(seconds=60)
    async with counter.workers.transaction(counter.tenant.id) as tx:
        attempt_key = await tx.value(str, "SELECT replace(id::text, '-', '') FROM payment_attempt")
        report = await telling.report_of(tx, attempt_key)
    assert report
    body = telling.event_body(
        f"evt_{key()}", "payment_intent.succeeded", counter.tenant.id.hex, report, counter.clock.now
    )
    early = report._replace(standing="processing", effects=(), complete=True)
    older = telling.event_body(
        f"evt_{key()}", "payment_intent.processing", counter.tenant.id.hex, early, counter.clock.now
    )
    again = Shop(counter.workers, counter.providers)
    await asyncio.gather(resolve_due(again), counter.deliver(body), counter.deliver(older), resolve_due(again))
    assert (await counter.newest())["status"] == "succeeded"
    assert await counter.balance(counter.tenant.side) == "100.00"
    await counter.deliver(older.replace("evt_", "evt_2"))
    assert (await counter.newest())["status"] == "succeeded"
    await counter.refuse_difference()
