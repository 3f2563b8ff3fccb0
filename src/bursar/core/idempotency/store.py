"""The statements of pinned answers."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.idempotency.model import Pinned
from bursar.kernel.db import Tx


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
    tx.later(
        """INSERT INTO answer (tenant_id, id, principal_id, action, key, request_hash, status, body, event_id)
           SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::smallint[],
                                    $8::bytea[], $9::uuid[])""",
        tx.tenant,
        [a.id for a in answers],
        [a.principal_id for a in answers],
        [a.action for a in answers],
        [a.key for a in answers],
        [a.request_hash for a in answers],
        [a.status for a in answers],
        [a.body for a in answers],
        [a.event_id for a in answers],
    )
