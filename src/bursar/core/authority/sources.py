"""Where a batch has its facts from: rows that it has locked, or what this process remembers of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from bursar.core.idempotency import service as idempotency
from bursar.core.idempotency.model import Pinned
from bursar.core.identity import service as identity
from bursar.core.identity.model import Credential
from bursar.core.ledger import service as ledger
from bursar.kernel.db import Tx


class Source(ledger.Shelf, Protocol):
    """Who asks, what was answered before, and the book."""

    async def who(self, tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, identity.Who]:
        """Who each of these is, or why they are nobody here."""
        ...

    async def answered(self, tx: Tx, pins: Sequence[UUID]) -> Mapping[UUID, Pinned]:
        """The answers that are pinned there already."""
        ...


class UnderLocks(ledger.UnderLocks):
    """Everything as it is, and held still until the transaction ends."""

    async def who(self, tx: Tx, credentials: Sequence[Credential]) -> Mapping[Credential, identity.Who]:
        """Who each of these is, shared."""
        return await identity.authenticate_many(tx, credentials)

    async def answered(self, tx: Tx, pins: Sequence[UUID]) -> Mapping[UUID, Pinned]:
        """The answers pinned there, under the locks of their keys."""
        return await idempotency.find(tx, pins)


UNDER_LOCKS = UnderLocks()
