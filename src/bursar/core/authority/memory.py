"""What this process remembers of a tenant, to decide on it before anything is locked; the writing checks it all."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from uuid import UUID

from bursar.core.authority.assessing import Assess
from bursar.core.authority.rulebook import Rulebook, Unlearnt
from bursar.core.authority.sources import Agent, UnderLocks
from bursar.core.identity import service as identity
from bursar.core.identity.model import Credential, KeyCredential
from bursar.core.identity.service import Standing
from bursar.core.ledger import service as ledger
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.model import Account, AccountRef
from bursar.kernel.db import Database, Tx, Unforeseen

# Of all tenants together; some 860 bytes each.
_MOST_ACCOUNTS = 200_000
# One of so many parts of a memory makes room for what is new.
_PARTS = 16
_MOST_KEYS = 10_000
# So long the database's clock is told from the one that was read, and the time since.
_SECONDS_OF_A_CLOCK = 10.0
# After a fact that had changed, so many batches are left to transactions: somebody else is at the same accounts.
_MOST_BATCHES_LEFT = 8


@dataclass(slots=True)
class Room:
    """How many accounts a process remembers, of all tenants together."""

    taken: int = 0


class Memory:
    """Keys and accounts of one tenant as this process last saw them or wrote them; and how much to rely on that."""

    def __init__(self, database: Database, tenant_id: UUID, room: Room, assess: Assess) -> None:
        """Nothing yet; `room` is shared with the memories of other tenants."""
        self._database = database
        self._assess = assess
        self._room = room
        self._counted = 0
        self.tenant_id = tenant_id
        self._standing: dict[Credential, Standing] = {}
        self._accounts: dict[UUID, Account] = {}
        self._numbers: dict[str, UUID] = {}
        self.rules = Rulebook()
        self._clock: tuple[datetime, float] | None = None
        self._left = 0
        self._leave_next = 1
        # What was decided last and is being written; what is decided next counts on it.
        self.latest: asyncio.Future[bool] | None = None

    def serves(self) -> bool:
        """Whether to try; after a failure not for a while."""
        if not self._left:
            return True
        self._left -= 1
        return False

    def proved(self, clock: datetime) -> None:
        """What was relied on held, at this moment of the database's."""
        self._leave_next = 1
        self._clock = clock, monotonic()

    def failed(self) -> None:
        """It did not: the next batches go by locked rows, twice as many each time."""
        self._left = self._leave_next
        self._leave_next = min(2 * self._leave_next, _MOST_BATCHES_LEFT)

    async def standing(self, credentials: Iterable[Credential]) -> Mapping[Credential, Standing]:
        """Who these are; those that are nobody are left out."""
        wanted = set(credentials)
        unknown = [c for c in wanted - self._standing.keys() if isinstance(c, KeyCredential)]
        if unknown:
            if len(self._standing) > _MOST_KEYS:
                self._standing.clear()
            async with self._database.transaction(self.tenant_id, read_only=True) as tx:
                self._standing |= await identity.find_standing(tx, unknown)
        return {c: self._standing[c] for c in wanted if c in self._standing}

    async def learn_mandates(self, agents: Collection[Agent]) -> None:
        """Look up what agents act under, as far as it is not known."""
        unknown = self.rules.unknown(agents)
        if unknown:
            async with self._database.transaction(self.tenant_id, read_only=True) as tx:
                await self.rules.learn_mandates(tx, unknown, self._assess)

    async def learn(self, unlearnt: Unlearnt) -> None:
        """Look up what their rules look at."""
        await self.rules.learn(self._database, self.tenant_id, unlearnt)

    async def book(self, refs: Iterable[AccountRef]) -> Book:
        """The accounts named, and a moment that is not after the database's; `Unforeseen` if one is not there."""
        wanted = set(refs)
        found, unknown = self._known(wanted)
        if unknown and self._room.taken > _MOST_ACCOUNTS:
            self._make_room(len(unknown))
            found, unknown = self._known(wanted)
        if unknown or not self._clock or monotonic() - self._clock[1] > _SECONDS_OF_A_CLOCK:
            await self._learn(unknown)
            found, unknown = self._known(wanted)
        if unknown:
            raise Unforeseen
        return Book.of(self._now(), found)

    def turn(self, page: Page) -> None:
        """Remember what was decided; it is on its way, and who decides on it is written after it."""
        self._accounts |= page.book.accounts
        self._accounts |= page.accounts
        self._count()

    def forget(self, credentials: Iterable[Credential], account_ids: Iterable[UUID]) -> None:
        """What others have changed, or may have."""
        for credential in credentials:
            self._standing.pop(credential, None)
        for account_id in account_ids:
            self._accounts.pop(account_id, None)
        self._count()

    def _make_room(self, wanted: int) -> None:
        """Forget more than are wanted, the first learnt first: without any, all would be asked for again at once."""
        first = list(islice(self._accounts.values(), wanted + len(self._accounts) // _PARTS))
        for account in first:
            del self._accounts[account.id]
            self._numbers.pop(account.number, None)
        self._count()

    def _count(self) -> None:
        self._room.taken += len(self._accounts) - self._counted
        self._counted = len(self._accounts)

    def _known(self, refs: Iterable[AccountRef]) -> tuple[list[Account], list[AccountRef]]:
        """Those of these accounts that are remembered, and the names of the others."""
        found: list[Account] = []
        unknown: list[AccountRef] = []
        for ref in refs:
            account_id = self._numbers.get(ref) if isinstance(ref, str) else ref
            account = self._accounts.get(account_id) if account_id else None
            if account:
                found.append(account)
            else:
                unknown.append(ref)
        return found, unknown

    async def _learn(self, refs: Sequence[AccountRef]) -> None:
        accounts, clock = await ledger.recall(self._database, self.tenant_id, refs)
        self._clock = clock, monotonic()
        for account in accounts:
            # What was decided meanwhile is newer.
            self._accounts.setdefault(account.id, account)
            self._numbers[account.number] = account.id
        self._count()

    def _now(self) -> datetime:
        assert self._clock
        clock, at = self._clock
        return clock + timedelta(seconds=monotonic() - at)


class Noted(UnderLocks):
    """The source of one batch under locks, which a memory learns from."""

    def __init__(self, memory: Memory) -> None:
        """Nothing learnt yet."""
        self._memory = memory
        self._account_ids: list[UUID] = []
        self._mandate_ids: list[UUID] = []

    def put_back(self, tx: Tx, page: Page) -> None:
        """Write it, and count on it."""
        super().put_back(tx, page)
        self._account_ids += page.book.accounts
        self._memory.turn(page)

    def decided_under(self, tx: Tx, mandate_ids: Sequence[UUID]) -> None:
        """What is used of these is looked up again, when this is over."""
        super().decided_under(tx, mandate_ids)
        self._mandate_ids += mandate_ids

    def done(self) -> None:
        """It is written."""
        if self._mandate_ids:
            self._memory.rules.forget(self._mandate_ids)

    def failed(self) -> None:
        """None of it was done, or nobody knows."""
        self.done()
        self._memory.forget((), self._account_ids)
