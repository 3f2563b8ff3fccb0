"""The statements that forget old answers. What is not due the database keeps from the worker by itself."""

from collections.abc import Sequence
from uuid import UUID

from bursar.kernel.db import Tx


async def list_due(tx: Tx, days: int, most: int) -> list[tuple[UUID, UUID]]:
    """The tenants and places of answers that are so old, the oldest first."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM answer
           WHERE NOT forgotten AND status < 400 AND created_at < now() - make_interval(days => $1)
           ORDER BY created_at LIMIT $2""",
        days,
        most,
    )


async def forget(tx: Tx, pins: Sequence[UUID]) -> int:
    """Leave of these answers what they were about; how many there were. They are read without locks: nobody waits."""
    found = await tx.column(
        UUID,
        """UPDATE answer n SET forgotten = true, body = convert_to(coalesce((
               SELECT v.object FROM event v WHERE v.tenant_id = n.tenant_id AND v.id = n.event_id), ''), 'UTF8')
           WHERE n.tenant_id = $1 AND n.id = ANY($2::uuid[]) AND NOT n.forgotten
           RETURNING n.id""",
        tx.tenant,
        pins,
    )
    return len(found)
