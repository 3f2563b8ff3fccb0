"""Group commit: instructions that arrive together share one transaction and one COMMIT, and each gets its own reply."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from bursar.core.authority import service
from bursar.core.authority.assessing import Assess
from bursar.core.authority.model import Ask, Instruction
from bursar.core.authority.service import Carried, Reply
from bursar.core.events import service as events
from bursar.core.idempotency.model import IdempotencyInFlight
from bursar.core.identity.model import Credential
from bursar.kernel.db import Busy, CommitLost, Database, OutcomeUnknown, Tx, UpstreamUnavailable, retrying
from bursar.kernel.refusal import Refusal

_MOST_ORDERS_A_BATCH = 512
# Two: while PostgreSQL works on one batch, this process reads requests, decides and answers the other.
_BATCHES_A_TENANT = 2
_ATTEMPTS = 3
_MOST_AGENTS_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    instruction: Instruction
    reply: "asyncio.Future[Reply]"


class _Line:
    """What waits for one tenant, how many clerks work it off, and the agents whose orders are under way."""

    __slots__ = ("busy", "clerks", "queue")

    def __init__(self) -> None:
        self.queue: deque[_Waiting] = deque()
        self.clerks = 0
        self.busy: set[Credential] = set()


class Desk:
    """Takes instructions and queues them by tenant.

    While batches are under way newcomers form the next one, so no timer is needed. A batch belongs to one tenant
    because row security knows one per transaction; tenants take turns for the desk's slots. An agent's orders wait
    while others of its own are under way: they would only wait for the same mandate, and in a smaller batch.
    """

    def __init__(self, database: Database, assess: Assess, batches_at_once: int = 4) -> None:
        """`assess` asks the risk rules; `batches_at_once` bounds the connections that all tenants use together."""
        self._assess = assess
        self._database = database
        self._slots = asyncio.Semaphore(batches_at_once)
        self._lines: dict[UUID, _Line] = {}
        self._clerks: set[asyncio.Task[None]] = set()
        self._agents: set[Credential] = set()

    async def submit(self, instruction: Instruction) -> Reply:
        """Have an instruction carried out. Cancelling the caller neither stops nor repeats it."""
        tenant_id = instruction.ask.credential.tenant_id
        waiting = _Waiting(instruction, asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(tenant_id, _Line())
        line.queue.append(waiting)
        if line.clerks < (1 if instruction.ask.credential in line.busy else _BATCHES_A_TENANT):
            line.clerks += 1
            clerk = asyncio.create_task(self._work_off(tenant_id, line))
            self._clerks.add(clerk)
            clerk.add_done_callback(self._clerks.discard)
        return await waiting.reply

    async def alone(self, instruction: Instruction) -> Reply:
        """Have an instruction with something aside carried out, in a transaction that it shares with no other."""
        tenant_id = instruction.ask.credential.tenant_id
        (reply,) = await retrying(lambda: self._carry_out(tenant_id, [instruction]))
        return reply

    def knows_as_agent(self, credential: Credential) -> bool:
        """Whether an agent has paid with it here before. Whom it belongs to is found out in a transaction only."""
        return credential in self._agents

    async def drain(self) -> None:
        """Wait until everything submitted has its reply."""
        while self._clerks:
            await asyncio.wait(set(self._clerks))

    async def _work_off(self, tenant_id: UUID, line: _Line) -> None:
        try:
            while line.queue:
                async with self._slots:
                    batch = _next_batch(line.queue, line.busy)
                    if not batch:  # All that waits, waits for another clerk's batch, and that clerk takes it next.
                        break
                    agents = self._agents & {waiting.instruction.ask.credential for waiting in batch}
                    line.busy |= agents
                    try:
                        await self._settle(tenant_id, batch)
                    finally:
                        line.busy -= agents
        finally:
            line.clerks -= 1
            if not line.clerks:
                self._lines.pop(tenant_id, None)

    async def _settle(self, tenant_id: UUID, batch: Sequence[_Waiting]) -> None:
        try:
            replies = await retrying(lambda: self._carry_out(tenant_id, [w.instruction for w in batch]))
        except (UpstreamUnavailable, OutcomeUnknown) as refusal:
            replies = [refusal] * len(batch)
        except Exception as error:  # noqa: BLE001 -- it belongs to whoever submitted the instruction, not to the clerk
            if len(batch) > 1:
                # One bad instruction must not harm its neighbours: the batch did nothing, so each goes alone.
                for waiting in batch:
                    await self._settle(tenant_id, [waiting])
                return
            _give(batch[0], error)
            return
        for waiting, reply in zip(batch, replies, strict=True):
            _give(waiting, reply)

    async def _carry_out(self, tenant_id: UUID, instructions: Sequence[Instruction]) -> list[Reply]:
        async def work(tx: Tx) -> Carried:
            carried = await service.carry_out(tx, instructions, self._assess)
            self._remember(carried.agents)
            return carried

        return await settled(self._database, [i.ask for i in instructions], tenant_id, work)

    def _remember(self, agents: AbstractSet[Credential]) -> None:
        """Whose key is an agent's never changes; forgetting it costs a batch that waits."""
        if len(self._agents) > _MOST_AGENTS_REMEMBERED:
            self._agents.clear()
        self._agents |= agents


def _next_batch(queue: deque[_Waiting], busy: AbstractSet[Credential]) -> list[_Waiting]:
    """As many as fit, of those who are not busy.

    A second use of a key waits for the next batch, where it finds the first one's answer.
    """
    batch: list[_Waiting] = []
    later: list[_Waiting] = []
    locks: set[int] = set()
    size = 0
    while queue and (not batch or size + queue[0].instruction.size <= _MOST_ORDERS_A_BATCH):
        waiting = queue.popleft()
        ask = waiting.instruction.ask
        lock = ask.lock
        if ask.credential in busy or lock in locks:
            later.append(waiting)
            continue
        if lock is not None:
            locks.add(lock)
        size += waiting.instruction.size
        batch.append(waiting)
    queue.extendleft(reversed(later))
    return batch


def _give(waiting: _Waiting, reply: Reply | Exception) -> None:
    if waiting.reply.done():  # The caller has gone; what was done stays done.
        return
    if isinstance(reply, Exception) and not isinstance(reply, Refusal):
        waiting.reply.set_exception(reply)
    else:
        waiting.reply.set_result(reply)


async def settled(
    database: Database, asks: Sequence[Ask], tenant_id: UUID, work: Callable[[Tx], Awaitable[Carried]]
) -> list[Reply]:
    """Run work in a transaction that holds the asks' keys, until its fate is known: done, nothing done, or unknown.

    What had no effect (a deadlock, a connection lost too early) is tried again; nothing is ever done twice.
    """
    locks = [lock for ask in asks if (lock := ask.lock) is not None]
    try:
        for _ in range(_ATTEMPTS):
            carried = await _attempt(database, tenant_id, locks, work)
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
