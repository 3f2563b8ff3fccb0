"""The statements of endpoints, their secrets, and how far a tenant's events were followed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bursar.features.notifications.model import Course, Endpoint, EndpointStatus, Happened, Secret
from bursar.kernel.db import Tx


def _endpoint(
    id: UUID, url: str, description: str, events: list[str], status: EndpointStatus, status_why: str | None,
    since: str, failures: int, last_success_at: datetime | None, created_at: datetime, changed_at: datetime,
) -> Endpoint:  # fmt: skip
    return Endpoint(
        id, url, description, tuple(events), status, status_why, int(since), failures, last_success_at, created_at,
        changed_at,
    )  # fmt: skip


def _happened(id: UUID, type: str, xid: str) -> Happened:
    return Happened(id, type, int(xid))


async def count_endpoints(tx: Tx) -> int:
    """How many are in use."""
    return await tx.value(
        int, "SELECT count(*) FROM webhook_endpoint WHERE tenant_id = $1 AND status <> 'retired'", tx.tenant
    )


async def begin_following(tx: Tx) -> None:
    """Hold the tenant's cursor, and bring it to now where nobody is told of what it would pass.

    Whoever makes an endpoint active holds it, as the follower does, so that neither passes what the other needs.
    """
    await tx.run(
        """INSERT INTO webhook_cursor (tenant_id, xid) VALUES ($1, pg_snapshot_xmin(pg_current_snapshot()))
           ON CONFLICT (tenant_id) DO NOTHING""",
        tx.tenant,
    )
    await tx.run("SELECT FROM webhook_cursor WHERE tenant_id = $1 FOR UPDATE", tx.tenant)
    await tx.run(
        """UPDATE webhook_cursor SET xid = greatest(xid, pg_snapshot_xmin(pg_current_snapshot()))
           WHERE tenant_id = $1
             AND NOT EXISTS (SELECT FROM webhook_endpoint WHERE tenant_id = $1 AND status = 'active')""",
        tx.tenant,
    )


async def insert_endpoint(
    tx: Tx, endpoint_id: UUID, url: str, description: str, events: Sequence[str], created_by: UUID
) -> bool:
    """Make an endpoint; False if one in use has the URL. It is sent what is not over before now."""
    made = await tx.column(
        UUID,
        """INSERT INTO webhook_endpoint (tenant_id, id, url, description, events, status, since, created_by)
           VALUES ($1, $2, $3, $4, $5, 'active', pg_snapshot_xmin(pg_current_snapshot()), $6)
           ON CONFLICT DO NOTHING RETURNING id""",
        tx.tenant,
        endpoint_id,
        url,
        description,
        events,
        created_by,
    )
    return bool(made)


async def find_endpoint(tx: Tx, endpoint_id: UUID | None) -> Endpoint | None:
    """One endpoint as it stands."""
    return await tx.row(
        _endpoint,
        """SELECT id, url, description, events, status, status_why, since::text, failures, last_success_at, created_at,
                  changed_at
           FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        endpoint_id,
    )


async def lock_endpoint(tx: Tx, endpoint_id: UUID | None) -> Endpoint | None:
    """The same, for whoever changes it."""
    return await tx.row(
        _endpoint,
        """SELECT id, url, description, events, status, status_why, since::text, failures, last_success_at, created_at,
                  changed_at
           FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        tx.tenant,
        endpoint_id,
    )


async def list_endpoints(tx: Tx, after: UUID | None, limit: int) -> list[Endpoint]:
    """Endpoints, oldest first, after the one named."""
    return await tx.rows(
        _endpoint,
        """SELECT id, url, description, events, status, status_why, since::text, failures, last_success_at, created_at,
                  changed_at
           FROM webhook_endpoint WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )


async def list_active(tx: Tx) -> list[Endpoint]:
    """Those that are told of events."""
    return await tx.rows(
        _endpoint,
        """SELECT id, url, description, events, status, status_why, since::text, failures, last_success_at, created_at,
                  changed_at
           FROM webhook_endpoint WHERE tenant_id = $1 AND status = 'active' ORDER BY id""",
        tx.tenant,
    )


async def has_url(tx: Tx, url: str, besides: UUID) -> bool:
    """Whether another endpoint in use has this URL."""
    return await tx.value(
        bool,
        """SELECT EXISTS (SELECT FROM webhook_endpoint
                          WHERE tenant_id = $1 AND url = $2 AND id <> $3 AND status <> 'retired')""",
        tx.tenant,
        url,
        besides,
    )


async def update_endpoint(tx: Tx, endpoint_id: UUID, url: str, description: str, events: Sequence[str]) -> None:
    """Change what a person says of an endpoint."""
    await tx.run(
        """UPDATE webhook_endpoint SET url = $3, description = $4, events = $5, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        endpoint_id,
        url,
        description,
        events,
    )


async def mark_active(tx: Tx, endpoint_id: UUID) -> None:
    """Have it told of events again, from now on."""
    await tx.run(
        """UPDATE webhook_endpoint
           SET status = 'active', status_why = NULL, failures = 0, since = pg_snapshot_xmin(pg_current_snapshot()),
               changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        endpoint_id,
    )


async def mark_inactive(tx: Tx, endpoint_id: UUID, status: EndpointStatus, why: str | None) -> None:
    """Have it told of nothing more."""
    await tx.run(
        """UPDATE webhook_endpoint SET status = $3, status_why = $4, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        endpoint_id,
        status,
        why,
    )


async def mark_course(tx: Tx, endpoint_id: UUID, course: Course) -> None:
    """Keep how its last attempts went."""
    await tx.run(
        "UPDATE webhook_endpoint SET failures = $3, last_success_at = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        endpoint_id,
        course.failures,
        course.last_success_at,
    )


async def insert_secret(tx: Tx, endpoint_id: UUID, secret_id: UUID, secret: str) -> None:
    """Sign with this from now on."""
    await tx.run(
        "INSERT INTO webhook_secret (tenant_id, endpoint_id, id, secret) VALUES ($1, $2, $3, $4)",
        tx.tenant,
        endpoint_id,
        secret_id,
        secret,
    )


async def end_secrets(tx: Tx, endpoint_id: UUID, overlap_seconds: int) -> None:
    """Forget the older secret, and let the newer one end after so many seconds."""
    await tx.run(
        "DELETE FROM webhook_secret WHERE tenant_id = $1 AND endpoint_id = $2 AND expires_at IS NOT NULL",
        tx.tenant,
        endpoint_id,
    )
    await tx.run(
        """UPDATE webhook_secret SET expires_at = clock_timestamp() + make_interval(secs => $3)
           WHERE tenant_id = $1 AND endpoint_id = $2""",
        tx.tenant,
        endpoint_id,
        overlap_seconds,
    )


async def delete_secrets(tx: Tx, endpoint_id: UUID) -> None:
    """Forget all secrets of an endpoint."""
    await tx.run("DELETE FROM webhook_secret WHERE tenant_id = $1 AND endpoint_id = $2", tx.tenant, endpoint_id)


async def list_secrets(tx: Tx, endpoint_id: UUID) -> list[Secret]:
    """The secrets that are valid now, the newer first."""
    return await tx.rows(
        Secret,
        """SELECT secret, created_at, expires_at FROM webhook_secret
           WHERE tenant_id = $1 AND endpoint_id = $2 AND (expires_at IS NULL OR expires_at > clock_timestamp())
           ORDER BY id DESC""",
        tx.tenant,
        endpoint_id,
    )


async def list_to_follow(tx: Tx) -> list[UUID]:
    """The tenants that have an active endpoint and events that are over and not followed yet."""
    return await tx.column(
        UUID,
        """SELECT c.tenant_id FROM webhook_cursor c
           CROSS JOIN LATERAL (
               SELECT FROM webhook_endpoint WHERE tenant_id = c.tenant_id AND status = 'active' LIMIT 1) e
           CROSS JOIN LATERAL (
               SELECT FROM event
               WHERE tenant_id = c.tenant_id AND xid >= c.xid AND xid < pg_snapshot_xmin(pg_current_snapshot())
               LIMIT 1) v""",
    )


async def lock_cursor(tx: Tx) -> int | None:
    """The first transaction whose events are to be followed; None while somebody else follows them."""
    found = await tx.column(
        str, "SELECT xid::text FROM webhook_cursor WHERE tenant_id = $1 FOR UPDATE SKIP LOCKED", tx.tenant
    )
    return int(found[0]) if found else None


async def list_happened(tx: Tx, start: int, limit: int) -> list[Happened]:
    """Events of transactions from this one on, in their order: at least `limit`, up to the end of a transaction.

    Only of transactions below the oldest that is open: no event of theirs can appear any more.
    """
    return await tx.rows(
        _happened,
        """SELECT id, type, xid::text FROM event
           WHERE tenant_id = $1 AND xid >= $2::text::xid8 AND xid <= (
               SELECT xid FROM (
                   SELECT xid FROM event
                   WHERE tenant_id = $1 AND xid >= $2::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
                   ORDER BY xid LIMIT $3) part
               ORDER BY xid DESC LIMIT 1)
           ORDER BY xid, id""",
        tx.tenant,
        str(start),
        limit,
    )


async def mark_followed(tx: Tx, next_xid: int) -> None:
    """Events of transactions before this one have their deliveries."""
    await tx.run("UPDATE webhook_cursor SET xid = $2::text::xid8 WHERE tenant_id = $1", tx.tenant, str(next_xid))
