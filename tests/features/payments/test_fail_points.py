"""Something fails at every point between intent and outcome: one effect at the provider, equal books, nothing held."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from bursar.features.payments.ports import Report
from tests.features.payments.counter import Counter, gone, key

POINTS = ("before call", "after send", "after response", "before commit", "after commit")


class Hit:
    """Fails at a point, by raising or by having the request cancelled there."""

    def __init__(self, counter: Counter, point: str, kind: str) -> None:
        self.point, self.kind = point, kind
        self.reached = asyncio.Event()
        if point == "before call":
            counter.provider.before = self.fail
        else:
            counter.provider.after = lambda report: self.after(counter, report)

    async def fail(self) -> None:
        self.reached.set()
        if self.kind == "raise":
            raise ConnectionResetError
        await asyncio.Event().wait()

    async def after(self, counter: Counter, report: Report) -> Report:
        if "commit" in self.point:
            counter.database.cut = self.point.split()[0]
            self.reached.set()
        else:
            await self.fail()
        return report


async def _ask(counter: Counter, hit: Hit, path: str, body: Any, same: str) -> None:
    task = asyncio.create_task(counter.post(path, body, same))
    if hit.kind == "cancel" and "commit" not in hit.point:
        await hit.reached.wait()
        await gone(task)
    with suppress(RuntimeError, asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", ["raise", "cancel"])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("again", ["the worker asks", "the caller asks again"])
async def test_a_charge_that_fails_on_the_way_has_one_effect_and_equal_books(
    counter: Counter, point: str, kind: str, again: str
) -> None:
    same, method = key(), await counter.method("sandbox_ok")
    body = {"account": counter.tenant.side, "amount": "100.00", "currency": "USD", "payment_method": method}
    await _ask(counter, Hit(counter, point, kind), "/v1/payments", body, same)
    if again == "the caller asks again":
        counter.clock.pass_by(seconds=31)
        answer = await counter.post("/v1/payments", body, same)
        assert (answer.status_code, answer.json()["status"]) == (201, "succeeded"), answer.text
    await counter.settle()
    paid = await counter.newest()
    assert (paid["status"], paid["captured_amount"]) == ("succeeded", "100.00")
    assert len((await counter.get("/v1/payments"))["items"]) == 1
    assert await counter.provider.balances() == {"USD": 9_680}
    assert await counter.balance(counter.tenant.side) == "100.00"
    await counter.refuse_difference()


@pytest.mark.parametrize("kind", ["raise", "cancel"])
@pytest.mark.parametrize("point", POINTS)
async def test_a_refund_that_fails_on_the_way_goes_back_once_and_holds_nothing_after(
    counter: Counter, point: str, kind: str
) -> None:
    paid = (await counter.pay()).json()
    path = f"/v1/payments/{paid['id']}/refund"
    await _ask(counter, Hit(counter, point, kind), path, {"amount": "60.00"}, key())
    await counter.settle()
    assert (await counter.get(f"/v1/payments/{paid['id']}"))["refunded_amount"] == "60.00"
    assert await counter.provider.balances() == {"USD": 3_680}
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == ("40.00", "0.00")
    await counter.refuse_difference()
