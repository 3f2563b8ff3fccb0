"""The verbs of keys: look up what was answered, pin an answer. Both under the keys' advisory locks."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.idempotency import store
from bursar.core.idempotency.model import Pinned
from bursar.kernel.db import Tx


async def find(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Pinned]:
    """The answers pinned there, by their ids."""
    return {pinned.id: pinned for pinned in await store.list_answers(tx, ids)} if ids else {}


def pin(tx: Tx, answers: Sequence[Pinned]) -> None:
    """Keep answers, and their keys as long as the money rows they belong to."""
    if answers:
        store.insert_answers(tx, answers)
