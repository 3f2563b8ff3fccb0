"""An agent's process, which does steps until it is ended: `job_worker.py URL KEY SEED`.

Now and then it dies or freezes with a step in its hands, and it always says twice, under two keys, that a step is done.
"""

import asyncio
import os
import random
import signal
import sys

from bursar.client import Bursar, BursarProblem, CallFailed
from bursar.kernel.ids import new_id

LEASE_SECONDS = 3


def tell(word: str) -> None:
    """One line, written at once: nobody knows how long there is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def work(url: str, key: str, dice: random.Random) -> None:
    async with Bursar(url, key) as client:
        while True:
            try:
                claimed = await client.claim_step(lease_seconds=LEASE_SECONDS, wait=1)
                if claimed.job is None or claimed.token is None:
                    continue
                fate = dice.random()
                if fate < 0.04:
                    os.kill(os.getpid(), signal.SIGKILL)
                if fate < 0.08:
                    # Whoever started it has it go on once the lease is over.
                    os.kill(os.getpid(), signal.SIGSTOP)
                for _ in range(2):
                    await client.complete_step(claimed.job.id, token=claimed.token, idempotency_key=new_id().hex)
                    tell("done")
            except CallFailed as failure:
                tell(failure.problem.code if isinstance(failure, BursarProblem) else "lost")


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], random.Random(int(sys.argv[3]))))
