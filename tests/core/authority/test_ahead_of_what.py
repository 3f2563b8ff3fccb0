"""What may not be decided ahead of a transaction: what has no key, and what holds play a part in."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest

from bursar.core.authority.model import Instruction
from bursar.core.idempotency.model import Answer
from bursar.kernel.db import CommitLost, Database, Draft, Stale
from tests.asking import DONE, transfer
from tests.stories import Story

LOST_TOKEN = 1


class Lines:
    """Statements on their way to the database: what is sent stays there until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.first_is_sent, self.first_may_go = asyncio.Event(), asyncio.Event()
        self.late: list[tuple[Draft, Sequence[int]]] = []
        self._real = Database.carry_out

        async def carry_out(database: Database, draft: Draft, locks: Sequence[int]) -> datetime:
            return await self._carry_out(database, draft, locks)

        monkeypatch.setattr(Database, "carry_out", carry_out)

    async def _carry_out(self, database: Database, draft: Draft, locks: Sequence[int]) -> datetime:
        """The first is slow; of any other the connection is lost."""
        if self.first_is_sent.is_set():
            self.late.append((draft, locks))
            raise CommitLost(LOST_TOKEN)
        self.first_is_sent.set()
        await self.first_may_go.wait()
        return await self._real(database, draft, locks)

    async def arrive(self, database: Database) -> None:
        """What was lost arrives after all."""
        for draft, locks in self.late:
            with suppress(Stale):
                await self._real(database, draft, locks)


# The second counts on the first, which never comes; its repetition makes the account what the second counted on.
@pytest.mark.parametrize("has_key", [True, False])
async def test_a_statement_that_arrives_after_its_repetition_pays_nobody_twice(
    story: Story, monkeypatch: pytest.MonkeyPatch, has_key: bool
) -> None:
    await story.desk.submit(transfer(story.operator, "alice", "bob"))
    lines = Lines(monkeypatch)
    first = asyncio.create_task(story.desk.submit(transfer(story.operator, "alice", "bob")))
    await lines.first_is_sent.wait()
    second = transfer(story.operator, "alice", "bob")
    reply = await story.desk.submit(second if has_key else _without_key(second))
    assert isinstance(reply, Answer)
    await lines.arrive(story.database)
    lines.first_may_go.set()
    await first
    await story.tell("bob = 0.03 USD")
    assert len(lines.late) == has_key


def _without_key(instruction: Instruction) -> Instruction:
    return replace(instruction, ask=instruction.ask._replace(claim=None))


async def test_a_hold_that_has_run_out_keeps_nothing_from_who_is_remembered_with_it(story: Story) -> None:
    await story.tell("""
        alice holds 1000.00 USD as h1 until +0.3s
        h1 runs out
    """)
    reply = await story.desk.submit(transfer(story.operator, "alice", "bob"))
    assert isinstance(reply, Answer)
    assert reply.status == DONE
