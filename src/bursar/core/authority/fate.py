"""A batch until its fate is known: done, nothing done, or unknown. Ahead of its transaction, or inside one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from bursar.core.authority import service
from bursar.core.authority.assessing import unassessed
from bursar.core.authority.memory import Memory
from bursar.core.authority.model import Ask, Instruction
from bursar.core.authority.recalled import Recalled
from bursar.core.authority.rulebook import Unlearnt
from bursar.core.authority.service import Carried, Reply
from bursar.core.events import service as events
from bursar.core.idempotency.model import IdempotencyInFlight
from bursar.kernel.db import (
    Busy,
    CommitLost,
    Database,
    Draft,
    OutcomeUnknown,
    Stale,
    Tx,
    Unforeseen,
    UpstreamUnavailable,
)

_ATTEMPTS = 3
# Where others decide meanwhile, what was looked up is known the second time.
_MOST_LOOKS = 3


async def carried_out_ahead(
    database: Database,
    memory: Memory,
    instructions: Sequence[Instruction],
    decided: Callable[[], None],
) -> Carried | None:
    """Decide on what is remembered, then check and write it all with one statement.

    None: nothing was done, a transaction has to. Only what has a key goes this way: a statement that was lost, and
    arrives after its repetition, finds the key used.
    """
    for _ in range(_MOST_LOOKS):
        with suppress(Unlearnt):
            return await _ahead(database, memory, instructions, decided)
    return None


async def _ahead(
    database: Database, memory: Memory, instructions: Sequence[Instruction], decided: Callable[[], None]
) -> Carried | None:
    """Rules that would have to be asked about risk are not: whoever is under any is `Unforeseen`."""
    asks = [instruction.ask for instruction in instructions]
    recalled, draft = Recalled(memory), Draft(memory.tenant_id)
    carried = Carried([], None)
    try:
        carried = await service.carry_out(draft, instructions, unassessed, recalled)
        decided()
        recalled.proved(await _written(database, draft, _locks(asks), recalled))
        # Whoever overtook this one is sent again before another is decided, which would overtake it in its turn.
        await asyncio.sleep(0)
    except Unlearnt:
        raise
    except Unforeseen:
        return None
    except (Stale, UpstreamUnavailable, Busy):
        recalled.failed()
        return None
    except CommitLost as lost:
        recalled.failed()
        return await _kept(database, memory.tenant_id, lost, carried)
    except BaseException:
        recalled.failed()
        raise
    return carried


async def _written(database: Database, draft: Draft, locks: Sequence[int], recalled: Recalled) -> datetime:
    try:
        return await database.carry_out(draft, locks)
    except Stale:
        if not await recalled.overtook():
            raise
        return await database.carry_out(draft, locks)


def _locks(asks: Sequence[Ask]) -> list[int]:
    return [lock for ask in asks if (lock := ask.lock) is not None]


async def settled(
    database: Database, asks: Sequence[Ask], tenant_id: UUID, work: Callable[[Tx], Awaitable[Carried]]
) -> list[Reply]:
    """Run work in a transaction that holds the asks' keys, until its fate is known: done, nothing done, or unknown.

    What had no effect (a deadlock, a connection lost too early) is tried again; nothing is ever done twice.
    """
    try:
        for _ in range(_ATTEMPTS):
            carried = await _attempt(database, tenant_id, _locks(asks), work)
            if carried:
                return carried.replies
    except Busy as busy:
        if busy.at_start and len(asks) == 1:
            raise IdempotencyInFlight from None
        raise
    raise UpstreamUnavailable


async def _attempt(
    database: Database, tenant_id: UUID, locks: Sequence[int], work: Callable[[Tx], Awaitable[Carried]]
) -> Carried | None:
    """One transaction; None when it is known to have had no effect and may be tried again."""
    carried: Carried | None = None
    try:
        async with database.transaction(tenant_id, locks=locks) as tx:
            carried = await work(tx)
    except CommitLost as lost:
        assert carried
        return await _kept(database, tenant_id, lost, carried)
    except UpstreamUnavailable:
        return None
    return carried


async def _kept(database: Database, tenant_id: UUID, lost: CommitLost, carried: Carried) -> Carried | None:
    """The replies if the lost commit took effect, None if it did not; refuses to guess."""
    trace = carried.trace
    if trace is None:  # Only replays: there was nothing to commit.
        return carried
    fate = await database.fate_of(lost, tenant_id, lambda tx: events.has(tx, trace))
    if fate == "unknown":
        raise OutcomeUnknown
    return carried if fate == "committed" else None
