"""The verbs of keys: look up what was answered, pin an answer. Both under the keys' advisory locks."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.idempotency import store
from bursar.core.idempotency.model import Pinned
from bursar.kernel.db import Tx


async def find(tx: Tx, wanted: Sequence[tuple[UUID, str, str]]) -> dict[tuple[UUID, str, str], Pinned]:
    """The answers pinned to these (principal, action, key), by them."""
    if not wanted:
        return {}
    return {(p.principal_id, p.action, p.key): p for p in await store.list_answers(tx, wanted)}


async def pin(tx: Tx, answers: Sequence[Pinned]) -> None:
    """Keep answers as long as the money rows they belong to."""
    if answers:
        await store.insert_answers(tx, answers)
