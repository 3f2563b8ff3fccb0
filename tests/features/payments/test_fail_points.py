"""Something fails at every point between intent and outcome: one effect at the provider, equal books, nothing held."""

import asyncio
from contextlib import suppress
from typing import Any, Literal

import pytest

from bursar.features.payments.ports import Report
from tests.features.payments.counter import Counter, gone, key

POINTS = ("before call", "after send", "after response", "before commit", "after commit")
KINDS = ("charge", "capture", "refund", "payout")
# What each leaves at the provider, in cents, and what it leaves in the account, of 100.00 that are paid: a capture of
# 60.00, a refund of 60.00, a payout of 50.00. The fee is 2.9 % and 30 cents of what was captured.
LEFT = {
    "charge": (9_680, "100.00"),
    "capture": (5_796, "60.00"),
    "refund": (3_680, "40.00"),
    "payout": (4_680, "50.00"),
}
# The other pairs are in the soak.
PAIRS = [
    ("cancel", "the caller asks again"),
    pytest.param("raise", "the worker asks", marks=pytest.mark.soak),
    pytest.param("raise", "the caller asks again", marks=pytest.mark.soak),
    pytest.param("cancel", "the worker asks", marks=pytest.mark.soak),
]
TURNS = [0, *(pytest.param(turn, marks=pytest.mark.soak) for turn in range(1, 20))]


class Hit:
    """Fails at a point, by raising or by having the request cancelled there."""

    def __init__(self, counter: Counter, point: str, kind: Literal["raise", "cancel"]) -> None:
        self.kind = kind
        self.reached = asyncio.Event()
        self.counter = counter
        self.point = point
        if point == "before call":
            counter.provider.before = self.fail
        else:
            counter.provider.after = self.after

    async def fail(self) -> None:
        self.reached.set()
        if self.kind == "raise":
            raise RuntimeError("it fails here")
        await asyncio.Event().wait()

    async def after(self, report: Report) -> Report:
        match self.point:
            case "before commit":
                self.counter.database.before = self.fail
            case "after commit":
                self.counter.database.after = self.fail
            case _:
                await self.fail()
        return report


async def _ask(counter: Counter, hit: Hit, path: str, body: Any, same: str) -> None:
    task = asyncio.create_task(counter.post(path, body, same))
    await hit.reached.wait()
    if hit.kind == "cancel":
        await gone(task)
    # Whoever is there to hear it hears of an unknown outcome, or of nothing.
    with suppress(RuntimeError, asyncio.CancelledError):
        await task


async def _wanted(counter: Counter, kind: str) -> tuple[str, Any]:
    """What is asked for when something fails; what must be there before is there."""
    if kind == "charge":
        method = await counter.method("sandbox_ok")
        asked = {"account": counter.tenant.side, "amount": "100.00", "currency": "USD", "payment_method": method}
        return "/v1/payments", asked
    paid = (await counter.pay(capture="manual" if kind == "capture" else "automatic")).json()
    if kind == "payout":
        return "/v1/payouts", {"account": counter.tenant.side, "amount": "50.00", "currency": "USD"}
    return f"/v1/payments/{paid['id']}/{kind}", {"amount": "60.00"}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(("how", "again"), PAIRS)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_fails_on_the_way_has_one_effect_and_equal_books(
    counter: Counter, kind: str, again: str, point: str, how: Literal["raise", "cancel"], turn: int
) -> None:
    del turn
    path, body = await _wanted(counter, kind)
    same = key()
    await _ask(counter, Hit(counter, point, how), path, body, same)
    if again == "the caller asks again":
        counter.clock.pass_by(seconds=31)
        answer = await counter.post(path, body, same)
        assert answer.is_success, answer.text
    await counter.settle()
    paid = await counter.newest()
    assert (paid["status"], len((await counter.get("/v1/payments"))["items"])) == ("succeeded", 1)
    at_provider, in_account = LEFT[kind]
    assert await counter.provider.balances() == {"USD": at_provider}
    side = await counter.get(f"/v1/accounts/{counter.tenant.side}")
    assert (side["posted"], side["held"]) == (in_account, "0.00")
    assert await counter.attempts() == (["succeeded"] if kind == "charge" else ["succeeded"] * 2)
    await counter.refuse_difference()
