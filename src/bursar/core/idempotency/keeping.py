"""How long the bytes of an answer are kept. Its key is kept for ever."""

from collections import defaultdict
from uuid import UUID

from bursar.core.idempotency import keeping_store as store
from bursar.kernel.db import Database, retrying

_MOST_AT_ONCE = 1_000


async def forget_old(database: Database, days: int) -> None:
    """Forget the answers that were given so many days ago, in all tenants; `database` acts as bursar_worker."""
    while True:
        async with database.transaction(read_only=True) as tx:
            due = await store.list_due(tx, days, _MOST_AT_ONCE)
        by_tenant: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for tenant_id, pin in due:
            by_tenant[tenant_id].append(pin)
        forgotten = 0
        for tenant_id, pins in by_tenant.items():
            forgotten += await retrying(lambda t=tenant_id, ids=pins: _forget(database, t, ids))
        if forgotten < _MOST_AT_ONCE:
            return


async def _forget(database: Database, tenant_id: UUID, pins: list[UUID]) -> int:
    async with database.transaction(tenant_id) as tx:
        return await store.forget(tx, pins)
