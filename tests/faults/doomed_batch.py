"""`bursar serve`, which kills itself in the middle of a batch: `doomed_batch.py DIRECTORY …`.

A test writes into the file `doom` in the directory which batch is to be met and at which moment: `instructions 20 5`
ends the process at the fifth moment of a batch of twenty instructions or more, `orders 1000 5` at that of one of a
thousand orders or more. The moments are each statement before it is sent, and then COMMIT: before it is sent, under
way, and answered; of a batch that is decided ahead, its only statement is the COMMIT. What was met is
in `met`. The rest are options of `bursar serve`.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bursar.core.authority import service
from bursar.core.authority.assessing import Assess
from bursar.core.authority.model import Instruction
from bursar.core.authority.service import Carried
from bursar.core.authority.sources import UNDER_LOCKS, Source
from bursar.faces.cli import main
from bursar.kernel.db import Draft, Tx, database

DIRECTORY = Path(sys.argv[1])
Result = TypeVar("Result")


class Batch:
    """A batch, and the connection it is carried out on."""

    def __init__(self, connection: Any, at: int, size: Mapping[str, int]) -> None:
        self._connection = connection
        self._left = at
        self._size = size

    async def commits(self, committing: Coroutine[Any, Any, Result]) -> Result:
        """Meet what is done at last: before, meanwhile, after."""
        self.meet("before COMMIT")
        task = asyncio.ensure_future(committing)
        # So that it is on its way.
        for _ in range(3):
            await asyncio.sleep(0)
        self.meet("COMMIT under way")
        result = await task
        self.meet("after COMMIT", last=True)
        return result

    def meet(self, moment: str, *, last: bool = False) -> None:
        """End as by a power cut, if this is the moment."""
        self._left -= 1
        if not self._left or (last and self._left > 0):
            (DIRECTORY / "met").write_text(json.dumps({"moment": " ".join(moment.split())[:60], **self._size}))
            os.kill(os.getpid(), signal.SIGKILL)

    async def execute(self, sql: str, *args: object) -> Any:
        self.meet(sql)
        return await self._connection.execute(sql, *args)

    async def fetch(self, sql: str, *args: object) -> Any:
        self.meet(sql)
        return await self._connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Any:
        self.meet(sql)
        return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        self.meet(sql)
        return await self._connection.fetchval(sql, *args)


BATCH: ContextVar[Batch | None] = ContextVar("BATCH", default=None)


def endanger(tx: Tx, instructions: Sequence[Instruction]) -> Batch | None:
    """Have this transaction end the process, if it is the one that is meant."""
    doom = (DIRECTORY / "doom").read_text().split()
    size = {"instructions": len(instructions), "orders": sum(instruction.size for instruction in instructions)}
    if not doom or size[doom[0]] < int(doom[1]):
        return None
    seam: Any = tx
    batch = Batch(seam._connection, int(doom[2]), size)  # noqa: SLF001 -- a seam for tests only
    if not isinstance(tx, Draft):
        seam._connection = batch  # noqa: SLF001 -- the same seam
    return batch


def endanger_batches() -> None:
    """Money moves on one road; whatever a batch says there is counted."""
    carry_out, commit, at_once = service.carry_out, database.commit, database.at_once

    async def carry_out_at_risk(
        tx: Tx, instructions: Sequence[Instruction], assess: Assess, source: Source = UNDER_LOCKS
    ) -> Carried:
        BATCH.set(endanger(tx, instructions))
        return await carry_out(tx, instructions, assess, source)

    async def commit_at_risk(connection: Any, token: int) -> None:
        batch = BATCH.get()
        await (batch.commits(commit(connection, token)) if batch and token else commit(connection, token))

    async def at_once_at_risk(connection: Any, token: int, sql: str, args: Sequence[object]) -> datetime:
        batch, work = BATCH.get(), at_once(connection, token, sql, args)
        return await (batch.commits(work) if batch else work)

    service.carry_out = carry_out_at_risk
    database.commit = commit_at_risk
    database.at_once = at_once_at_risk


if __name__ == "__main__":
    endanger_batches()
    sys.argv = ["bursar", "serve", *sys.argv[2:]]
    main()
