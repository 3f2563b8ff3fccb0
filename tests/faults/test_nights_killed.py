"""Schedulers are processes that die in the middle of a night: each loan has each of its nights once all the same."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from bursar.kernel.db import Database
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.lending.applying import Lender, lender_of
from tests.features.lending.borrowing import borrowed, in_order

ROOT = Path(__file__).parents[2]
# 29 February is among the nights, and both changes of the clock.
BEGAN = date(2024, 1, 15)
NIGHTS = 400


@pytest.fixture
async def lender(database: Database) -> AsyncGenerator[Lender]:
    async with served(database) as app, client_of(app) as client:
        yield await lender_of(database, client, await enrol(database, client, "ours"))


async def lent(lender: Lender, number: int) -> None:
    """So many loans, paid out on ten days in a row."""
    product = await lender.product()
    for n in range(number):
        await borrowed(lender, BEGAN + timedelta(days=n % 10), product=product, installments=10 + n % 7)


def begin(url: str, lender: Lender, until: date, batch: int, chance: float, seed: int) -> subprocess.Popen[bytes]:
    arguments = [url, str(lender.tenant.id), str(until), str(batch), str(seed), str(chance)]
    return subprocess.Popen([sys.executable, "-m", "tests.faults.night_worker", *arguments], cwd=ROOT)


async def passed(url: str, lender: Lender, until: date, batch: int, dice: random.Random) -> int:
    """Three schedulers bring all loans to a day; whoever dies is replaced. How many died."""
    died = 0
    waiting = [begin(url, lender, until, batch, 0.2, dice.getrandbits(30)) for _ in range(3)]
    while waiting:
        code = await asyncio.to_thread(waiting.pop(0).wait)
        assert code in (0, -9)
        if code:
            died += 1
            waiting.append(begin(url, lender, until, batch, 0.2, dice.getrandbits(30)))
    return died


def nights(url: str) -> list[tuple[int, int, date]]:
    """Of each loan, how many nights it had, on how many days, and its last."""
    with psycopg.connect(url, options="-c search_path=bursar") as connection:
        return connection.execute(
            "SELECT count(*), count(DISTINCT day), max(day) FROM loan_accrual GROUP BY loan_id ORDER BY 1 DESC"
        ).fetchall()


@pytest.mark.parametrize("loans", [12, pytest.param(600, marks=pytest.mark.soak)])
async def test_a_night_that_is_interrupted_half_way_goes_on(lender: Lender, database_url: str, loans: int) -> None:
    await lent(lender, loans)
    first, last, batch = BEGAN + timedelta(days=10), BEGAN + timedelta(days=11), loans // 6
    assert begin(database_url, lender, first, batch, 0, 1).wait() == 0
    before = len(nights(database_url))
    # Three batches are through when it is ended: by this seed it dies in the fourth.
    died = begin(database_url, lender, last, batch, 0.2, DIES_IN_THE_FOURTH)
    assert await asyncio.to_thread(died.wait) == -9
    reached = [night[2] for night in nights(database_url)]
    assert (before, reached.count(last), reached.count(first)) == (loans, 3 * batch, 3 * batch)
    assert await asyncio.to_thread(begin(database_url, lender, last, batch, 0, 1).wait) == 0
    assert all(number == days and day == last for number, days, day in nights(database_url))
    in_order(database_url)


def _dies_in(batch: int) -> int:
    """A seed by which a scheduler dies in a batch and in none before."""
    for seed in range(10_000):
        dice = random.Random(seed)
        if [dice.random() < 0.2 for _ in range(batch)] == [False] * (batch - 1) + [True]:
            return seed
    raise AssertionError


DIES_IN_THE_FOURTH = _dies_in(4)


@pytest.mark.soak
async def test_400_nights_of_200_loans_pass_once_each_with_three_processes_that_die(
    lender: Lender, database_url: str
) -> None:
    await lent(lender, 200)
    dice, day, last, died = random.Random(7), BEGAN, BEGAN + timedelta(days=NIGHTS), 0
    while day < last:
        day = min(last, day + timedelta(days=dice.choice((1, 1, 2, 7, 30, 60))))
        died += await passed(database_url, lender, day, 10, dice)
    # Shown by -s: how many died is to be told, and differs each time.
    print(f"{died} schedulers died.")  # noqa: T201
    assert died > 20
    assert nights(database_url) == sorted(
        ((NIGHTS - n % 10, NIGHTS - n % 10, last) for n in range(200)), key=lambda night: -night[0]
    )
    in_order(database_url)
