"""How long deliveries are kept that are over."""

from collections import defaultdict
from uuid import UUID

from bursar.features.notifications import delivery_store as store
from bursar.kernel.db import Database, retrying

_MOST_AT_ONCE = 1_000


async def forget_old(database: Database, days: int) -> None:
    """Delete the deliveries that were over so many days ago, in all tenants; `database` acts as bursar_worker."""
    while True:
        async with database.transaction(read_only=True) as tx:
            over = await store.list_over(tx, days, _MOST_AT_ONCE)
        by_tenant: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for tenant_id, delivery_id in over:
            by_tenant[tenant_id].append(delivery_id)
        gone = 0
        for tenant_id, delivery_ids in by_tenant.items():
            gone += await retrying(lambda t=tenant_id, ids=delivery_ids: _forget(database, t, ids, days))
        if gone < _MOST_AT_ONCE:
            return


async def _forget(database: Database, tenant_id: UUID, delivery_ids: list[UUID], days: int) -> int:
    async with database.transaction(tenant_id) as tx:
        return await store.delete_over(tx, delivery_ids, days)
