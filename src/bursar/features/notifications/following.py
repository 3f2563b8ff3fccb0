"""How events find the endpoints that ask for them: a tenant's record is followed in the order of its transactions."""

from bursar.features.notifications import delivery_store, store
from bursar.features.notifications.model import matches
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

# How many events are looked at in one transaction, besides the rest of the last one's.
CHUNK = 500


async def follow(tx: Tx, chunk: int = CHUNK) -> int:
    """Make the deliveries of the tenant's next events and move on past them, all in this transaction.

    Returns how many events were passed: 0 when there are none, or somebody else follows this tenant now. What an open
    transaction may still write lies above what is looked at, and is met when that transaction is over.
    """
    start = await store.lock_cursor(tx)
    if start is None:
        return 0
    # Read under the cursor's lock: whoever makes one active holds it, too.
    endpoints = await store.list_active(tx)
    happened = await store.list_happened(tx, start, chunk) if endpoints else []
    if happened:
        pairs = matches(endpoints, happened)
        if pairs:
            await delivery_store.insert_deliveries(tx, [new_id() for _ in pairs], pairs)
        await store.mark_followed(tx, happened[-1].xid + 1)
    return len(happened)
