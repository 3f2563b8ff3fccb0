"""Events in every order, twice, before and after the answer: the same state and the same balances."""

from itertools import permutations
from typing import Any

import pytest

from bursar.features.payments.ports import Follow, Report
from bursar.features.payments.providers import sandbox_acting as acting
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers import sandbox_telling as telling
from tests.features.payments.counter import Counter, key

KINDS = ("authorized", "captured", "refunded", "disputed")


async def _life(counter: Counter, report: Report) -> dict[str, str]:
    """All that happens to an authorised payment at the provider, past Bursar; an event for each, with its own part."""
    now = counter.clock.now
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, report.reference)
        assert charge
        capture = Follow(key(), "capture", report.reference, 10_000, "USD")
        await acting.act_on(tx, capture, charge, "", now)
        refund = await acting.refund_outside(tx, charge, 3_000, now)
        await acting.dispute(tx, charge, 12_000, now)
        whole = await telling.report_of(tx, charge.key)
        await tx.run("UPDATE sandbox_event SET told_at = now() WHERE tenant_id = $1", counter.tenant.id)
    assert whole
    parts = {effect.kind: effect for effect in whole.effects}
    given_back = Report(
        None, "refund", refund, "succeeded", 3_000, "USD", (parts["refund"],), payment=whole.reference
    )  # fmt: skip
    reports = {
        "authorized": report,
        "captured": whole._replace(effects=(parts["capture"],)),
        "refunded": given_back,
        "disputed": whole._replace(effects=(parts["dispute"],), complete=False),
    }
    return {
        kind: telling.event_body(f"evt_{key()}", kind, counter.tenant.id.hex, each, now)
        for kind, each in reports.items()
    }


async def _play(counter: Counter, order: tuple[str, ...], *, twice: bool, before_the_answer: bool) -> Any:
    async def tell(bodies: dict[str, str]) -> None:
        for kind in order:
            for _ in range(1 + twice):
                await counter.deliver(bodies[kind])

    late: list[dict[str, str]] = []

    async def after(report: Report) -> Report:
        bodies = await _life(counter, report)
        if before_the_answer:
            await tell(bodies)
        else:
            late.append(bodies)
        return report

    counter.provider.after = after
    await counter.pay(capture="manual")
    for bodies in late:
        await tell(bodies)
    await counter.settle(2)
    paid = await counter.newest()
    return {name: paid[name] for name in SAME}


SAME = ("status", "captured_amount", "refunded_amount", "disputed_amount", "fee_amount", "quarantined", "failure")
EXPECTED = {
    "status": "succeeded", "captured_amount": "100.00", "refunded_amount": "30.00", "disputed_amount": "120.00",
    "fee_amount": "18.20", "quarantined": False, "failure": None,
}  # fmt: skip


@pytest.mark.parametrize("before_the_answer", [True, False])
@pytest.mark.parametrize("twice", [False, True])
async def test_events_in_every_order_come_to_the_same(
    counter: Counter, *, twice: bool, before_the_answer: bool
) -> None:
    for number, order in enumerate(permutations(KINDS), 1):
        became = await _play(counter, order, twice=twice, before_the_answer=before_the_answer)
        assert became == EXPECTED, order
        assert await counter.balance(counter.tenant.side) == f"{70 * number}.00"
        assert await counter.balance("world:sandbox:USD:disputed") == f"{120 * number}.00"
        await counter.refuse_difference()


async def test_a_dispute_is_won_or_lost_and_the_books_follow(counter: Counter) -> None:
    for won, (disputed, lost) in ((True, ("0.00", "0.00")), (False, ("0.00", "100.00"))):
        paid = (await counter.pay("sandbox_disputed")).json()
        await counter.settle(2)
        during = await counter.get(f"/v1/payments/{paid['id']}")
        assert (during["disputed_amount"], during["fee_amount"]) == ("100.00", "18.20")
        assert await counter.balance("world:sandbox:USD:disputed") == "100.00"
        async with counter.database.transaction(counter.tenant.id) as tx:
            charge = await store.lock_charge(tx, paid["provider_reference"])
            assert charge
            await acting.decide_dispute(tx, charge, 10_000, won=won, now=counter.clock.now)
        await counter.settle(2)
        assert await counter.balance("world:sandbox:USD:disputed") == disputed
        assert await counter.balance("world:sandbox:USD:chargebacks") == lost
        await counter.refuse_difference()


async def test_what_the_account_cannot_give_back_goes_to_suspense_and_people_look(counter: Counter) -> None:
    paid = (await counter.pay()).json()
    away = {"source": counter.tenant.side, "target": counter.tenant.main, "amount": "90.00", "currency": "USD"}
    assert (await counter.post("/v1/transfers", away)).status_code == 201
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, paid["provider_reference"])
        assert charge
        await acting.refund_outside(tx, charge, 3_000, counter.clock.now)
    await counter.settle(1)
    assert await counter.balance("world:sandbox:USD:suspense") == "30.00"
    assert await counter.balance(counter.tenant.side) == "10.00"
    await counter.refuse_difference()


@pytest.mark.parametrize(
    ("destination", "status", "left"),
    [(None, "succeeded", "50.00"), ("sandbox_bank_fails", "failed", "100.00"),
     ("sandbox_bank_refused", "failed", "100.00"), ("sandbox_bank_timeout", "succeeded", "50.00"),
     ("sandbox_bank_returned", "failed", "100.00")],
)  # fmt: skip
async def test_a_payout_arrives_or_comes_back(
    counter: Counter, destination: str | None, status: str, left: str
) -> None:
    await counter.pay()
    bank = await counter.method(destination, "bank_account") if destination else None
    asked = {"account": counter.tenant.side, "amount": "50.00", "currency": "USD", "destination": bank}
    out = (await counter.post("/v1/payouts", asked)).json()
    await counter.settle(3)
    assert (await counter.get(f"/v1/payouts/{out['id']}"))["status"] == status
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == (left, "0.00")
    assert await counter.balance("world:sandbox:USD:transit") == "0.00"
    await counter.refuse_difference()


@pytest.mark.parametrize(
    ("method", "first", "last"),
    [("sandbox_3ds", "requires_action", "succeeded"), ("sandbox_3ds_fails", "requires_action", "failed"),
     ("sandbox_late", "processing", "succeeded"), ("sandbox_late_fails", "processing", "failed")],
)  # fmt: skip
async def test_a_payment_that_takes_its_time_is_told_by_an_event(
    counter: Counter, method: str, first: str, last: str
) -> None:
    asked = (await counter.pay(method)).json()
    assert (asked["status"], asked["action_url"] is not None) == (first, first == "requires_action")
    await counter.settle(1)
    assert (await counter.newest())["status"] == last
    await counter.refuse_difference()
