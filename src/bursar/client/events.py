"""Events: the audit trail."""

from collections.abc import AsyncIterator
from datetime import datetime

from bursar.client.arguments import given
from bursar.client.room import Room, items_of
from bursar.wire.events import Event
from bursar.wire.fields import Page


class Events(Room):
    """What happened and what was refused."""

    async def list_events(
        self,
        *,
        agent: str | None = None,
        action: str | None = None,
        object: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Event]:
        """Events, newest first, a page at a time; `end` is the first moment not included."""
        query = given(agent=agent, action=action, object=object, start=start, end=end, cursor=cursor, limit=limit)
        return await self._read(Page[Event], "list_events", "/v1/events", query)

    def iterate_events(
        self,
        *,
        agent: str | None = None,
        action: str | None = None,
        object: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """All events that fit, newest first."""
        return items_of(
            lambda cursor: self.list_events(
                agent=agent, action=action, object=object, start=start, end=end, cursor=cursor, limit=500
            )
        )
