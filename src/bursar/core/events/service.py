"""The verbs of the record: write what happened, read it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bursar.core.events import store
from bursar.core.events.model import Event, Recorded
from bursar.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; None leaves a field open. `start` is included, `end` is not."""

    actor_id: UUID | None = None
    action: str | None = None
    object: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def record(tx: Tx, events: Sequence[Event]) -> None:
    """Have events written in the transaction of their effect."""
    if events:
        store.insert_events(tx, events)


async def read(tx: Tx, wanted: Filter, before: UUID | None, limit: int) -> list[Recorded]:
    """Events, newest first, before the one named."""
    return await store.list_events(
        tx,
        actor_id=wanted.actor_id,
        action=wanted.action,
        object=wanted.object,
        start=wanted.start,
        end=wanted.end,
        before=before,
        limit=limit,
    )


async def has(tx: Tx, event_id: UUID) -> bool:
    """Whether an event was committed: the trace by which a lost COMMIT is settled."""
    return await store.has_event(tx, event_id)
