"""What no query can ask: a loan is what its facts make of it, and a decision comes out as it did; else it is named."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bursar.faces.cli.verify import REPLAYS
from bursar.features.lending import checking
from bursar.features.verification import service as verification
from bursar.features.verification.model import Replay, Violation
from bursar.kernel.db import Database, Tx, connect
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.databases import own_database
from tests.features.lending.applying import lender_of
from tests.features.lending.borrowing import borrowed, today
from tests.features.verification import plants_of_lending, plants_of_loans

A_DECISION = "(SELECT id FROM loan_decision WHERE inputs LIKE '%\"points\"%' LIMIT 1)"
OF_INPUTS = (
    "UPDATE loan_decision SET inputs = replace(inputs, {0}), "
    f"inputs_hash = sha256(convert_to(replace(inputs, {{0}}), 'UTF8')) WHERE id = {A_DECISION}"
)
PLANTS: list[tuple[str, str]] = [
    ("I79", "UPDATE loan SET day = day - 1 WHERE status = 'active'"),
    ("I79", "UPDATE loan SET flows[3] = flows[3] + 1 WHERE status = 'active'"),
    ("I79", "UPDATE loan SET status = 'settled' WHERE status = 'active'"),
    ("I79", "UPDATE loan SET next_due = next_due + 1 WHERE status = 'active'"),
    ("I79", "UPDATE loan SET bucket = '90+' WHERE status = 'active'"),
    ("I79", "UPDATE loan SET facts = facts - 1 WHERE status = 'active'"),
    ("I79", "UPDATE loan SET state = '{}' WHERE status = 'active'"),
    ("I79", "UPDATE loan SET state = '{}' WHERE status = 'pending'"),
    ("I79", "UPDATE loan SET flows[1] = 5 WHERE status = 'pending'"),
    ("I79", "UPDATE loan_plan SET plan = '[]'"),
    ("I79", "UPDATE loan_plan SET closed = 'nothing'"),
    ("I79", "DELETE FROM loan_plan"),
    ("I79", "UPDATE loan_fact SET body = replace(body, '500', '501') WHERE seq = 2"),
    ("I79", "DELETE FROM loan_fact WHERE seq = 2"),
    ("I79", "UPDATE loan_fact SET happened_on = happened_on - 1 WHERE seq = 1"),
    ("I80", OF_INPUTS.format("'\"points\":750', '\"points\":751'")),
    ("I80", OF_INPUTS.format("'\"amount_minor\":120000', '\"amount_minor\":900000'")),
    ("I80", "UPDATE loan_decision SET inputs_hash = sha256('')"),
    ("I80", "UPDATE loan_decision SET judgement = replace(judgement, 'pass', 'review')"),
    ("I80", "UPDATE loan_statement SET body = replace(body, '600000', '600001')"),
    ("I80", "/* of another version */ UPDATE loan_statement SET application_version = 1"),
    ("I80", "DELETE FROM loan_statement"),
    ("I80", "UPDATE loan_scorecard SET card = replace(card, '\"base_points\":400', '\"base_points\":401')"),
    ("I80", "DELETE FROM loan_scorecard"),
    ("I80", "UPDATE loan_product SET terms = replace(terms, '\"min_points\":1', '\"min_points\":null')"),
]


@pytest.fixture(scope="module")
def book(postgres: str) -> Iterator[str]:
    """The URL of a database with loans and decisions, all in order."""
    with own_database(postgres) as url:
        asyncio.run(_play(url))
        yield url


async def _play(url: str) -> None:
    database = await Database.open(url)
    async with served(database) as app, client_of(app) as client:
        ours = await lender_of(database, client, await enrol(database, client, "ours"))
        await plants_of_lending.play(ours)
        await plants_of_loans.play(ours, url)
        await borrowed(ours, on=today() - timedelta(days=2))
    await database.close()


async def _found(url: str, plant: str) -> tuple[list[Violation], dict[str, int]]:
    """What the replays find after a plant, which does not last, and how many of each kind they looked at."""
    looked_at: dict[str, int] = {}

    def told(replay: Replay, number: int) -> None:
        looked_at[replay.kind] = number

    connection = await connect(url)
    try:
        await connection.execute("BEGIN; SET LOCAL search_path = bursar; SET LOCAL session_replication_role = replica")
        await connection.execute(plant)
        return await verification.replayed(Tx(connection, None), REPLAYS, told), looked_at
    finally:
        await connection.close()


async def test_what_is_in_order_is_found_so_whatever_the_batch(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (500, 1):
        monkeypatch.setattr(checking, "_BATCH", size)
        assert await _found(book, "SELECT 1") == ([], {"loans": 4, "loan decisions": 7})


@pytest.mark.parametrize(("name", "plant"), PLANTS, ids=[f"{name} {plant[:80]}" for name, plant in PLANTS])
async def test_a_planted_difference_is_found(book: str, name: str, plant: str) -> None:
    found, _ = await _found(book, plant)
    assert {violation.invariant for violation in found} == {name}


async def test_a_loan_is_named_with_what_differs(book: str) -> None:
    one = "(SELECT id FROM loan WHERE status = 'active' ORDER BY id LIMIT 1)"
    (violation,), _ = await _found(book, f"UPDATE loan SET flows[3] = flows[3] + 1 WHERE id = {one}")
    assert violation.facts["loan"].startswith("loan_")
    assert violation.facts["difference"] == "flows"
