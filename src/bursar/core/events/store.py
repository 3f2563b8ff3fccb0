"""The statements of the event table: insert and read, never change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bursar.core.events.model import Event, Recorded
from bursar.kernel.db import Tx, once


def insert_events(tx: Tx, events: Sequence[Event]) -> None:
    """Insert many events in one statement."""
    ids, types, actors, actions, objects, bodies = zip(*events, strict=True)
    tx.later(
        """INSERT INTO event (tenant_id, id, object, body, type, actor_id, action)
           SELECT $1, w.id, w.object, w.body, coalesce(w.type, $6), coalesce(w.actor_id, $8), coalesce(w.action, $10)
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $7::uuid[], $9::text[])
                w (id, object, body, type, actor_id, action)""",
        tx.tenant,
        ids,
        objects,
        bodies,
        *once(types),
        *once(actors),
        *once(actions),
    )


async def list_events(
    tx: Tx,
    *,
    actor_id: UUID | None,
    action: str | None,
    object: str | None,
    start: datetime | None,
    end: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[Recorded]:
    """Events, newest first, before the one named; `start` included, `end` not."""
    return await tx.rows(
        Recorded,
        """SELECT id, body, recorded_at FROM event
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR actor_id = $2) AND ($3::text IS NULL OR action = $3)
             AND ($4::text IS NULL OR object = $4)
             AND ($5::timestamptz IS NULL OR recorded_at >= $5) AND ($6::timestamptz IS NULL OR recorded_at < $6)
             AND ($7::uuid IS NULL OR id < $7)
           ORDER BY id DESC LIMIT $8""",
        tx.tenant,
        actor_id,
        action,
        object,
        start,
        end,
        before,
        limit,
    )


async def has_event(tx: Tx, event_id: UUID) -> bool:
    """Whether an event was committed."""
    return await tx.value(
        bool, "SELECT EXISTS (SELECT FROM event WHERE tenant_id = $1 AND id = $2)", tx.tenant, event_id
    )
