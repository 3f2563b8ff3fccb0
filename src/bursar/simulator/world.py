"""What a call works with: the store, the provider's clock, and the events that come of what is done."""

import json
import secrets
import string
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from bursar.simulator import delivery_store, faults
from bursar.simulator.errors import Body, missing
from bursar.simulator.store import Store

API_VERSION = "2026-10-28.endive"
_LETTERS = string.ascii_letters + string.digits

# How long things take, in seconds, and what they cost. Everything can be changed while the simulator runs.
SETTINGS: Mapping[str, int] = {
    "fee_basis_points": 290,
    "fee_fixed": 30,
    "dispute_fee": 1500,
    "dispute_fee_returned": 0,
    "seconds_until_available": 2 * 86_400,
    "seconds_until_async_capture": 2,
    "seconds_until_authorization_expires": 7 * 86_400,
    "seconds_until_dispute": 1,
    "seconds_until_dispute_decided": 1,
    "seconds_to_answer_a_dispute": 9 * 86_400,
    "seconds_until_refund_changes": 3600,
    "seconds_until_payout_in_transit": 3600,
    "seconds_until_payout_arrives": 2 * 86_400,
    "seconds_until_search_finds": 0,
    "sign_by_the_simulators_clock": 0,
}

# What the words of an error call the kinds of objects.
_WORDS = {"payment_method": "PaymentMethod", "balance_transaction": "balance transaction"}


class Cause(NamedTuple):
    """The request that something comes of; events that come of time have none."""

    request: str | None = None
    key: str | None = None


def is_free(name: str) -> bool:
    """Whether a member of an object's body is Stripe's; the simulator's own begin with an underscore."""
    return not name.startswith("_")


class World:
    """The provider as one request sees it, inside a transaction of the store."""

    def __init__(self, store: Store, cause: Cause | None = None) -> None:
        self.store = store
        self.cause = cause or Cause()
        self.now = int(clock(store))

    def setting(self, name: str) -> int:
        """A number from the settings."""
        changed = self.store.setting(name)
        return SETTINGS[name] if changed is None else int(changed)

    def make(self, prefix: str, kind: str, **members: Any) -> Body:
        """Make an object with an id of its own, now."""
        body: Body = {"id": new_id(prefix), "object": kind, "created": self.now, "livemode": False, **members}
        self.store.insert(kind, body)
        return body

    def get(self, kind: str, object_id: str, param: str = "id", *, in_path: bool = True) -> Body:
        """The object of this id.

        Raises:
            StripeError: there is none; 404 when the path names it and 400 when a parameter does.
        """
        found = self.store.get(object_id, kind)
        if found is None:
            raise missing(_WORDS.get(kind, kind), object_id, param, in_path=in_path)
        return found

    def save(self, body: Body, **changes: Any) -> Body:
        """Change members of an object."""
        body.update(changes)
        self.store.update(body)
        return body

    def shown(self, body: Body) -> Body:
        """The object as an answer shows it."""
        seen = {name: value for name, value in body.items() if is_free(name)}
        if body["object"] == "balance_transaction":
            seen["status"] = "available" if body["available_on"] <= self.now else "pending"
        if body["object"] == "event":
            seen["pending_webhooks"] = delivery_store.open_deliveries(self.store, body["id"])
        if body["object"] == "dispute":
            seen["balance_transactions"] = [self.shown(self.get("balance_transaction", one)) for one in body["_moved"]]
        return seen

    def tell(self, kind: str, body: Body, before: Body | None = None) -> None:
        """Write an event about an object, and have it sent to whoever asked for its kind."""
        seen = self.shown(body)
        data: Body = {"object": seen}
        if before is not None:
            data["previous_attributes"] = {
                name: before.get(name) for name, value in seen.items() if before.get(name) != value
            }
        event = self.make(
            "evt",
            "event",
            account=None,
            api_version=API_VERSION,
            data=data,
            pending_webhooks=0,
            request={"id": self.cause.request, "idempotency_key": self.cause.key},
            type=kind,
        )
        for endpoint in self.store.page("webhook_endpoint", where={"status": "enabled"})[::-1]:
            if kind in endpoint["enabled_events"] or "*" in endpoint["enabled_events"]:
                self._send(event, endpoint["id"], kind)

    def _send(self, event: Body, endpoint: str, kind: str) -> None:
        at = clock(self.store)
        rule = faults.strike(self.store, kind, faults.WEBHOOK_MODES)
        mode = rule["mode"] if rule else None
        late = float(rule["seconds"]) if rule and mode != "webhook_duplicate" else 0.0
        copies = int(rule["copies"]) if rule and mode == "webhook_duplicate" else 0
        for _ in range(1 + copies):
            delivery_store.add_delivery(
                self.store, event["id"], endpoint, at + late, since=at, held=mode == "webhook_reorder", fault=mode
            )


def new_id(prefix: str) -> str:
    """An id as Stripe's look."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(24))}"


def clock(store: Store) -> float:
    """What time it is at the provider: the machine's, moved on by whoever drives the simulator, or held still."""
    place = _place(store)
    return place["held_at"] if "held_at" in place else time.time() + place.get("ahead", 0)


def set_clock(store: Store, at: float, *, held: bool) -> None:
    """Put the provider's clock there, and let it stand or go."""
    store.set("clock", {"held_at": at} if held else {"ahead": at - time.time()})


def is_held(store: Store) -> bool:
    """Whether the clock stands."""
    return "held_at" in _place(store)


def _place(store: Store) -> dict[str, float]:
    """`held_at` a time, or `ahead` of the machine by seconds; nothing when nobody has touched it."""
    return store.setting("clock") or {}


def text_of(body: Body) -> str:
    """An object as it goes over the wire."""
    return json.dumps(body, indent=2)
