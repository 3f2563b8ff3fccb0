"""Large instructions at the desk itself, without HTTP: in a process of its own, with all that is written with them."""

import asyncio
import gc
import hashlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Final

import uvloop
from pydantic import TypeAdapter

from bench import wire
from bench.comparing import Side
from bench.load import PROCESS_SECONDS, Measurement, Run
from bench.workloads import orders
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.desk import Desk
from bursar.core.authority.model import Ask, Instruction, Told
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import KeyCredential
from bursar.core.ledger.outcomes import Done
from bursar.features.risk.deciding import assess
from bursar.features.transfers import service as transfers
from bursar.features.transfers.service import Wish
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import read_amount
from bursar.kernel.settings import Settings

SIZE: Final = 4_096
# While PostgreSQL writes one instruction, the next is decided.
AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What a process is told, on its standard input: the database, whose key, which transfers, and for how long."""

    url: str
    key: str
    workload: str
    seed: int
    seconds: float
    size: int = SIZE


def in_process(url: str, key: str) -> Side:
    """A side that gives the desk instructions under this key."""

    def measured(workload: str, seed: int, seconds: float) -> Measurement:
        work = Work(url, key, workload, seed, seconds)
        done = subprocess.run(
            [sys.executable, "-m", "bench.inprocess"],
            input=TypeAdapter(Work).dump_json(work),
            stdout=subprocess.PIPE,
            timeout=seconds + PROCESS_SECONDS,
            check=True,
        )
        return TypeAdapter(Measurement).validate_json(done.stdout)

    return Side(measured)


async def carry_out(work: Work) -> Measurement:
    """Have instructions of so many transfers carried out, one after the other, until the time is up."""
    settings = Settings()
    database = await Database.open(
        work.url, connections=settings.connections, statement_cache_size=settings.statement_cache_size
    )
    desk, asked = Desk(database, assess), orders(work.workload, work.seed)
    credential = read_key(work.key)
    assert credential
    # As in the service: what is alive now stays.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    now = perf_counter()
    run = Run(iter(()), now, now + work.seconds, work.size)
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(keep_asking(run, desk, credential, asked))
    await database.close()
    return run.measured()


async def keep_asking(run: Run, desk: Desk, credential: KeyCredential, asked: Iterator[tuple[str, str, str]]) -> None:
    """Give the desk the next instruction when the last one is answered."""
    while not run.is_over():
        sent_at = perf_counter()
        reply = await desk.submit(instruction(credential, list(islice(asked, run.batch))))
        status, body = (reply.status, reply.body) if isinstance(reply, Answer) else (0, reply.detail.encode())
        run.count(wire.Answer(status, body, closes=False), sent_at)


def instruction(credential: KeyCredential, asked: Sequence[tuple[str, str, str]]) -> Instruction:
    """Transfers that stand each on its own, under one fresh key; the answer says how many were posted."""
    wishes = [Wish(source, target, read_amount(amount, "USD", "amount")) for source, target, amount in asked]
    key = new_id().hex
    claim = Claim(key, hashlib.sha256(key.encode()).digest())
    ask = Ask(credential, ACTIONS["create_transfers"], "bench", claim)
    return Instruction(ask, lambda actor: transfers.send_each(actor, wishes), answer, len(wishes))


def answer(outcomes: Sequence[Told]) -> Answer:
    """How many were posted, and what became of the first that was not."""
    other = next((outcome for outcome in outcomes if not isinstance(outcome, Done)), None)
    posted = sum(isinstance(outcome, Done) for outcome in outcomes)
    return Answer(200, b'{"posted":%d,"other":"%b"}' % (posted, str(other).encode()))


def main() -> None:
    """Read Work from standard input, do it and write the Measurement to standard output."""
    work = TypeAdapter(Work).validate_json(sys.stdin.read())
    sys.stdout.buffer.write(TypeAdapter(Measurement).dump_json(uvloop.run(carry_out(work))))


if __name__ == "__main__":
    main()
