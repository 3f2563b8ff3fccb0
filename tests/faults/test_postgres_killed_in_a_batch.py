"""PostgreSQL dies while a batch is open: nothing is lost, nothing is done twice."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bursar.kernel.embedded import EmbeddedPostgres
from tests.faults import power
from tests.faults.catching import Caught, catch
from tests.faults.crowd import CLIENTS, MANY, MODES, Books, Crowd, cap_for
from tests.served import serving

Fault = Callable[[Path, int], object]


def the_process(_: Path, pid: int) -> None:
    """The others then end, and the server recovers by itself."""
    os.kill(pid, signal.SIGKILL)


def all_of_it(data: Path, _: int) -> None:
    """The service brings it up again."""
    power.cut(data)


async def strike(crowd: Crowd, data: Path, what: str, fault: Fault) -> Caught:
    """One death under load, while the batch is open that is meant."""
    async with crowd.at_work() as sending:
        await crowd.after(CLIENTS)
        locks: list[int] = []
        if what in MODES:
            sending.create_task(crowd.send_many(MODES[what], locks))
            caught = await catch(crowd.books.url, 1, locks)
        else:
            caught = await catch(crowd.books.url, MANY + 1)
        fault(data, caught.pid)
        crowd.stop()
    return caught


async def crowd_lives_through(data: Path, deaths: Sequence[tuple[str, Fault]]) -> list[Caught]:
    """A crowd goes on while the server dies so; then all answers agree."""
    with serving(data=data) as served, EmbeddedPostgres(data) as server:
        books = await Books.open(server.start(), cap_for([what for what, _ in deaths]))
        async with Crowd(books, [served.url]) as crowd:
            caught = [await strike(crowd, data, *death) for death in deaths]
            await crowd.use_up()
            await crowd.replay()
            await books.check(crowd.told)
    return caught


async def test_a_server_that_dies_in_a_batch_leaves_nothing_half_done_and_nothing_twice(tmp_path: Path) -> None:
    assert len(await crowd_lives_through(tmp_path, [("many", all_of_it), ("together", the_process)])) == 2


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", [the_process, all_of_it])
@pytest.mark.parametrize("what", ["many", "each", "together"])
async def test_twenty_deaths_in_open_batches_lose_nothing(tmp_path: Path, what: str, fault: Fault) -> None:
    # Where in the batch is PostgreSQL's: ahead of its transaction a batch is one statement.
    assert len(await crowd_lives_through(tmp_path, [(what, fault)] * 20)) == 20
