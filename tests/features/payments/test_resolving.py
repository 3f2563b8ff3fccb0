"""What nobody knows is said to be unknown, asked for in time, and never guessed."""

from datetime import timedelta

import pytest

from bursar.features.payments.ports import OutcomeUnknown, Question, Report
from bursar.features.payments.resolving import resolve_due
from tests.features.payments.counter import Counter


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
