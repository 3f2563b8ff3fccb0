"""The statements of pinned answers."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.idempotency.model import Pinned
from bursar.kernel.db import Tx


async def list_answers(tx: Tx, wanted: Sequence[tuple[UUID, str, str]]) -> list[Pinned]:
    """The answers pinned to these (principal, action, key)."""
    return await tx.rows(
        Pinned,
        """SELECT a.principal_id, a.action, a.key, a.request_hash, a.status, a.body, a.event_id
           FROM unnest($2::uuid[], $3::text[], $4::text[]) w (principal_id, action, key)
           JOIN answer a ON a.tenant_id = $1 AND a.principal_id = w.principal_id AND a.action = w.action
                        AND a.key = w.key""",
        tx.tenant,
        [w[0] for w in wanted],
        [w[1] for w in wanted],
        [w[2] for w in wanted],
    )


async def insert_answers(tx: Tx, answers: Sequence[Pinned]) -> None:
    """Pin answers to their keys."""
    await tx.run(
        """INSERT INTO answer (tenant_id, principal_id, action, key, request_hash, status, body, event_id)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::smallint[], $7::bytea[],
                                    $8::uuid[])""",
        tx.tenant,
        [a.principal_id for a in answers],
        [a.action for a in answers],
        [a.key for a in answers],
        [a.request_hash for a in answers],
        [a.status for a in answers],
        [a.body for a in answers],
        [a.event_id for a in answers],
    )
