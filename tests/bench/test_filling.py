"""A database that was filled is as good as one that grew: every invariant holds at the end of each test."""

from uuid import UUID

import psycopg
import pytest

from bench import filling
from bench.filling import fill
from bench.inprocess import Work, carry_out, instruction
from bench.services import FUNDING
from bench.workloads import any_of
from bursar.core.authority.desk import Desk
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database


async def seeded(database: Database, tenant_id: UUID) -> str:
    """Have the tenant make one transfer from outside; returns a key of its operator."""
    async with database.transaction(tenant_id) as tx:
        operator = await identity.find_principal_named(tx, "operator")
        assert operator
        _, key = await identity.create_key(tx, operator, None, live=False)
        await accounts.open_account(tx, OpenAccount(FUNDING, "Funding", "USD", floor_minor=None))
        await accounts.open_account(tx, OpenAccount("SEED", "Seed", "USD"))
    credential = read_key(key.text)
    assert credential
    reply = await Desk(database, assess).submit(instruction(credential, [(FUNDING, "SEED", "1.00")]))
    assert isinstance(reply, Answer)
    return key.text


@pytest.mark.parametrize(("asked", "made"), [(1_000, 1_000), (1_099, 1_000), (50, 100)])
async def test_a_filled_database_is_in_order_and_transfers_go_on_from_there(
    database: Database, tenant_id: UUID, database_url: str, monkeypatch: pytest.MonkeyPatch, asked: int, made: int
) -> None:
    key = await seeded(database, tenant_id)
    monkeypatch.setattr(filling, "CHUNK", 300)
    told: list[int] = []
    assert fill(database_url, 100, asked, told.append) == made
    assert told == [*range(300, made, 300), made]
    with psycopg.connect(database_url) as connection:
        counted = connection.execute(
            "SELECT count(*), count(DISTINCT source_id), count(DISTINCT (source_id, target_id)) FROM bursar.posting"
        ).fetchone()
    # One round after the other, all others pay; the funding account has paid everybody, and the seed.
    assert counted == (made + 1, 1 + 100 * (made > 100), made + 1)
    seen = await carry_out(Work(database_url, key, any_of(100), seed=1, seconds=0.01, size=50))
    assert seen.errors == 0
    assert seen.transfers >= 100
