"""A scheduler's process, which passes the nights of one tenant: `night_worker.py URL TENANT UNTIL BATCH SEED CHANCE`.

Now and then it dies in the middle of a transaction: what that did is done by the next.
"""

import asyncio
import os
import random
import signal
import sys
from datetime import date
from uuid import UUID

from bursar.features.lending import nightly
from bursar.kernel.db import Database


async def work(url: str, tenant_id: UUID, until: date, batch: int, chance: float, dice: random.Random) -> None:
    database = await Database.open(url, role="bursar_worker", connections=1)
    while True:
        async with database.transaction(tenant_id) as tx:
            passed = await nightly.pass_nights(tx, until, batch)
            if passed and dice.random() < chance:
                # Some of what it has written is with the database already, some is not.
                if dice.random() < 0.5:
                    await tx.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        if not passed:
            break
    await database.close()


if __name__ == "__main__":
    url, tenant, until, batch, seed, chance = sys.argv[1:]
    asyncio.run(work(url, UUID(tenant), date.fromisoformat(until), int(batch), float(chance), random.Random(int(seed))))
