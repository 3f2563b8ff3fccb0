"""Behind PgBouncer in transaction mode: any session may do any transaction, and nothing is different for money."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from bursar.core.authority.desk import Desk
from bursar.core.authority.narrowing import WIDEST
from bursar.core.idempotency.model import Answer, IdempotencyInFlight
from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.features.risk.deciding import assess
from bursar.kernel.db import CannotConnect, Database, OutcomeUnknown, UpstreamUnavailable, connect
from bursar.kernel.migrate import migrate, pending
from tests.asking import DONE, transfer
from tests.core.authority.mandates import window_json
from tests.faults.clients import Clients
from tests.faults.ledgers import check
from tests.faults.proxy import Cut, Proxy, proxied
from tests.people import allow
from tests.pgbouncer import bouncing, needs_pgbouncer
from tests.served import serving
from tests.stories import Story

pytestmark = needs_pgbouncer

# What another program may leave in a session, for whoever comes next.
LEFT = """
    SET search_path = public; SET role = bursar_owner; SET row_security = off; SET synchronous_commit = off;
    SET default_transaction_read_only = on; SET default_transaction_isolation = 'serializable';
    SET lock_timeout = '1ms'; SET statement_timeout = '1h'; SET timezone = 'Asia/Tokyo'; SET enable_seqscan = on
"""
# What Bursar asks of a session of its own; PgBouncer may be told not to mind.
SESSIONS = "role,search_path,lock_timeout,statement_timeout,idle_in_transaction_session_timeout,enable_seqscan,jit"
AS_IT_IS = """
    SELECT concat_ws(' ', current_user, current_setting('search_path'), current_setting('synchronous_commit'),
        current_setting('transaction_isolation'), current_setting('lock_timeout'), current_setting('statement_timeout'),
        current_setting('timezone'), current_setting('enable_seqscan'))
"""


@pytest.fixture
def login(database_url: str) -> Iterator[str]:
    """The URL of a login as the README makes it, which owns nothing."""
    name = f"service_{os.getpid()}"
    role = sql.Identifier(name)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN; GRANT bursar_app, bursar_worker TO {}").format(role, role))
        try:
            yield database_url.replace("postgres@", f"{name}@", 1)
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for a socket, which whoever PostgreSQL runs as may enter; its path may not be long."""
    with tempfile.TemporaryDirectory(prefix="cut-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture
async def pooled(login: str) -> AsyncGenerator[Database]:
    """The database as the service sees it, through a PgBouncer that has three sessions for all."""
    with bouncing(login, default_pool_size="3") as url:
        opened = await Database.open(url, statement_cache_size=0, pooled=True)
        yield opened
        await opened.close()


async def test_every_transaction_is_its_own_whatever_others_left_in_the_session(
    database_url: str, tenant_id: UUID
) -> None:
    with bouncing(database_url, default_pool_size="1") as url:
        database = await Database.open(url, statement_cache_size=0, pooled=True, connections=2)
        rude = await connect(url)
        for role in ("bursar_owner", "none"):
            await rude.execute(f"SET app.tenant_id = '{tenant_id}'; {LEFT.replace('bursar_owner', role)}")
            usual = "bursar_app bursar on {} 2s 30s UTC off"
            async with database.transaction() as tx:
                assert await tx.value(str, AS_IT_IS) == usual.format("read committed")
                assert await tx.value(int, "SELECT count(*) FROM principal") == 0
            async with database.transaction(tenant_id) as tx:
                assert await tx.value(int, "SELECT count(*) FROM principal") == 1
                await tx.run("UPDATE principal SET name = $1", role)
            async with database.transaction(tenant_id, read_only=True) as tx:
                assert await tx.value(str, AS_IT_IS) == usual.format("repeatable read")
            # It was the same session all the time, and nothing of Bursar's stays there.
            assert await rude.fetchval("SHOW timezone") == "Asia/Tokyo"
            assert await rude.fetchval("SELECT current_setting('app.tenant_id')") == str(tenant_id)
        await rude.close()
        await database.close()


async def test_without_the_setting_it_does_not_start(login: str) -> None:
    with bouncing(login) as url, pytest.raises(CannotConnect, match="BURSAR_POOLED"):
        await Database.open(url)
    silent = f"5\nignore_startup_parameters = {SESSIONS}"
    with bouncing(login, query_wait_timeout=silent) as url, pytest.raises(CannotConnect, match="BURSAR_POOLED"):
        await Database.open(url)


async def test_it_is_migrated_through_it_by_several_at_once(empty_database_url: str) -> None:
    with bouncing(empty_database_url, default_pool_size="2") as url:
        wanted = await pending(url)
        done = await asyncio.gather(*(migrate(url) for _ in range(3)))
        assert sorted(name for names in done for name in names) == wanted
        assert await pending(url) == []
        # Nothing of it stays with the sessions.
        left = await connect(url)
        assert await left.fetchval("SELECT current_user") == "postgres"
        await left.close()


async def test_transfers_are_done_once_and_a_cap_is_kept_over_two_desks(
    database: Database, pooled: Database, tenant_id: UUID
) -> None:
    story = await Story.begin(database, tenant_id)
    await story.tell("alice has 1000.00 USD\nbob has 0.00 USD")
    async with database.transaction(tenant_id) as tx:
        payer = await identity.create_principal(tx, "agent", "payer")
        await allow(tx, payer, WIDEST | {"windows": [window_json(period="lifetime", max_amount="0.40")]})
        _, made = await identity.create_key(tx, payer, None, live=False)
    agent = read_key(made.text)
    assert agent
    desks = [Desk(pooled, assess), Desk(pooled, assess)]
    for who, each in ((story.operator, 300), (agent, 64)):
        orders = [transfer(who, "alice", "bob") for _ in range(each)]
        replies = await asyncio.gather(*(desk.submit(order) for order in orders for desk in desks))
        # Whoever came second while the first was under way asks again.
        settled = [await desks[0].submit(order) for order in orders]
        assert all(isinstance(reply, Answer) for reply in settled)
        assert all(isinstance(reply, Answer | IdempotencyInFlight) for reply in replies)
    # 3.00 of the operator's and 0.40 of the agent's.
    await story.tell("bob = 3.40 USD")


@pytest.mark.soak
@pytest.mark.parametrize("cut", ["before", "after", "at once"])
async def test_what_became_of_a_lost_commit_is_found_out(
    database: Database, login: str, tenant_id: UUID, place: Path, cut: Cut
) -> None:
    """Whether it is the connection to PgBouncer that breaks, or the one from there on."""
    story = await Story.begin(database, tenant_id)
    await story.tell("alice has 1000.00 USD\nbob has 0.00 USD")
    with bouncing(login) as url:
        async with proxied(url, place) as (proxy, before):
            await _cut(story, before, proxy, cut)
    async with proxied(login, place) as (proxy, behind):
        (place / ".s.PGSQL.5432").chmod(0o777)
        with bouncing(behind) as url:
            await _cut(story, url, proxy, cut)
    await story.tell("bob = 0.20 USD")


async def _cut(story: Story, url: str, proxy: Proxy, cut: Cut) -> None:
    """Ten transfers, each of whose first COMMITs is cut; what is answered never contradicts the books."""
    database = await Database.open(url, connections=4, statement_cache_size=0, pooled=True)
    desk = Desk(database, assess)
    made: list[Cut] = []
    for _ in range(10):
        send = transfer(story.operator, "alice", "bob")
        before = await _paid(story)
        proxy.plan([cut])
        reply = await desk.submit(send)
        made += proxy.made
        moved = await _paid(story) - before
        match reply:
            case Answer():
                assert (reply.status, moved) == (DONE, 1)
            case UpstreamUnavailable():
                assert moved == 0
            case _:
                assert isinstance(reply, OutcomeUnknown)
        again = await desk.submit(send)
        assert isinstance(again, Answer)
        assert (again.status, await _paid(story) - before) == (DONE, 1)
    assert made.count(cut) == 10
    await database.close()


async def _paid(story: Story) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(int, "SELECT posted_minor FROM account WHERE number = 'bob'")


@pytest.mark.soak
async def test_a_service_of_two_processes_behind_it_does_each_transfer_once(
    database_url: str, login: str, key: str
) -> None:
    program = ("bursar", "serve", "--workers", "2")
    with bouncing(login) as url, serving(database_url=url, program=program, BURSAR_POOLED="true") as served:
        clients = Clients(served.url, {"Authorization": f"Bearer {key}"})
        running = asyncio.create_task(clients.run())
        await clients.after(300)
        clients.stop()
        await running
        assert (clients.lost, served.stop()) == (0, 0)
    await check(database_url, clients.told, 500_000)
