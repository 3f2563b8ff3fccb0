"""Freezes: the kill switch."""

from collections.abc import AsyncIterator
from typing import Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.freezes import Freeze, NewFreeze


class Freezes(Room):
    """One call stops; it takes two operators to resume."""

    async def create_freeze(
        self,
        *,
        scope: Literal["tenant", "agent", "mandate", "account"],
        reason: str,
        object: str | None = None,
        idempotency_key: str | None = None,
    ) -> NewFreeze:
        """Stop something; an agent may only stop itself, and names no object then."""
        body = given(scope=scope, object=object, reason=reason)
        return await self._change(NewFreeze, "create_freeze", "/v1/freezes", body, idempotency_key)

    async def list_freezes(
        self, *, in_force: bool | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[Freeze]:
        """Freezes, oldest first, a page at a time."""
        query = given(in_force=in_force, cursor=cursor, limit=limit)
        return await self._read(Page[Freeze], "list_freezes", "/v1/freezes", query)

    def iterate_freezes(self, *, in_force: bool | None = None) -> AsyncIterator[Freeze]:
        """All freezes, oldest first."""
        return items_of(lambda cursor: self.list_freezes(in_force=in_force, cursor=cursor, limit=500))

    async def resume_freeze(self, freeze_id: str, *, idempotency_key: str | None = None) -> Freeze:
        """Ask to lift a freeze; the second operator who asks lifts it."""
        path = f"/v1/freezes/{segment(freeze_id)}/resume"
        return await self._change(Freeze, "resume_freeze", path, None, idempotency_key)
