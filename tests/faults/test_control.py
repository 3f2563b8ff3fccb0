"""The control of the crash tests: without synchronous commits the same crash loses what was acknowledged.

It shows that a kill takes from PostgreSQL what it has not written, and that the tests beside this one would see it.
"""

import asyncio
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from bursar.core.authority.desk import Desk
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import SandboxCredential
from bursar.faces.cli.place import tenant_id_of
from bursar.features.risk.deciding import assess
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.migrate import migrate
from tests.asking import DONE, transfer
from tests.faults import power
from tests.faults.clients import SOURCE, TARGET

WAVES, IN_A_WAVE = 40, 5
TENANT = tenant_id_of(sandbox.TENANT)
# Nobody writes what transactions leave in memory, but the commits that wait for it: ten seconds are the most it allows.
LAZY = {"wal_writer_delay": "10s", "wal_writer_flush_after": "2000MB", "wal_buffers": "64MB", "autovacuum": "off"}


async def acknowledged(database: Database) -> set[str]:
    """Make transfers, one wave after the other, and return the ids of those that were acknowledged."""
    who = SandboxCredential(TENANT, sandbox.AGENT)
    desk = Desk(database, assess)
    told: set[str] = set()
    for _ in range(WAVES):
        answers = await asyncio.gather(*(desk.submit(transfer(who, SOURCE, TARGET)) for _ in range(IN_A_WAVE)))
        done = [answer for answer in answers if isinstance(answer, Answer) and answer.status == DONE]
        told |= {str(UUID(answer.body.decode())) for answer in done}
    return told


async def lost_in_a_crash(data: Path, *, durable: bool) -> tuple[int, int]:
    """How many transfers were acknowledged, and how many of them are gone after the server was killed."""
    with EmbeddedPostgres(data, settings=LAZY) as server:
        url = server.start()
        await migrate(url)
        await open_sandbox(url)
        database = await Database.open(url, durable=durable, connections=4)
        told = await acknowledged(database)
        power.cut(data)
        await database.close()
        with psycopg.connect(server.start()) as connection:
            found = {str(row[0]) for row in connection.execute("SELECT id FROM bursar.entry").fetchall()}
    return len(told), len(told - found)


async def open_sandbox(url: str) -> None:
    """Fill the sandbox, durably."""
    database = await Database.open(url, connections=1)
    async with database.transaction(TENANT) as tx:
        await sandbox.ensure(tx)
    await database.close()


@pytest.mark.parametrize("durable", [True, False], ids=["synchronous", "control"])
async def test_a_crash_loses_acknowledged_transfers_only_without_synchronous_commits(
    tmp_path: Path, durable: bool
) -> None:
    told, lost = await lost_in_a_crash(tmp_path, durable=durable)
    assert told == WAVES * IN_A_WAVE
    assert lost == 0 if durable else lost > 0
