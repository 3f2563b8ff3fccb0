"""Group commit: instructions that arrive together share one transaction and one COMMIT, and each gets its own reply."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority import service
from bursar.core.authority.assessing import Assess
from bursar.core.authority.fate import carried_out_ahead, settled
from bursar.core.authority.memory import Memory, Noted, Room
from bursar.core.authority.model import Instruction
from bursar.core.authority.service import Carried, Reply
from bursar.core.identity.model import Credential
from bursar.kernel.db import Database, OutcomeUnknown, Tx, UpstreamUnavailable, retrying
from bursar.kernel.refusal import Refusal

_MOST_ORDERS_A_BATCH = 512
# Two: while PostgreSQL writes one batch, this process decides the next.
_BATCHES_A_TENANT = 2
# The longest that done work waits for its reply; what keeps the next batch may be another process's lock.
_MOST_SECONDS_KEPT = 0.01
_MOST_AGENTS_REMEMBERED = 100_000
_MOST_TENANTS_REMEMBERED = 1_000


class _Waiting(NamedTuple):
    instruction: Instruction
    reply: "asyncio.Future[Reply]"


class _Line:
    """What waits for one tenant, its clerks, the agents whose orders are being decided, and the replies that are kept.

    Replies are kept while the next batch is decided, and given while PostgreSQL writes it: this process has nothing
    else to do then, and the next batch is on its way sooner.
    """

    __slots__ = ("busy", "clerks", "deciding", "kept", "loop", "open", "queue")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue: deque[_Waiting] = deque()
        self.clerks = 0
        # How many have no reply yet.
        self.open = 0
        self.deciding = 0
        self.busy: set[Credential] = set()
        self.kept: list[tuple[_Waiting, Reply | Exception]] = []

    @property
    def half(self) -> int:
        """Of those who have no reply yet, what one batch takes at most, and what is worth a second one beside it."""
        return -(-self.open // 2)

    def answer(self, batch: Sequence[_Waiting], replies: Sequence[Reply | Exception]) -> None:
        """Give these replies, or keep them for a moment if a batch is being decided."""
        self.kept += zip(batch, replies, strict=True)
        if self.deciding:
            self.loop.call_later(_MOST_SECONDS_KEPT, self.give)
        else:
            self.give()

    def give(self) -> None:
        """Give every reply that is kept."""
        kept, self.kept = self.kept, []
        self.open -= len(kept)
        for waiting, reply in kept:
            _give(waiting, reply)


class _Turn:
    """A batch while it is decided: until it `ends`, its agents' other orders wait, and replies are kept."""

    def __init__(self, line: _Line, agents: AbstractSet[Credential], go_on: Callable[[], None]) -> None:
        self._line, self._agents, self._go_on = line, agents, go_on
        self._is_over = False
        line.deciding += 1
        line.busy |= agents

    def end(self) -> None:
        """All is decided, or lost; what is left to do is PostgreSQL's."""
        if self._is_over:
            return
        self._is_over = True
        self._line.deciding -= 1
        self._line.busy -= self._agents
        self._line.give()
        self._go_on()


class Desk:
    """Takes instructions and queues them by tenant.

    A batch is made of half of those who have no reply yet, and the other half is decided while PostgreSQL writes it:
    so nobody waits for a timer, few are quick and many share. It belongs to one tenant because row security knows one
    per transaction; tenants take turns for the desk's slots. An agent's orders wait while others of its own are
    decided: they would only wait for the same mandate, and in a smaller batch.
    """

    def __init__(self, database: Database, assess: Assess, batches_at_once: int = 4) -> None:
        """`assess` asks the risk rules; `batches_at_once` bounds the connections that all tenants use together."""
        self._assess = assess
        self._database = database
        self._slots = asyncio.Semaphore(batches_at_once)
        self._lines: dict[UUID, _Line] = {}
        self._clerks: set[asyncio.Task[None]] = set()
        self._agents: set[Credential] = set()
        self._memories: dict[UUID, Memory] = {}
        self._room = Room()

    async def submit(self, instruction: Instruction) -> Reply:
        """Have an instruction carried out. Cancelling the caller neither stops nor repeats it."""
        tenant_id = instruction.ask.credential.tenant_id
        line = self._lines.get(tenant_id)
        if line is None:
            line = self._lines[tenant_id] = _Line()
        waiting = _Waiting(instruction, line.loop.create_future())
        line.queue.append(waiting)
        line.open += 1
        if instruction.ask.credential not in line.busy:
            self._staff(tenant_id, line)
        return await waiting.reply

    def _staff(self, tenant_id: UUID, line: _Line) -> None:
        """Have one more clerk take what waits, if there may be one more."""
        if line.queue and (not line.clerks or (line.clerks < _BATCHES_A_TENANT and len(line.queue) >= line.half)):
            line.clerks += 1
            clerk = asyncio.create_task(self._work_off(tenant_id, line))
            self._clerks.add(clerk)
            clerk.add_done_callback(self._clerks.discard)

    async def alone(self, instruction: Instruction) -> Reply:
        """Have an instruction with something aside carried out, in a transaction that it shares with no other."""
        tenant_id = instruction.ask.credential.tenant_id
        (reply,) = await retrying(lambda: self._carry_out(tenant_id, [instruction], _nothing))
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
                    batch = _next_batch(line.queue, line.busy, line.half)
                    if not batch:  # All that waits, waits for a batch that is being decided; then it is taken.
                        break
                    agents = self._agents & {waiting.instruction.ask.credential for waiting in batch}
                    turn = _Turn(line, agents, lambda: self._staff(tenant_id, line))
                    try:
                        line.answer(batch, await self._settle(tenant_id, batch, turn))
                    finally:
                        turn.end()
        finally:
            line.clerks -= 1
            if not line.clerks:
                self._lines.pop(tenant_id, None)

    async def _settle(self, tenant_id: UUID, batch: Sequence[_Waiting], turn: _Turn) -> Sequence[Reply | Exception]:
        try:
            return await retrying(lambda: self._carry_out(tenant_id, [w.instruction for w in batch], turn.end))
        except (UpstreamUnavailable, OutcomeUnknown) as refusal:
            return [refusal] * len(batch)
        except Exception as error:  # noqa: BLE001 -- it belongs to whoever submitted the instruction, not to the clerk
            if len(batch) == 1:
                return [error]
            # One bad instruction must not harm its neighbours: the batch did nothing, so each goes alone.
            return [(await self._settle(tenant_id, [waiting], turn))[0] for waiting in batch]

    async def _carry_out(
        self, tenant_id: UUID, instructions: Sequence[Instruction], decided: Callable[[], None]
    ) -> list[Reply]:
        memory = self._memory_of(tenant_id)
        if self._database.takes_drafts and all(map(_is_plain, instructions)) and memory.serves():
            ahead = await carried_out_ahead(self._database, memory, instructions, decided)
            if ahead:
                self._remember(ahead.agents)
                return ahead.replies

        noted = Noted(memory)

        async def work(tx: Tx) -> Carried:
            carried = await service.carry_out(tx, instructions, self._assess, noted)
            self._remember(carried.agents)
            decided()
            return carried

        try:
            replies = await settled(self._database, [i.ask for i in instructions], tenant_id, work)
        except BaseException:
            noted.failed()
            raise
        noted.done()
        return replies

    def _memory_of(self, tenant_id: UUID) -> Memory:
        """What is remembered of a tenant; forgetting it costs a look."""
        found = self._memories.get(tenant_id)
        if found is None:
            if len(self._memories) >= _MOST_TENANTS_REMEMBERED:
                self._memories.clear()
                self._room = Room()
            found = self._memories[tenant_id] = Memory(self._database, tenant_id, self._room, self._assess)
        return found

    def _remember(self, agents: AbstractSet[Credential]) -> None:
        """Whose key is an agent's never changes; forgetting it costs a batch that waits."""
        if len(self._agents) > _MOST_AGENTS_REMEMBERED:
            self._agents.clear()
        self._agents |= agents


def _is_plain(instruction: Instruction) -> bool:
    """Whether it may be decided ahead of its transaction: nothing else belongs to it, and its key holds it to once."""
    return instruction.ask.claim is not None and instruction.aside is None and instruction.with_it is None


def _nothing() -> None:
    """Nobody waits for it to be decided."""


def _next_batch(queue: deque[_Waiting], busy: AbstractSet[Credential], most: int) -> list[_Waiting]:
    """As many as fit, of those who are not busy.

    A second use of a key waits for the next batch, where it finds the first one's answer.
    """
    batch: list[_Waiting] = []
    later: list[_Waiting] = []
    locks: set[int] = set()
    size = 0
    while queue and len(batch) < most and (not batch or size + queue[0].instruction.size <= _MOST_ORDERS_A_BATCH):
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
