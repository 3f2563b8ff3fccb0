"""The statements of the inbox: what providers told us, once each."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx


class Parked(NamedTuple):
    """An event that waits for what it builds on."""

    provider: str
    event_id: str
    body: bytes
    tries: int


async def knows_tenant(tx: Tx) -> bool:
    """Whether the transaction's tenant is one."""
    return bool(await tx.column(bool, "SELECT true FROM tenant WHERE tenant_id = $1", tx.tenant))


async def insert(tx: Tx, provider: str, event_id: str, kind: str, body: bytes, happened_at: datetime) -> bool:
    """Take an event in; False when it has come before."""
    return bool(
        await tx.column(
            bool,
            """INSERT INTO payment_inbox (tenant_id, provider, event_id, type, body, status, happened_at)
               VALUES ($1, $2, $3, $4, $5, 'ignored', $6) ON CONFLICT DO NOTHING RETURNING true""",
            tx.tenant,
            provider,
            event_id,
            kind,
            body,
            happened_at,
        )
    )


async def mark(tx: Tx, provider: str, event_id: str, status: str, about: str | None, try_at: datetime | None) -> None:
    """Write what became of an event; of a parked one, what it is about and when it is tried again."""
    await tx.run(
        """UPDATE payment_inbox SET status = $4, about = $5, try_at = $6, tries = tries + 1
           WHERE tenant_id = $1 AND provider = $2 AND event_id = $3""",
        tx.tenant,
        provider,
        event_id,
        status,
        about,
        try_at,
    )


async def list_parked_about(tx: Tx, provider: str, about: str) -> list[Parked]:
    """The parked events about something that has just changed, in the order in which they happened."""
    return await tx.rows(
        Parked,
        """SELECT provider, event_id, body, tries FROM payment_inbox
           WHERE tenant_id = $1 AND provider = $2 AND about = $3 AND status = 'parked'
           ORDER BY happened_at, event_id""",
        tx.tenant,
        provider,
        about,
    )


async def lock_parked(tx: Tx, provider: str, event_id: str) -> Parked | None:
    """A parked event, if nobody tries it now."""
    return await tx.row(
        Parked,
        """SELECT provider, event_id, body, tries FROM payment_inbox
           WHERE tenant_id = $1 AND provider = $2 AND event_id = $3 AND status = 'parked' FOR UPDATE SKIP LOCKED""",
        tx.tenant,
        provider,
        event_id,
    )


async def list_due(tx: Tx, providers: Sequence[str], now: datetime, limit: int) -> list[tuple[UUID, tuple[str, str]]]:
    """Parked events of these providers to be tried again, in all tenants, for the worker's role only.

    As (tenant id, (provider, event id)).
    """
    return await tx.rows(
        _due,
        """SELECT tenant_id, provider, event_id FROM payment_inbox
           WHERE status = 'parked' AND provider = ANY($1::text[]) AND try_at <= $2 ORDER BY try_at LIMIT $3""",
        providers,
        now,
        limit,
    )


def _due(tenant_id: UUID, provider: str, event_id: str) -> tuple[UUID, tuple[str, str]]:
    return tenant_id, (provider, event_id)
