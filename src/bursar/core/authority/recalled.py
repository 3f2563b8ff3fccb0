"""A batch that is decided on what this process remembers, into a draft which checks it as it is written."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bursar.core.authority import turn_store
from bursar.core.authority.facts import Earlier, Meter, Used
from bursar.core.authority.facts_store import Known
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.memory import Memory
from bursar.core.authority.rulebook import Unlearnt
from bursar.core.authority.sources import Agent
from bursar.core.authority.turn_store import Since
from bursar.core.idempotency.model import Pinned
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, Credential
from bursar.core.ledger import page_store
from bursar.core.ledger import service as ledger
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.orders import SendMoney, SingleOrder
from bursar.kernel.db import Draft, Tx, Unforeseen
from bursar.kernel.ids import new_id


class Recalled:
    """The source of one batch that is decided on a memory, into a draft which checks what was relied on.

    Everything is locked in the order in which transactions lock it: keys, mandates, accounts, and at the end the
    rulebook, which whoever changes it locks last.
    """

    def __init__(self, memory: Memory) -> None:
        """Nothing relied on yet."""
        self._memory = memory
        self._credentials: list[Credential] = []
        self._account_ids: list[UUID] = []
        self._agents: Collection[Agent] = ()
        self._mandates: dict[UUID, Mandate] = {}
        self._rules_version = 0
        # By their fingerprints.
        self._payments: dict[UUID, Earlier] = {}
        self._before: asyncio.Future[bool] | None = None
        self._turn = new_id()
        self._written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def who(self, tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, Actor]:
        """Who each is; `Unforeseen` for those that are nobody."""
        assert isinstance(tx, Draft)
        found = await self._memory.standing(credentials)
        if any(c not in found for c in credentials):
            raise Unforeseen
        self._credentials += found
        identity.must_stand(tx, found.values())
        return {credential: standing.actor for credential, standing in found.items()}

    async def answered(self, tx: Tx, pins: Sequence[UUID]) -> Mapping[UUID, Pinned]:
        """Nothing: a key that was answered cannot be answered again, and then all of the draft comes to nothing."""
        return {}

    async def mandates(self, tx: Tx, agents: Collection[Agent]) -> list[Mandate]:
        """As remembered."""
        await self._memory.learn_mandates(agents)
        rules = self._memory.rules
        self._agents, self._mandates, self._rules_version = agents, rules.mandates(agents), rules.version
        return list(self._mandates.values())

    async def take(self, tx: Tx, orders: Sequence[SingleOrder]) -> Book:
        """The book as remembered; `Unforeseen` where holds play a part."""
        if not all(isinstance(order, SendMoney) for order in orders):
            raise Unforeseen
        book = await self._memory.book(ledger.refs_of(orders))
        if any(account.balance.held for account in book.accounts.values()):
            raise Unforeseen
        self._account_ids += book.accounts
        self._before = self._memory.latest
        return book

    async def known(
        self, tx: Tx, limits: Sequence[Since], account_ids: Sequence[UUID], payments: Sequence[tuple[UUID, datetime]]
    ) -> Known:
        """As remembered, if nobody decides under these mandates before this is written.

        What is not remembered is looked up; if others were decided meanwhile, so is the book.
        """
        assert isinstance(tx, Draft)
        rules, fingerprints = self._memory.rules, [fingerprint for fingerprint, _ in payments]
        try:
            known = rules.known(limits, account_ids, fingerprints)
        except Unlearnt as unlearnt:
            await self._memory.learn(unlearnt)
            known = rules.known(limits, account_ids, fingerprints)
            if self._memory.latest is not self._before:
                raise
        if self._mandates:
            turn_store.take_turn_if(tx, rules.turns(self._mandates), self._turn)
        if payments:
            turn_store.must_be_first(tx, payments)
        return known

    def use(self, tx: Tx, more: Mapping[Meter, Used]) -> None:
        """Add to what is used, if nothing was given back meanwhile: callers are told what is left."""
        assert isinstance(tx, Draft)
        turn_store.use_if(tx, more, self._memory.rules.use(more))

    def decided_under(self, tx: Tx, mandate_ids: Sequence[UUID]) -> None:
        """The turn was taken when it was seen what is used."""

    def put_back(self, tx: Tx, page: Page) -> None:
        """Have it written if all is as it was, and count on it."""
        assert isinstance(tx, Draft)
        page_store.write_if_unchanged(tx, page)
        self._memory.turn(page)
        self._before, self._memory.latest = self._memory.latest, self._written
        if self._agents:
            self._payments = {
                key: note for key, note in page.notes.items() if isinstance(note, Earlier) and isinstance(key, UUID)
            }
            self._memory.rules.turn(self._turn, self._mandates, self._payments)
            turn_store.rulebook_must_stand(tx, self._rules_version)

    async def overtook(self) -> bool:
        """Whether it was there before what it counts on, which is written now: then it may hold after all."""
        before, self._before = self._before, None
        return before is not None and not before.done() and await before

    def proved(self, clock: datetime) -> None:
        """It held."""
        self._written.set_result(True)
        self._memory.proved(clock)
        self._memory.rules.arrived(self._payments)

    def failed(self) -> None:
        """It did not, or nobody knows."""
        if not self._written.done():
            self._written.set_result(False)
        self._memory.forget(self._credentials, self._account_ids)
        self._memory.failed()
        if self._agents:
            self._memory.rules.arrived(self._payments)
            self._memory.rules.forget(self._mandates)
