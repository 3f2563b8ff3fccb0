"""Every statement on the road of a transfer goes by its keys, whatever has been counted of the tables it reads.

A plan that reads a whole table costs nothing while the table is small. So here the tables have thousands of rows of
others, and none of their indexes may have given as many.
"""

from collections.abc import AsyncGenerator, Iterator

import psycopg
import pytest

from bursar.core.authority.desk import Desk
from bursar.core.identity import service as identity
from bursar.features.risk.deciding import assess
from bursar.features.risk.ruleset import DEFAULT_RULES, write_rules
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.asking import transfer
from tests.core.authority.mandates import window_json
from tests.core.authority.offices import Office, usual_terms
from tests.features.risk.past import put_in_force
from tests.stories import Story

MANY = 4_000
TRANSFERS = 12
EVERY_RULE = usual_terms(
    windows=[
        window_json(max_amount="900.00"),
        window_json(kind="rolling", period="hour", max_amount=None, currency=None, max_count=1_000),
        window_json(max_amount="900.00", per_payee=True),
    ],
    velocity={"max_count": 1_000, "seconds": 60},
    duplicate_window_seconds=1,
)
# So many of each from `first` to `last`.
OTHERS = """
    CREATE TEMPORARY TABLE one ON COMMIT DROP AS
        SELECT %(tenant)s::uuid AS tenant_id, gen_random_uuid() AS id, n FROM generate_series(%(first)s, %(last)s) n;
    INSERT INTO principal (tenant_id, id, kind, name) SELECT tenant_id, id, 'agent', 'agent-' || n FROM one;
    INSERT INTO api_key (tenant_id, id, principal_id, secret_hash, scopes)
        SELECT tenant_id, n, id, sha256('x'), '{}' FROM one;
    INSERT INTO mandate (tenant_id, id, version, name, agent_id, status, terms, granted_by)
        SELECT tenant_id, id, 1, 'of one', id, 'active', '{}', id FROM one;
    INSERT INTO account (tenant_id, id, number, name, currency, normal_side)
        SELECT tenant_id, id, 'other-' || n, '', 'USD', 'credit' FROM one;
    INSERT INTO counterparty (tenant_id, id, account_id, name, created_by) SELECT tenant_id, id, id, '', id FROM one;
    INSERT INTO event (tenant_id, id, type, action, body) SELECT tenant_id, id, 'x', 'x', '{}' FROM one;
    INSERT INTO answer (tenant_id, id, principal_id, action, key, request_hash, status, body, event_id)
        SELECT tenant_id, id, id, 'x', n::text, sha256('x'), 200, '', id FROM one;
    INSERT INTO decision (tenant_id, id, agent_id, action, outcome, codes, source_id, target_id, currency,
                          amount_minor, inputs, inputs_hash, results, uses, decided_at, fingerprint)
        SELECT tenant_id, id, id, 'create_transfer', 'allow', '', id, id, 'USD', 1, '', sha256('x'),
               '[["status"],[]]', '', clock_timestamp(), id FROM one;
    INSERT INTO limit_usage (tenant_id, mandate_id, window_key, payee_id, bucket, amount_minor, uses)
        SELECT tenant_id, id, 'velocity', id, clock_timestamp(), 1, 1 FROM one;
"""


@pytest.fixture
async def story(unverified_database_url: str) -> AsyncGenerator[Story]:
    """A tenant in which alice has 1000.00 USD; what is added of others keeps no invariant."""
    database = await Database.open(unverified_database_url)
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, "tenant")
        await identity.create_principal(tx, "operator", "operator")
    story = await Story.begin(database, tenant_id)
    await story.tell("alice has 1000.00 USD")
    await story.tell("bob has 0.00 USD")
    yield story
    await database.close()


@pytest.fixture
def owner(unverified_database_url: str) -> Iterator[psycopg.Connection]:
    """The superuser, to whom constraints do not apply."""
    options = "-c search_path=bursar -c session_replication_role=replica"
    with psycopg.connect(unverified_database_url, autocommit=True, options=options) as connection:
        yield connection


async def _transfers(database_url: str, office: Office, count: int) -> None:
    """By an agent and by an operator, over connections of their own, which have counted all they read when closed."""
    database = await Database.open(database_url, connections=1)
    try:
        desk = Desk(database, assess)
        for n in range(count):
            await desk.submit(transfer(office.clerk, "alice", "bob", n + 1))
            await desk.submit(transfer(office.story.operator, "alice", "bob", n + 1))
    finally:
        await database.close()


def _read(owner: psycopg.Connection) -> dict[str, int]:
    """How many rows each index has given, and each table without one."""
    by_index = "SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes"
    by_none = "SELECT relname, seq_tup_read FROM pg_stat_user_tables"
    return dict(owner.execute(f"{by_index} UNION ALL {by_none}").fetchall())


def _fill(owner: psycopg.Connection, story: Story, first: int, last: int) -> None:
    with owner.transaction():
        psycopg.ClientCursor(owner).execute(OTHERS, {"tenant": story.tenant_id, "first": first, "last": last})


# Autovacuum counts a table first when it has a thousand rows; see migration 0028.
@pytest.mark.parametrize("counted", ["never", "at a thousand", "as they are"])
async def test_no_statement_of_a_transfer_reads_a_whole_table(
    story: Story, unverified_database_url: str, owner: psycopg.Connection, counted: str
) -> None:
    office = await Office.open(story, EVERY_RULE)
    put_in_force(owner, story.tenant_id, write_rules(DEFAULT_RULES), 1, "active")
    await _transfers(unverified_database_url, office, 1)
    _fill(owner, story, 1, 1_000)
    if counted == "at a thousand":
        owner.execute("ANALYZE")
    _fill(owner, story, 1_001, MANY)
    if counted == "as they are":
        owner.execute("ANALYZE")
    owner.execute("SELECT pg_stat_reset()")
    await _transfers(unverified_database_url, office, TRANSFERS)
    read = _read(owner)
    assert read["decision_by_fingerprint"] + read["account_pkey"]
    assert not {name: count for name, count in read.items() if count >= MANY}
