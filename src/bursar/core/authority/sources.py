"""Where a batch has its facts from: rows that it has locked, or what this process remembers of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from bursar.core.authority import facts_store, store, turn_store
from bursar.core.authority.facts import Meter, Used
from bursar.core.authority.facts_store import Known
from bursar.core.authority.mandate import Mandate
from bursar.core.idempotency import service as idempotency
from bursar.core.idempotency.model import Pinned
from bursar.core.identity import service as identity
from bursar.core.identity.model import Credential
from bursar.core.ledger import service as ledger
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

# An agent and its team.
Agent: TypeAlias = tuple[UUID, str | None]


class Source(ledger.Shelf, Protocol):
    """Who asks, what was answered before, the book, and for agents what is decided by."""

    async def who(self, tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, identity.Who]:
        """Who each of these is, or why they are nobody here."""
        ...

    async def answered(self, tx: Tx, pins: Sequence[UUID]) -> Mapping[UUID, Pinned]:
        """The answers that are pinned there already."""
        ...

    async def mandates(self, tx: Tx, agents: Collection[Agent]) -> list[Mandate]:
        """All mandates for these agents or for all agents, with those above them: what is used of them stands."""
        ...

    async def known(
        self, tx: Tx, limits: Sequence[tuple[UUID, str, UUID, datetime]], account_ids: Sequence[UUID],
        payments: Sequence[tuple[UUID, datetime]],
    ) -> Known:  # fmt: skip
        """What is used, who payees are, and what was paid before; as `facts_store.look_up`."""
        ...

    def use(self, tx: Tx, more: Mapping[Meter, Used]) -> None:
        """Add to what is used of limits."""
        ...

    def decided_under(self, tx: Tx, mandate_ids: Sequence[UUID]) -> None:
        """Say that something was let go under these, or waits: whoever relied on what they were finds it changed."""
        ...


class UnderLocks(ledger.UnderLocks):
    """Everything as it is, and held still until the transaction ends."""

    async def who(self, tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, identity.Who]:
        """Who each of these is, shared."""
        return await identity.authenticate_many(tx, credentials)

    async def answered(self, tx: Tx, pins: Sequence[UUID]) -> Mapping[UUID, Pinned]:
        """The answers pinned there, under the locks of their keys."""
        return await idempotency.find(tx, pins)

    async def mandates(self, tx: Tx, agents: Collection[Agent]) -> list[Mandate]:
        """These mandates, locked in the order of their ids."""
        return await facts_store.lock_mandates_for(tx, agents)

    async def known(
        self, tx: Tx, limits: Sequence[tuple[UUID, str, UUID, datetime]], account_ids: Sequence[UUID],
        payments: Sequence[tuple[UUID, datetime]],
    ) -> Known:  # fmt: skip
        """Looked up under the locks of mandates and accounts."""
        return await facts_store.look_up(tx, limits, account_ids, payments)

    def use(self, tx: Tx, more: Mapping[Meter, Used]) -> None:
        """Add to the counters."""
        store.add_usage(tx, more)

    def decided_under(self, tx: Tx, mandate_ids: Sequence[UUID]) -> None:
        """Take a turn of each."""
        turn_store.take_turn(tx, mandate_ids, new_id())


UNDER_LOCKS = UnderLocks()
