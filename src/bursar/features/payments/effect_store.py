"""The statements of what is booked of a payment, and of the hold that waits for it."""

from collections.abc import Sequence
from uuid import UUID

from bursar.features.payments.model import Booked
from bursar.features.payments.ports import Effect
from bursar.kernel.db import Tx


async def list_effects(tx: Tx, payment_id: UUID) -> list[Booked]:
    """What is booked of a payment, in that order."""
    return await tx.rows(
        Booked,
        """SELECT reference, kind, attempt_id, currency, amount_minor, fee_minor, about, entry_id, booked_at
           FROM payment_effect WHERE tenant_id = $1 AND payment_id = $2 ORDER BY booked_at""",
        tx.tenant,
        payment_id,
    )


async def list_effects_of_attempt(tx: Tx, attempt_id: UUID) -> list[Booked]:
    """What is booked of a payout, in that order."""
    return await tx.rows(
        Booked,
        """SELECT reference, kind, attempt_id, currency, amount_minor, fee_minor, about, entry_id, booked_at
           FROM payment_effect WHERE tenant_id = $1 AND attempt_id = $2 ORDER BY booked_at""",
        tx.tenant,
        attempt_id,
    )


def insert_effect(
    tx: Tx, provider: str, effect: Effect, payment_id: UUID | None, attempt_id: UUID | None, entry_id: UUID | None
) -> None:
    """Keep that an effect is booked, and by which entry; a second time is an error."""
    tx.later(
        """INSERT INTO payment_effect (tenant_id, provider, reference, kind, payment_id, attempt_id, currency,
                                       amount_minor, fee_minor, about, entry_id)
           SELECT $1, $2::text, $3::text, $4::text, $5::uuid, $6::uuid, $7::text, $8::bigint, $9::bigint, $10::text,
                  $11::uuid""",
        tx.tenant,
        provider,
        effect.reference,
        effect.kind,
        payment_id,
        attempt_id,
        effect.currency,
        effect.amount_minor,
        effect.fee_minor,
        effect.about,
        entry_id,
    )


def _holds(holds: Sequence[UUID]) -> UUID | None:
    assert len(holds) <= 1, "an owner has one hold at a time"
    return holds[0] if holds else None


async def find_hold_of(tx: Tx, owner_id: UUID) -> UUID | None:
    """The pending hold that was placed for an attempt."""
    return _holds(
        await tx.column(
            UUID,
            "SELECT id FROM hold WHERE tenant_id = $1 AND owner_id = $2 AND status = 'pending'",
            tx.tenant,
            owner_id,
        )
    )
