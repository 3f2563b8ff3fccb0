"""A service dies while a batch is open, at each of its statements: nothing is lost, nothing is done twice."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.crowd import CLIENTS, MANY, MODES, ORDERS, Books, Crowd, cap_for
from tests.served import Served, serving

AFTER = "after COMMIT"
_SECONDS_TO_DIE = 60


@dataclass
class Doomed:
    """A service that is told when to die, and comes back at the same address."""

    database_url: str
    directory: Path
    running: ExitStack
    served: Served | None = None

    @property
    def url(self) -> str:
        assert self.served
        return self.served.url

    def run(self) -> None:
        """Start it if it is dead, without doom."""
        if self.served and self.served.process.poll() is None:
            return
        self.tell("")
        program = ("tests.faults.doomed_batch", str(self.directory))
        port = urlsplit(self.served.url).port if self.served else None
        start = serving(database_url=self.database_url, port=port or 0, program=program)
        self.served = self.running.enter_context(start)

    def tell(self, doom: str) -> None:
        """Write it at once, for it is read at any time."""
        (self.directory / "new").write_text(doom)
        (self.directory / "new").rename(self.directory / "doom")

    async def died(self) -> dict[str, Any]:
        """Wait until it is dead; what it met."""
        assert self.served
        await asyncio.to_thread(self.served.process.wait, _SECONDS_TO_DIE)
        return json.loads((self.directory / "met").read_text())


async def strike(doomed: Doomed, crowd: Crowd, what: str, at: int, who: str) -> str:
    """One death under load; returns at which moment it was."""
    await asyncio.to_thread(doomed.run)
    async with crowd.at_work() as sending:
        await crowd.after(CLIENTS)
        doomed.tell(f"orders {ORDERS} {at}" if what in MODES else f"instructions {MANY} {at}")
        if what in MODES:
            sending.create_task(crowd.send(crowd.many(MODES[what], who)))
        met = await doomed.died()
        crowd.stop()
        if len(crowd.urls) == 1:
            await asyncio.to_thread(doomed.run)
    assert met["orders"] >= ORDERS if what in MODES else met["instructions"] >= MANY
    return met["moment"]


async def crowd_lives_through(
    database_url: str, directory: Path, deaths: Sequence[str], *, first: int, beside: bool
) -> Counter[str]:
    """A crowd goes on while a service dies in such batches; then all answers agree. How often it died at which moment.

    Each death comes a moment later than the last, from the one of number `first` on; that after COMMIT comes in
    addition, and then it begins anew, with batches of the other. With `beside`, another service works on the same books
    all the time, and answers those who lost the first.
    """
    books = await Books.open(database_url, cap_for(deaths))
    moments: Counter[str] = Counter()
    with ExitStack() as running:
        doomed = Doomed(database_url, directory, running)
        others = [serving(database_url=database_url)] if beside else []
        started = await asyncio.gather(
            asyncio.to_thread(doomed.run), *(asyncio.to_thread(running.enter_context, other) for other in others)
        )
        async with Crowd(books, [doomed.url, *(other.url for other in started if other)]) as crowd:
            at = first
            while left := deaths[moments.total() - moments[AFTER] :]:
                who = (books.agent, books.operator)[moments[AFTER] % 2]
                moment = await strike(doomed, crowd, left[0], at, who)
                moments[moment] += 1
                at = 1 if moment == AFTER else at + 1
            assert crowd.lost >= moments.total()
            await crowd.use_up()
            await crowd.replay()
            await books.check(crowd.told)
    return moments


async def test_a_service_that_dies_in_a_batch_leaves_nothing_half_done_and_nothing_twice(
    database_url: str, tmp_path: Path
) -> None:
    moments = await crowd_lives_through(database_url, tmp_path, ["many", "each"], first=5, beside=True)
    assert moments.total() >= 2


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
@pytest.mark.parametrize("what", ["many", "each", "together"])
async def test_twenty_deaths_at_every_moment_of_a_batch_lose_nothing(
    database_url: str, tmp_path: Path, what: str, *, beside: bool
) -> None:
    moments = await crowd_lives_through(database_url, tmp_path, [what] * 20, first=1, beside=beside)
    assert len(moments) >= 8
    assert moments["before COMMIT"]
    assert moments["COMMIT under way"]
    assert moments[AFTER]
