"""Every night of a loan once: whoever comes, however late, and whatever dies in between."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from bursar import worker
from bursar.features.lending import loan_store, nightly
from bursar.kernel.db import Database
from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import borrowed, in_order, rich, today

BEGAN = date(2024, 1, 15)
NIGHTS = 400
LOANS = 5


class Killed(Exception):
    """The process is gone in the middle of a transaction."""


async def _schedule(database: Database, tenant_id: UUID, until: date, chance: random.Random) -> None:
    """A scheduler that passes nights, two loans at a time, and dies of it now and then."""
    try:
        while True:
            async with database.transaction(tenant_id) as tx:
                if not await nightly.pass_nights(tx, until, 2):
                    return
                _die_by(chance)
    except Killed:
        pass


def _die_by(chance: random.Random) -> None:
    if chance.random() < 0.2:
        raise Killed


async def test_400_nights_pass_once_each_with_three_schedulers_that_die_now_and_then(
    lender: Lender, workers: Database, database_url: str
) -> None:
    """29 February is among them, and both changes of the clock."""
    product = await lender.product()
    loans = [
        (await borrowed(lender, BEGAN + timedelta(days=n), product=product, installments=10 + n))["id"]
        for n in range(LOANS)
    ]
    chance, day, last = random.Random(7), BEGAN, BEGAN + timedelta(days=NIGHTS)
    while day < last:
        day = min(last, day + timedelta(days=chance.choice((1, 1, 2, 30, 60))))
        await asyncio.gather(*(_schedule(workers, lender.tenant.id, day, chance) for _ in range(3)))
    await _schedule(workers, lender.tenant.id, last, _Immortal())
    with psycopg.connect(database_url, options="-c search_path=bursar") as connection:
        found = connection.execute(
            """SELECT count(*), count(DISTINCT day), max(day), bool_or(day = '2024-02-29') FROM loan_accrual
               GROUP BY loan_id ORDER BY count(*) DESC"""
        ).fetchall()
    assert found == [(NIGHTS - n, NIGHTS - n, last, True) for n in range(LOANS)]
    in_order(database_url)
    # Whoever comes today has the rest to do; nothing is done twice.
    await asyncio.gather(*(worker.pass_nights(workers) for _ in range(2)))
    assert {(await lender.get(f"/loans/{loan}"))["day"] for loan in loans} == {str(today())}
    in_order(database_url)


class _Immortal(random.Random):
    """The chance of whoever does not die."""

    def random(self) -> float:
        """Never."""
        return 1.0


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati", "Europe/Prague"])
async def test_the_business_day_is_the_same_in_every_zone_and_knows_no_clock_change(
    lender: Lender, workers: Database, zone: str
) -> None:
    async with workers.transaction(lender.tenant.id) as tx:
        await tx.run("SELECT set_config('TimeZone', $1, true)", zone)
        assert await loan_store.today(tx) == datetime.now(UTC).date()


async def test_nothing_is_posted_for_a_loan_that_is_settled(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await borrowed(lender, today() - timedelta(days=10))
    await worker.pass_nights(workers)
    await rich(lender)
    await lender.ok("ann", f"/loans/{loan['id']}/repay", {"account": lender.tenant.side, "amount": "5000"})
    assert (await lender.get(f"/loans/{loan['id']}"))["status"] == "settled"
    async with workers.transaction(lender.tenant.id) as tx:
        assert await nightly.pass_nights(tx, today() + timedelta(days=1), 10) == 0
    in_order(database_url)
