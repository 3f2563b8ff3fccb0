"""Counterparties: whom the tenant pays."""

from collections.abc import AsyncIterator

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.counterparties import Counterparty
from bursar.wire.fields import Page


class Counterparties(Room):
    """Only operators enter and unblock them."""

    async def create_counterparty(self, *, account: str, name: str, idempotency_key: str | None = None) -> Counterparty:
        """Make the holder of an account known as somebody to pay."""
        body = given(account=account, name=name)
        return await self._change(Counterparty, "create_counterparty", "/v1/counterparties", body, idempotency_key)

    async def get_counterparty(self, counterparty_id: str) -> Counterparty:
        """One counterparty as it stands."""
        return await self._read(Counterparty, "get_counterparty", f"/v1/counterparties/{segment(counterparty_id)}")

    async def list_counterparties(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Counterparty]:
        """Counterparties, oldest first, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[Counterparty], "list_counterparties", "/v1/counterparties", query)

    def iterate_counterparties(self) -> AsyncIterator[Counterparty]:
        """All counterparties, oldest first."""
        return items_of(lambda cursor: self.list_counterparties(cursor=cursor, limit=500))

    async def block_counterparty(self, counterparty_id: str, *, idempotency_key: str | None = None) -> Counterparty:
        """Forbid every agent to pay it."""
        path = f"/v1/counterparties/{segment(counterparty_id)}/block"
        return await self._change(Counterparty, "block_counterparty", path, None, idempotency_key)

    async def unblock_counterparty(self, counterparty_id: str, *, idempotency_key: str | None = None) -> Counterparty:
        """Let it be paid again."""
        path = f"/v1/counterparties/{segment(counterparty_id)}/unblock"
        return await self._change(Counterparty, "unblock_counterparty", path, None, idempotency_key)
