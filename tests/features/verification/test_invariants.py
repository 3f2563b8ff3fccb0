"""An invariant that cannot fail proves nothing: each is broken here in every way we could think of, and must say so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.features.verification import service as verification
from bursar.features.verification.model import Violation
from bursar.kernel.db import Database, Tx, connect
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.ids import new_id
from bursar.kernel.migrate import migrate
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.crews import crew_of
from tests.databases import own_database
from tests.features.lending.applying import lender_of
from tests.features.verification import (
    plants,
    plants_in_schema,
    plants_of_collections,
    plants_of_jobs,
    plants_of_lending,
    plants_of_loans,
)
from tests.stories import Story

PLANTS = plants.PLANTS + plants_in_schema.PLANTS
LENDING = plants_of_lending.PLANTS + plants_of_loans.PLANTS + plants_of_collections.PLANTS

# What no service's role could do by itself. Triggers and foreign keys rest, the checks go.
UNGUARDED = """
SET LOCAL search_path = bursar;
SET LOCAL session_replication_role = replica;
DO $$
DECLARE
    guard record;
BEGIN
    FOR guard IN
        SELECT conrelid::regclass AS relation, conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'bursar'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard.relation, guard.conname);
    END LOOP;
END
$$
"""


@pytest.fixture(scope="module")
def book(postgres: str) -> Iterator[str]:
    """The URL of a database in which everything that an invariant speaks of has happened, and all was well."""
    with own_database(postgres) as url:
        asyncio.run(_write(url))
        yield url


async def _write(url: str) -> None:
    database = await Database.open(url)
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'planted')", tenant_id)
        await tx.run("INSERT INTO principal VALUES ($1, $1, 'operator', 'operator')", tenant_id)
    await (await Story.begin(database, tenant_id)).tell(plants.BOOK)
    await database.close()


@pytest.fixture(scope="module")
def jobs(postgres: str) -> Iterator[str]:
    """Likewise, of jobs."""
    with own_database(postgres) as url:
        asyncio.run(_play(url))
        yield url


async def _play(url: str) -> None:
    database = await Database.open(url)
    async with served(database) as app, client_of(app) as client:
        await plants_of_jobs.play(await crew_of(database, client, await enrol(database, client, "ours")), url)
    await database.close()


@pytest.fixture(scope="module")
def loans(postgres: str) -> Iterator[str]:
    """Likewise, of applications for loans, and of loans."""
    with own_database(postgres) as url:
        asyncio.run(_lend(url))
        yield url


async def _lend(url: str) -> None:
    database = await Database.open(url)
    async with served(database) as app, client_of(app) as client:
        ours = await lender_of(database, client, await enrol(database, client, "ours"))
        await plants_of_lending.play(ours)
        await plants_of_loans.play(ours, url)
        await plants_of_collections.play(ours, url)
    await database.close()


async def _found(url: str, *scripts: str) -> list[Violation]:
    """What verification finds after the scripts, none of which lasts."""
    connection = await connect(url)
    try:
        await connection.execute("BEGIN")
        for script in ("SET LOCAL search_path = bursar", *scripts):
            await connection.execute(script)
        return await verification.verify(Tx(connection, None))
    finally:
        await connection.close()


@pytest.mark.parametrize(("name", "plant"), PLANTS, ids=[f"{name} {plant[:70]}" for name, plant in PLANTS])
async def test_a_planted_violation_is_found(book: str, name: str, plant: str) -> None:
    assert name in {violation.invariant for violation in await _found(book, UNGUARDED, plant)}


@pytest.mark.parametrize(("name", "plant"), plants_of_jobs.PLANTS, ids=[p[:90] for _, p in plants_of_jobs.PLANTS])
async def test_a_violation_planted_among_jobs_is_found(jobs: str, name: str, plant: str) -> None:
    assert name in {violation.invariant for violation in await _found(jobs, UNGUARDED, plant)}


@pytest.mark.parametrize(("name", "plant"), LENDING, ids=[p[:90] for _, p in LENDING])
async def test_a_violation_planted_among_loans_is_found(loans: str, name: str, plant: str) -> None:
    assert name in {violation.invariant for violation in await _found(loans, UNGUARDED, plant)}


async def test_a_book_in_order_has_no_violation(book: str, jobs: str, loans: str) -> None:
    assert await _found(book) == await _found(jobs) == await _found(loans) == []


async def test_taking_the_guards_away_is_no_violation_by_itself(book: str, jobs: str, loans: str) -> None:
    assert await _found(book, UNGUARDED) == await _found(jobs, UNGUARDED) == await _found(loans, UNGUARDED) == []


def test_every_invariant_is_broken_by_some_plant() -> None:
    names = [invariant.name for invariant in verification.invariants()]
    assert names == sorted(set(names))
    assert names == sorted({name for name, _ in PLANTS + plants_of_jobs.PLANTS + LENDING})


async def test_a_violation_names_the_rows_and_stops_at_the_number_asked_for(book: str) -> None:
    connection = await connect(book)
    try:
        await connection.execute("BEGIN; SET LOCAL search_path = bursar; UPDATE account SET version = version + 1")
        found = await verification.verify(Tx(connection, None), 3)
    finally:
        await connection.close()
    assert [violation.invariant for violation in found] == ["I03"] * 3
    assert all(violation.facts["version"] == violation.facts["lines"] + 1 for violation in found)


async def test_the_verifying_role_sees_what_is_wrong_in_every_tenant(unverified_database_url: str) -> None:
    await _write(unverified_database_url)
    connection = await connect(unverified_database_url)
    await connection.execute("UPDATE bursar.account SET posted_minor = posted_minor + 1 WHERE number = 'alice'")
    await connection.close()
    database = await Database.open(unverified_database_url, role="bursar_verify")
    async with database.transaction(read_only=True) as tx:
        found = await verification.verify(tx)
    await database.close()
    assert [violation.invariant for violation in found] == ["I01", "I02"]


async def test_a_server_that_does_not_sync_is_found(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    careless = {"fsync": "off", "full_page_writes": "off"}
    with EmbeddedPostgres(tmp_path, binaries=pytestconfig.getoption("--binaries"), settings=careless) as server:
        url = server.start()
        await migrate(url)
        found = await _found(url)
    assert {violation.facts["name"] for violation in found} == {"fsync", "full_page_writes"}
