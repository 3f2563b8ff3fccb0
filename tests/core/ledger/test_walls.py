"""Tenants are walls, and what is written once stays: neither a stranger nor the service gets past the database."""

from typing import LiteralString
from uuid import UUID

import asyncpg
import pytest

from bursar.core.identity import service as identity
from bursar.core.ledger import accounts, reading
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import CaptureHold, Move, Order, PlaceHold, ReleaseHold, ReverseEntry, SendMoney
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import NotFound, Refusal
from tests.stories import Story

TABLES = ("tenant", "principal", "api_key", "account", "entry", "posting", "hold", "event", "answer")


@pytest.fixture
async def ours(story: Story) -> Story:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 10.00 USD as t1
        alice holds 10.00 USD as h1 for bob
    """)
    return story


@pytest.fixture
async def theirs(database: Database) -> Story:
    """Another tenant in the same database, with accounts of the same numbers."""
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, "theirs")
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        alice has 7.00 USD
        carol has 7.00 USD
    """)
    return story


async def _told(story: Story, order: Order) -> tuple[str, str]:
    (outcome,) = await story.carry_out([order])
    assert isinstance(outcome, Refusal), outcome
    return outcome.code, outcome.detail


async def test_orders_that_name_ids_of_another_tenant_are_told_what_unknown_ids_are_told(
    ours: Story, theirs: Story
) -> None:
    async with ours.database.transaction(ours.tenant_id, read_only=True) as tx:
        alice = (await reading.find_account(tx, "alice")).id
    cent = Money(1, "USD")

    def orders(account: UUID, entry: UUID, hold: UUID) -> list[Order]:
        return [
            SendMoney(new_id(), new_id(), (Move(account, "carol", cent),)),
            SendMoney(new_id(), new_id(), (Move("carol", account, cent),)),
            PlaceHold(new_id(), new_id(), account, None, cent),
            PlaceHold(new_id(), new_id(), "carol", account, cent),
            CaptureHold(new_id(), new_id(), hold, None, "carol"),
            ReleaseHold(new_id(), hold),
            ReverseEntry(new_id(), new_id(), entry),
        ]

    foreign = orders(alice, ours.names["t1"], ours.names["h1"])
    unknown = orders(new_id(), new_id(), new_id())
    for theirs_order, nobodys_order in zip(foreign, unknown, strict=True):
        assert await _told(theirs, theirs_order) == await _told(theirs, nobodys_order)
    await ours.tell("""
        alice = 90.00 USD
        alice held 10.00 USD
        h1 is pending
    """)
    await theirs.tell("carol = 7.00 USD")


async def test_reading_another_tenants_ids_finds_what_unknown_ids_find(ours: Story, theirs: Story) -> None:
    async with ours.database.transaction(ours.tenant_id, read_only=True) as tx:
        alice = (await reading.find_account(tx, "alice")).id
    async with theirs.database.transaction(theirs.tenant_id) as tx:
        for find, foreign in (
            (reading.find_account, alice),
            (reading.find_entry, ours.names["t1"]),
            (reading.find_hold, ours.names["h1"]),
        ):
            with pytest.raises(NotFound) as theirs_told:
                await find(tx, foreign)
            with pytest.raises(NotFound) as nobody_told:
                await find(tx, new_id())
            assert (theirs_told.value.code, theirs_told.value.detail) == (
                nobody_told.value.code,
                nobody_told.value.detail,
            )
        with pytest.raises(NotFound):
            await accounts.change_status(tx, alice, "frozen")
        assert await reading.list_entries(tx, alice, None, 10) == []
        assert await reading.numbers_of(tx, [alice]) == {}


@pytest.mark.parametrize("table", TABLES)
async def test_a_statement_that_forgets_the_tenant_sees_its_own_rows_only(
    ours: Story, theirs: Story, table: str
) -> None:
    count = f"SELECT count(*), count(*) FILTER (WHERE tenant_id = $1) FROM {table}"
    for story in (ours, theirs):
        async with story.database.transaction(story.tenant_id) as tx:
            ((everything, own),) = await tx.rows(_pair, count, story.tenant_id)  # pyright: ignore[reportArgumentType] -- a table of the list above
            assert everything == own
            assert own > 0 or (table == "hold" and story is theirs)


def _pair(everything: int, own: int) -> tuple[int, int]:
    return everything, own


async def test_without_a_tenant_nothing_is_seen_and_nothing_can_be_written(ours: Story) -> None:
    async with ours.database.transaction() as tx:
        assert await tx.value(int, "SELECT count(*) FROM account") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.database.transaction() as tx:
            await tx.run("INSERT INTO tenant VALUES (gen_random_uuid(), 'intruder')")


async def test_a_row_cannot_be_written_into_another_tenant(ours: Story, theirs: Story) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.database.transaction(ours.tenant_id) as tx:
            await tx.run("INSERT INTO principal VALUES ($1, $2, 'agent', 'intruder')", theirs.tenant_id, new_id())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.database.transaction(ours.tenant_id) as tx:
            await tx.run("UPDATE account SET tenant_id = $1", theirs.tenant_id)


@pytest.mark.parametrize("role", ["bursar_app", "bursar_worker", "bursar_verify"])
async def test_what_is_written_once_cannot_be_changed_by_the_service(ours: Story, database_url: str, role: str) -> None:
    database = await Database.open(database_url, role=role, connections=1)
    tables: tuple[LiteralString, ...] = ("entry", "posting", "event", "answer")
    changes: tuple[LiteralString, ...] = (
        "UPDATE {} SET tenant_id = tenant_id",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
    )
    for table in tables:
        for change in changes:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with database.transaction(ours.tenant_id) as tx:
                    await tx.run(change.format(table))
    await database.close()


@pytest.mark.parametrize("change", ["DELETE FROM account", "DELETE FROM hold", "DELETE FROM tenant", "DROP TABLE hold"])
async def test_nothing_can_be_made_to_disappear(ours: Story, change: LiteralString) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.database.transaction(ours.tenant_id) as tx:
            await tx.run(change)


async def test_an_entry_without_its_event_does_not_commit(ours: Story) -> None:
    """No audit row, no commit."""
    order = SendMoney(new_id(), new_id(), (Move("alice", "bob", Money(1, "USD")),))
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with ours.database.transaction(ours.tenant_id) as tx:
            await ledger.send_many(tx, [order], ledger.unexamined)
    await ours.tell("alice = 90.00 USD")
