"""The body of a message: an event exactly as `GET /v1/events` shows it, under its id, type and time."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from bursar.core.events.model import Recorded
from bursar.kernel.ids import show

# An actor as it is shown; the system has only a kind.
_NOBODY = {"id": None, "key": None, "name": None}


def message_of(event: Recorded) -> tuple[str, bytes]:
    """The id and body of the message about an event: the same bytes at every attempt and replay."""
    facts = dict(event.facts)
    at, its_id = _time(event.recorded_at), show("evt", event.id)
    data = {**facts, "actor": {**_NOBODY, **facts["actor"]}, "id": its_id, "recorded_at": at}
    return its_id, _bytes(its_id, facts["type"], at, data)


def message_of_test(delivery_id: UUID, made_at: datetime) -> tuple[str, bytes]:
    """The id and body of a test, which tells of nothing."""
    its_id = show("whd", delivery_id)
    return its_id, _bytes(its_id, "webhook_endpoint.test", _time(made_at), {})


def _bytes(message_id: str, kind: str, at: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"id": message_id, "type": kind, "timestamp": at, "data": data})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
