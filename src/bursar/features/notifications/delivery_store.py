"""The statements of deliveries and attempts."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.events.model import Recorded
from bursar.features.notifications.model import Attempt, Delivery, DeliveryStatus, Result, Step, Taken
from bursar.kernel.db import Tx


async def insert_deliveries(tx: Tx, ids: Sequence[UUID], pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Have these endpoints told of these events; of what has its delivery already there is no second one."""
    await tx.run(
        """INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, event_id)
           SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) ON CONFLICT DO NOTHING""",
        tx.tenant,
        ids,
        [endpoint_id for endpoint_id, _ in pairs],
        [event_id for _, event_id in pairs],
    )


async def insert_delivery(
    tx: Tx, delivery_id: UUID, endpoint_id: UUID, event_id: UUID | None, replay_of: UUID | None
) -> None:
    """One delivery that a person asks for: a replay, or a test without an event."""
    await tx.run(
        """INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, event_id, replay_of)
           VALUES ($1, $2, $3, $4, $5)""",
        tx.tenant,
        delivery_id,
        endpoint_id,
        event_id,
        replay_of,
    )


async def find_delivery(tx: Tx, delivery_id: UUID | None) -> Delivery | None:
    """One delivery as it stands."""
    return await tx.row(
        Delivery,
        """SELECT d.id, d.endpoint_id, d.event_id, e.type, d.status, d.attempts, d.due_at, d.created_at, d.ended_at,
                  d.replay_of
           FROM webhook_delivery d LEFT JOIN event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
           WHERE d.tenant_id = $1 AND d.id = $2""",
        tx.tenant,
        delivery_id,
    )


async def list_deliveries(
    tx: Tx, endpoint_id: UUID | None, status: DeliveryStatus | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """Deliveries, newest first, before the one named."""
    return await tx.rows(
        Delivery,
        """SELECT d.id, d.endpoint_id, d.event_id, e.type, d.status, d.attempts, d.due_at, d.created_at, d.ended_at,
                  d.replay_of
           FROM webhook_delivery d LEFT JOIN event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
           WHERE d.tenant_id = $1 AND ($2::uuid IS NULL OR d.endpoint_id = $2) AND ($3::text IS NULL OR d.status = $3)
             AND ($4::uuid IS NULL OR d.id < $4)
           ORDER BY d.id DESC LIMIT $5""",
        tx.tenant,
        endpoint_id,
        status,
        before,
        limit,
    )


async def list_attempts(tx: Tx, delivery_id: UUID) -> list[Attempt]:
    """What each attempt of a delivery came to, in order."""
    return await tx.rows(
        Attempt,
        """SELECT number, started_at, latency_ms, status, error, answer FROM webhook_attempt
           WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number""",
        tx.tenant,
        delivery_id,
    )


async def list_due(tx: Tx) -> list[tuple[UUID, UUID]]:
    """The tenants and endpoints for which something is due: a look at each endpoint, not at each delivery."""
    return await tx.pairs(
        """SELECT e.tenant_id, e.id FROM webhook_endpoint e
           CROSS JOIN LATERAL (
               SELECT FROM webhook_delivery
               WHERE tenant_id = e.tenant_id AND endpoint_id = e.id AND status = 'pending' AND event_id IS NOT NULL
                 AND due_at <= statement_timestamp() LIMIT 1) d
           WHERE e.status = 'active'
           UNION
           SELECT e.tenant_id, e.id FROM webhook_endpoint e
           CROSS JOIN LATERAL (
               SELECT FROM webhook_delivery
               WHERE tenant_id = e.tenant_id AND endpoint_id = e.id AND status = 'pending' AND event_id IS NULL
                 AND due_at <= statement_timestamp() LIMIT 1) d
           WHERE e.status <> 'retired'"""
    )


async def take(tx: Tx, endpoint_id: UUID, at_once: int, lease_seconds: float) -> list[Taken]:
    """Take what is to be sent to an active endpoint, passing over what somebody else is taking."""
    return await tx.rows(
        Taken,
        """WITH due AS (
               SELECT id FROM webhook_delivery
               WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'pending' AND event_id IS NOT NULL
                 AND due_at <= statement_timestamp()
               ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           UPDATE webhook_delivery d
           SET taken = taken + 1, due_at = clock_timestamp() + make_interval(secs => $4)
           FROM due WHERE d.tenant_id = $1 AND d.id = due.id
           RETURNING d.id, d.event_id, d.taken, d.attempts, d.created_at""",
        tx.tenant,
        endpoint_id,
        at_once,
        lease_seconds,
    )


async def take_tests(tx: Tx, endpoint_id: UUID, at_once: int, lease_seconds: float) -> list[Taken]:
    """The same for tests, which go to a disabled endpoint, too."""
    return await tx.rows(
        Taken,
        """WITH due AS (
               SELECT id FROM webhook_delivery
               WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'pending' AND event_id IS NULL
                 AND due_at <= statement_timestamp()
               ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           UPDATE webhook_delivery d
           SET taken = taken + 1, due_at = clock_timestamp() + make_interval(secs => $4)
           FROM due WHERE d.tenant_id = $1 AND d.id = due.id
           RETURNING d.id, d.event_id, d.taken, d.attempts, d.created_at""",
        tx.tenant,
        endpoint_id,
        at_once,
        lease_seconds,
    )


async def list_recorded(tx: Tx, event_ids: Sequence[UUID]) -> list[Recorded]:
    """These events, as they were recorded."""
    return await tx.rows(
        Recorded,
        "SELECT id, body, recorded_at FROM event WHERE tenant_id = $1 AND id = ANY($2::uuid[])",
        tx.tenant,
        event_ids,
    )


async def write_steps(tx: Tx, told: Sequence[tuple[Taken, Result, Step]]) -> list[UUID]:
    """Write down what came of attempts; only of those that nobody else has taken since, whose ids are returned."""
    return await tx.column(
        UUID,
        """UPDATE webhook_delivery d
           SET attempts = d.attempts + 1, status = s.status, due_at = s.due_at,
               ended_at = CASE WHEN s.status <> 'pending' THEN clock_timestamp() END
           FROM unnest($2::uuid[], $3::int[], $4::text[], $5::timestamptz[]) s (id, taken, status, due_at)
           WHERE d.tenant_id = $1 AND d.id = s.id AND d.taken = s.taken AND d.status = 'pending'
           RETURNING d.id""",
        tx.tenant,
        [taken.id for taken, _, _ in told],
        [taken.token for taken, _, _ in told],
        [step.status for _, _, step in told],
        [step.due_at for _, _, step in told],
    )


async def insert_attempts(tx: Tx, told: Sequence[tuple[Taken, Result]]) -> None:
    """Log attempts."""
    await tx.run(
        """INSERT INTO webhook_attempt (tenant_id, delivery_id, number, started_at, latency_ms, status, error, answer)
           SELECT $1, * FROM unnest(
               $2::uuid[], $3::int[], $4::timestamptz[], $5::int[], $6::int[], $7::text[], $8::text[])""",
        tx.tenant,
        [taken.id for taken, _ in told],
        [taken.attempts + 1 for taken, _ in told],
        [result.started_at for _, result in told],
        [result.latency_ms for _, result in told],
        [result.status for _, result in told],
        [result.error for _, result in told],
        [result.answer for _, result in told],
    )


async def end_pending(tx: Tx, endpoint_id: UUID) -> None:
    """Give up what was to be sent to an endpoint that is retired."""
    await tx.run(
        """UPDATE webhook_delivery SET status = 'failed', ended_at = clock_timestamp()
           WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'pending'""",
        tx.tenant,
        endpoint_id,
    )


async def list_over(tx: Tx, days: int, limit: int) -> list[tuple[UUID, UUID]]:
    """Deliveries of all tenants that were over so many days ago, as (tenant id, delivery id); for the worker's role."""
    return await tx.pairs(
        """SELECT tenant_id, id FROM webhook_delivery
           WHERE ended_at < statement_timestamp() - make_interval(days => $1) ORDER BY ended_at LIMIT $2""",
        days,
        limit,
    )


async def delete_over(tx: Tx, delivery_ids: Sequence[UUID], days: int) -> int:
    """Delete these deliveries with their attempts, where they are still over as long; how many there were.

    What is sent again meanwhile, or of which an event has yet to be passed by, stays.
    """
    found = await tx.column(
        UUID,
        """SELECT id FROM webhook_delivery
           WHERE tenant_id = $1 AND id = ANY($2::uuid[])
             AND ended_at < statement_timestamp() - make_interval(days => $3) FOR UPDATE SKIP LOCKED""",
        tx.tenant,
        delivery_ids,
        days,
    )
    await tx.run("DELETE FROM webhook_attempt WHERE tenant_id = $1 AND delivery_id = ANY($2::uuid[])", tx.tenant, found)
    await tx.run("DELETE FROM webhook_delivery WHERE tenant_id = $1 AND id = ANY($2::uuid[])", tx.tenant, found)
    return len(found)
