"""Every statement on the hot roads goes by its keys, whatever has been counted of the tables, and when it was planned.

A plan that reads a whole table costs nothing while the table is small. So here the tables have thousands of rows of
others, and on no road may any of their indexes give as many. The statements are not listed: whatever the service and
the server's own checks of foreign keys read is counted.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from bursar.core.authority.desk import Desk
from bursar.core.authority.memory import Memory
from bursar.kernel.db import Database
from bursar.kernel.db import database as databases
from tests.api.crowded import MANY, Crowded
from tests.api.hot_roads import Roads
from tests.api.serving import client_of, served

# PostgreSQL weighs a plan for all parameters after five for each.
TURNS = 7
# What the driver asks once for itself.
DRIVERS = ("WITH RECURSIVE typeinfo_tree", "set_config('jit'")
RAN = "SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements"


@pytest.fixture
def owner(unverified_database_url: str) -> Iterator[psycopg.Connection]:
    """The superuser, to whom constraints do not apply: what is added of others keeps none."""
    options = "-c search_path=bursar -c session_replication_role=replica"
    with psycopg.connect(unverified_database_url, autocommit=True, options=options) as connection:
        yield connection


@pytest.fixture
async def one(unverified_database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Database]:
    """A database with one connection, which makes no plan anew: it keeps what it planned first."""
    monkeypatch.setattr(databases, "_SECONDS_OF_A_PLAN", 0)
    database = await Database.open(unverified_database_url, connections=1)
    yield database
    await database.close()


async def _ran(one: Database) -> Counter[str]:
    """How often each statement was executed; what was counted of the reads is told to all afterwards."""
    async with one.transaction() as tx:
        ran = await tx.pairs(RAN)
        await tx.run("SELECT pg_stat_force_next_flush()")
    return Counter(dict(ran))


async def _walk(one: Database, roads: Roads, crowded: Crowded) -> dict[str, int]:
    """Take every road once; which index gave how many rows on which."""
    read: dict[str, int] = {}
    await _ran(one)
    before = crowded.read()
    for name, road in roads.all():
        await road()
        await _ran(one)
        after = crowded.read()
        read |= {f"{index} ({name})": rows - before.get(index, 0) for index, rows in after.items()}
        before = after
    return read


def never(crowded: Crowded) -> None:
    """Nobody has counted."""
    crowded.fill(1, MANY)


def at_a_thousand(crowded: Crowded) -> None:
    """Counted when autovacuum does so first; see migration 0028."""
    crowded.fill(1, 1_000)
    crowded.count()
    crowded.fill(1_001, MANY)


def as_they_are(crowded: Crowded) -> None:
    crowded.fill(1, MANY)
    crowded.count()


def empty(_: Crowded) -> None:
    """Planned while there is nothing."""


def small_again(crowded: Crowded) -> None:
    """Counted when there was much of which little is left."""
    crowded.fill(1, MANY)
    crowded.count()
    crowded.empty()


@pytest.fixture
def memories(monkeypatch: pytest.MonkeyPatch) -> dict[UUID, Memory]:
    """What the desk of the test remembers of its tenants."""
    kept: dict[UUID, Memory] = {}
    begin = Desk.__init__

    def begin_with(self: Desk, *args: Any) -> None:
        begin(self, *args)
        vars(self)["_memories"] = kept

    monkeypatch.setattr(Desk, "__init__", begin_with)
    return kept


async def _check(
    one: Database, owner: psycopg.Connection, memories: dict[UUID, Memory], state: Callable[[Crowded], None]
) -> None:
    async with served(one) as app, client_of(app) as client:
        roads = await Roads.open(one, client, owner)
        crowded = Crowded(owner, roads)
        state(crowded)
        before = await _ran(one)
        first = await _walk(one, roads, crowded)
        for _ in range(TURNS - 1):
            # So that what is remembered is asked for again.
            memories.clear()
            await roads.walk()
        if state in (empty, small_again):
            crowded.fill(1, MANY)
        last = await _walk(one, roads, crowded)
        often = await _ran(one) - before
    assert not {name: count for read in (first, last) for name, count in read.items() if count >= MANY}
    assert not {sql: count for sql, count in often.items() if count <= 5 and not any(own in sql for own in DRIVERS)}
    assert not crowded.small(name.partition(" ")[0] for name, count in last.items() if count)


@pytest.mark.parametrize("state", [never, at_a_thousand, empty])
async def test_no_statement_of_a_hot_road_reads_a_whole_table(
    one: Database, owner: psycopg.Connection, memories: dict[UUID, Memory], state: Callable[[Crowded], None]
) -> None:
    await _check(one, owner, memories, state)


@pytest.mark.soak
@pytest.mark.parametrize("state", [as_they_are, small_again])
async def test_nor_does_one_that_was_planned_with_other_counts(
    one: Database, owner: psycopg.Connection, memories: dict[UUID, Memory], state: Callable[[Crowded], None]
) -> None:
    await _check(one, owner, memories, state)
