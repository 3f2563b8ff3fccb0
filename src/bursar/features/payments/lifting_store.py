"""The statements of what people have decided about what a provider contradicts."""

from uuid import UUID

from bursar.kernel.db import Tx


async def lift_quarantine(tx: Tx, payment_id: UUID, *, in_suspense: bool) -> None:
    """Book of it again: as it is, or all of it to suspense."""
    await tx.run(
        """UPDATE payment SET quarantined = false, in_suspense = $3, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        payment_id,
        in_suspense,
    )


async def mark_in_suspense(tx: Tx, attempt_id: UUID) -> None:
    """Book all that happens to a call without a payment to suspense."""
    await tx.run(
        "UPDATE payment_attempt SET in_suspense = true WHERE tenant_id = $1 AND id = $2", tx.tenant, attempt_id
    )
