"""What the books say after a fault, held against what clients were told."""

import json

import psycopg

from bursar.features.verification import service as verification
from bursar.kernel.db import Database
from tests.faults.clients import TARGET


async def check(url: str, told: dict[str, str], opening: int) -> None:
    """Every transfer that was acknowledged is there, once, under its key, and nothing else; all invariants hold.

    `opening` is what the target held before, in minor units; every transfer is of one.
    """
    with psycopg.connect(url) as connection:
        answers = connection.execute("SELECT key, convert_from(body, 'UTF8') FROM bursar.answer").fetchall()
        entries = connection.execute(
            "SELECT e.id::text FROM bursar.entry e JOIN bursar.answer a ON a.event_id = e.event_id"
        ).fetchall()
        balance = connection.execute("SELECT posted_minor FROM bursar.account WHERE number = %s", [TARGET]).fetchone()
    made = {key: json.loads(body)["request_id"] for key, body in answers}
    assert {key: made.get(key) for key in told} == told
    assert made.keys() == told.keys()
    assert sorted(entry for (entry,) in entries) == sorted(told.values())
    assert balance == (opening + len(told),)
    assert await violations(url) == []


async def violations(url: str) -> list[str]:
    """What is wrong with the books."""
    database = await Database.open(url, role="bursar_verify", connections=1)
    try:
        async with database.transaction(read_only=True) as tx:
            return [str(violation) for violation in await verification.verify(tx)]
    finally:
        await database.close()
