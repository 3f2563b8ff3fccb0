"""Who has a connection next: tenants take turns, and the last connections are for those who have none."""

import asyncio
from collections import defaultdict, deque
from uuid import UUID

# Of all connections, the share that nobody has who has one already.
_SPARE = 5


class Turns:
    """Counts the connections of a pool, and has whoever comes too late wait: in the order of coming within a tenant.

    How many of one tenant wait, and for how long they keep what they have, is therefore nothing to the others. What
    belongs to no tenant is a tenant of its own.
    """

    def __init__(self, connections: int) -> None:
        """All are free."""
        self._free = connections
        self._spare = connections // _SPARE
        self._held: defaultdict[UUID | None, int] = defaultdict(int)
        # The next in turn is the first.
        self._waiting: dict[UUID | None, deque[asyncio.Future[None]]] = {}

    async def take(self, tenant_id: UUID | None, seconds: float) -> None:
        """Return when a connection is theirs, to be given back; TimeoutError after so many seconds."""
        # Of a tenant who may, nobody waits.
        if self._may(tenant_id):
            self._hand(tenant_id)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            # It may have come at the very moment.
            if turn.done() and not turn.cancelled():
                self.give(tenant_id)
            raise

    def give(self, tenant_id: UUID | None) -> None:
        """Give one back, for whose turn it is."""
        self._free += 1
        self._held[tenant_id] -= 1
        if not self._held[tenant_id]:
            del self._held[tenant_id]
        while self._next():
            pass

    def _may(self, tenant_id: UUID | None) -> bool:
        return self._free > (self._spare if tenant_id in self._held else 0)

    def _hand(self, tenant_id: UUID | None) -> None:
        self._free -= 1
        self._held[tenant_id] += 1

    def _next(self) -> bool:
        """Have one go on who waits, if one may, and their tenant wait for its next turn."""
        for tenant_id in filter(self._may, self._waiting):
            turns = self._waiting.pop(tenant_id)
            turn = turns.popleft()
            if turns:
                self._waiting[tenant_id] = turns
            if not turn.done():  # Else nobody waits for it any more.
                self._hand(tenant_id)
                turn.set_result(None)
            return True
        return False
