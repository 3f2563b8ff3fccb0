"""Something fails at every point between intent and outcome: one transfer upstream, and this book says the same."""

import asyncio
from contextlib import suppress

import httpx2
import pytest

from bursar.features.payments.ports import Report
from bursar.features.payments.resolving import resolve_due
from tests.features.payments.branch import Branch
from tests.features.payments.counter import gone, key
from tests.features.payments.test_fail_points import PAIRS, POINTS


class Hit:
    """Fails at a point, by raising or by having the request cancelled there."""

    def __init__(self, branch: Branch, point: str, kind: str) -> None:
        self.branch, self.point, self.kind = branch, point, kind
        self.reached = asyncio.Event()
        if point == "before call":
            branch.upstream.before = self.fail
        else:
            branch.upstream.after = self.after

    async def fail(self) -> None:
        await self._strike(ConnectionResetError())

    async def cut(self) -> None:
        await self._strike(RuntimeError("it fails here"))

    async def _strike(self, error: Exception) -> None:
        self.reached.set()
        if self.kind == "raise":
            raise error
        await asyncio.Event().wait()

    async def after(self, report: Report) -> Report:
        match self.point:
            case "before commit":
                self.branch.counter.database.before = self.cut
            case "after commit":
                self.branch.counter.database.after = self.cut
            case _:
                await self.fail()
        return report

    async def strike(self, intent: str) -> httpx2.Response | None:
        task = asyncio.create_task(self.branch.send("30.00", intent))
        if self.kind == "cancel":
            await self.reached.wait()
            await gone(task)
        with suppress(RuntimeError, asyncio.CancelledError):
            return await task


@pytest.mark.parametrize(("kind", "again"), PAIRS)
@pytest.mark.parametrize("point", POINTS)
async def test_what_fails_on_the_way_is_made_once_and_told_the_same(
    branch: Branch, point: str, kind: str, again: str
) -> None:
    intent = key()
    told = await Hit(branch, point, kind).strike(intent)
    assert told is None or (told.status_code, told.json()["money_moved"]) in ((503, "unknown"), (500, "unknown"))
    branch.counter.clock.pass_by(minutes=2)
    if again == "the worker asks":
        await resolve_due(branch.counter.shop)
    answer = await branch.send("30.00", intent)
    assert answer.status_code == 200, answer.text
    assert list(branch.upstream.made) == [answer.json()["transfer"]["transfer_id"].removeprefix("tr_")]
    assert (await branch.available(), await branch.available("shop")) == ("70.00", "30.00")
    assert await branch.books() == [("-30.00", "0.00"), ("30.00", "0.00")]
    assert (await branch.send("30.00", intent)).content == answer.content
