"""What goes on at the sandbox's provider by itself, and its events carried to us as by a network: signed, and late."""

from uuid import UUID

from bursar.features.payments import signing
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import receive
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers.sandbox import NAME
from bursar.features.payments.providers.sandbox_acting import happen
from bursar.kernel.db import retrying

_MOST_A_TURN = 100


async def run_sandbox(shop: Shop) -> None:
    """Do what is due at the provider, and carry its events; `shop.database` acts as bursar_worker."""
    connection = shop.providers.connections.get(NAME)
    if connection is None or not connection.secrets:
        return
    async with shop.database.transaction(read_only=True) as tx:
        due = await store.list_due(tx, shop.now, _MOST_A_TURN)
    for tenant_id, event_id in due:

        async def once(tenant_id: UUID = tenant_id, event_id: str = event_id) -> str | None:
            async with shop.database.transaction(tenant_id) as tx:
                found = await store.lock_due(tx, event_id)
                if found is None or found.step == "tell":
                    return found.body if found else None
                await happen(tx, found, shop.now)
                await store.mark_told(tx, event_id, shop.now)
                return None

        body = await retrying(once)
        if body is None:
            continue
        raw = body.encode()
        header = signing.signature_of(raw, connection.secrets[0], shop.now)
        await receive(shop, NAME, raw, {signing.HEADER: header})
        # Only now: an event that was not taken in is carried again.
        async with shop.database.transaction(tenant_id) as tx:
            await store.mark_told(tx, event_id, shop.now)
