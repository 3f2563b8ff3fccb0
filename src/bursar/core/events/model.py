"""An event and the exact bytes that are kept of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.kernel.canonical import Json, canonical

Decision = Literal["allow", "needs_approval", "deny"]


class Event(NamedTuple):
    """One audit row as it is written. `body` is canonical JSON: actor, key, request, decision, outcome, payload."""

    id: UUID
    type: str
    actor_id: UUID | None
    action: str
    object: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One audit row as it is read back."""

    id: UUID
    body: str
    recorded_at: datetime

    @property
    def facts(self) -> Mapping[str, Any]:
        """The body as an object: it is JSON of our own making, of many shapes, hence Any."""
        return json.loads(self.body)


class Happening(NamedTuple):
    """What an action did or was refused: the part of an event that its room knows."""

    type: str
    outcome: str
    payload: Mapping[str, Json]
    object: str | None = None
    decision: Decision = "allow"


def event_of(event_id: UUID, actor: Actor | None, request_id: str, action: str, happening: Happening) -> Event:
    """Fix the bytes of an event. Without an actor it was the system itself (a hold that expired)."""
    who: Mapping[str, Json] = actor.shown if actor else {"kind": "system"}
    body = {
        "action": action,
        "actor": who,
        "decision": happening.decision,
        "object": happening.object,
        "outcome": happening.outcome,
        "payload": happening.payload,
        "request_id": request_id,
        "type": happening.type,
    }
    actor_id = actor.principal_id if actor else None
    return Event(event_id, happening.type, actor_id, action, happening.object, canonical(body))
