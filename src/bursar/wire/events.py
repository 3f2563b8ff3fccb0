"""Events on the wire."""

from typing import Any, Literal

from bursar.wire.fields import Time, Told


class EventActor(Told):
    """Who acted: a principal and the key used, or the system itself (then only `kind` is set)."""

    kind: Literal["agent", "operator", "service", "system"]
    id: str | None = None
    name: str | None = None
    key: str | None = None


class Event(Told):
    """One row of the audit trail. `payload` holds what was asked and what came of it; its text is the caller's."""

    id: str
    type: str
    action: str
    actor: EventActor
    object: str | None
    decision: Literal["allow", "needs_approval", "deny"]
    outcome: str
    payload: dict[str, Any]
    request_id: str
    recorded_at: Time
