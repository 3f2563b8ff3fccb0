"""A payout that arrived and came back: whoever was paid out of has the amount again, in whatever order it is told."""

from itertools import permutations
from typing import Any

import pytest

from bursar.features.payments.ports import Effect, EffectKind, Report, Standing
from bursar.features.payments.providers.sandbox_telling import event_body
from tests.api.tenants import bearing
from tests.features.payments.counter import Counter, key

SIDES = ("world:sandbox:USD", "world:sandbox:USD:transit", "world:sandbox:USD:suspense")


def told(counter: Counter, call: str, kind: EffectKind, standing: Standing) -> str:
    """An event that tells of one end of a payout, and not of the other."""
    about = f"po_{call}"
    effects = (
        Effect(f"txn_{call}", "payout", 5_000, "USD", 0, call, about),
        Effect(f"{about}:{kind}", kind, 5_000, "USD", 0, call, about),
    )
    report = Report(call, "payout", about, standing, 5_000, "USD", effects)
    return event_body(f"evt_{key()}", f"payout.{standing}", counter.tenant.id.hex, report, counter.clock.now)


async def paid_out(counter: Counter) -> Any:
    await counter.pay()
    asked = {"account": counter.tenant.side, "amount": "50.00", "currency": "USD"}
    return (await counter.post("/v1/payouts", asked)).json()


@pytest.mark.parametrize("order", sorted(set(permutations(("paid", "failed", "paid", "failed")))), ids="-".join)
async def test_in_whatever_order_both_ends_are_told_nothing_is_gone(counter: Counter, order: tuple[str, ...]) -> None:
    out = await paid_out(counter)
    call = out["id"].removeprefix("po_")
    bodies = {
        "paid": told(counter, call, "payout_paid", "succeeded"),
        "failed": told(counter, call, "payout_failed", "failed"),
    }
    for which in order:
        await counter.deliver(bodies[which])
    assert (await counter.get(f"/v1/payouts/{out['id']}"))["status"] == "failed"
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == ("100.00", "0.00")
    assert [await counter.balance(number) for number in SIDES] == ["96.80", "0.00", "0.00"]


async def test_what_an_account_that_is_closed_by_then_cannot_take_goes_to_suspense(counter: Counter) -> None:
    await counter.pay()
    asked = {"account": counter.tenant.side, "amount": "100.00", "currency": "USD"}
    operator = counter.tenant.operator
    # The provider has kept its fee, so somebody else pays it.
    await counter.pay(account=counter.tenant.main)
    out = (await counter.post("/v1/payouts", asked)).json()
    await counter.settle(1)
    call = out["id"].removeprefix("po_")
    assert (await counter.get(f"/v1/payouts/{out['id']}"))["status"] == "succeeded"
    closed = await counter.client.post(f"/v1/accounts/{counter.tenant.side}/close", headers=bearing(operator, key()))
    assert closed.is_success, closed.text
    body = told(counter, call, "payout_failed", "failed").replace("5000", "10000")
    await counter.deliver(body)
    assert await counter.balance(SIDES[1]) == "0.00"
    assert await counter.balance(SIDES[2]) == "-100.00"
    cases = (await counter.client.get("/v1/cases", headers=bearing(operator))).json()["items"]
    assert [case["kind"] for case in cases] == ["payment_suspense"]
