"""The statements of pinned answers."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.idempotency.model import Pinned
from bursar.kernel.db import Tx, once


async def list_answers(tx: Tx, ids: Sequence[UUID]) -> list[Pinned]:
    """The answers pinned there. The lateral join leaves the planner one way only, by the key."""
    return await tx.rows(
        Pinned,
        """SELECT a.* FROM unnest($2::uuid[]) w (id) CROSS JOIN LATERAL (
               SELECT id, principal_id, action, key, request_hash, status, body, event_id, forgotten
               FROM answer WHERE tenant_id = $1 AND id = w.id LIMIT 1) a""",
        tx.tenant,
        ids,
    )


def insert_answers(tx: Tx, answers: Sequence[Pinned]) -> None:
    """Pin answers to their keys."""
    ids, principals, actions, keys, hashes, statuses, bodies, event_ids, _ = zip(*answers, strict=True)
    tx.later(
        """INSERT INTO answer (tenant_id, id, key, request_hash, body, event_id, principal_id, action, status)
           SELECT $1, w.id, w.key, w.request_hash, w.body, w.event_id, coalesce(w.principal_id, $8),
                  coalesce(w.action, $10), coalesce(w.status, $12)
           FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::uuid[], $7::uuid[], $9::text[],
                       $11::smallint[])
                w (id, key, request_hash, body, event_id, principal_id, action, status)""",
        tx.tenant,
        ids,
        keys,
        hashes,
        bodies,
        event_ids,
        *once(principals),
        *once(actions),
        *once(statuses),
    )
