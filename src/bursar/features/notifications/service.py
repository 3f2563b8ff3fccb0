"""The verbs of people: make endpoints, change, stop and test them, rotate their secrets, read and replay deliveries."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor, ScopeMissing
from bursar.features.notifications import delivery_store, store
from bursar.features.notifications.model import (
    MOST_ENDPOINTS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStateConflict,
    Secret,
)
from bursar.features.notifications.signing import new_secret
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import UnknownObject


class Standing(NamedTuple):
    """An endpoint and the secrets that are valid now, the newer first."""

    endpoint: Endpoint
    secrets: Sequence[Secret]


class Change(NamedTuple):
    """What a person says anew of an endpoint; None leaves it."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None


def refuse_blind(actor: Actor) -> None:
    """An endpoint is told what `GET /v1/events` shows, so whoever makes one must be one who may read that."""
    if "events:read" not in actor.scopes:
        raise ScopeMissing("events:read")


async def create(tx: Tx, actor: Actor, url: str, description: str, events: Sequence[str]) -> Standing:
    """Make an endpoint that is told of every event from now on. Its URL has been looked at by the caller."""
    refuse_blind(actor)
    await store.begin_following(tx)
    if await store.count_endpoints(tx) >= MOST_ENDPOINTS:
        raise EndpointStateConflict(f"There are {MOST_ENDPOINTS} endpoints in use, which is as many as there can be.")
    made = new_id()
    if not await store.insert_endpoint(tx, made, url, description, sorted(set(events)), actor.principal_id):
        raise EndpointStateConflict("There is an endpoint with this URL.")
    await store.insert_secret(tx, made, new_id(), new_secret())
    return await find(tx, made)


async def change(tx: Tx, actor: Actor, endpoint_id: UUID | None, wanted: Change) -> Standing:
    """Change where events are sent, which, or the description. What is on its way goes to the new URL."""
    refuse_blind(actor)
    found = await _locked(tx, endpoint_id)
    url = found.url if wanted.url is None else wanted.url
    if await store.has_url(tx, url, found.id):
        raise EndpointStateConflict("There is an endpoint with this URL.")
    description = found.description if wanted.description is None else wanted.description
    events = found.events if wanted.events is None else sorted(set(wanted.events))
    await store.update_endpoint(tx, found.id, url, description, events)
    return await find(tx, found.id)


async def disable(tx: Tx, endpoint_id: UUID | None) -> Standing:
    """Have it told of nothing more; what is on its way waits until it is enabled."""
    found = await _locked(tx, endpoint_id)
    if found.status == "disabled":
        raise EndpointStateConflict("The endpoint is disabled already.")
    await store.mark_inactive(tx, found.id, "disabled", "A person disabled it.")
    return await find(tx, found.id)


async def enable(tx: Tx, actor: Actor, endpoint_id: UUID | None) -> Standing:
    """Have it told of events again: of those from now on, and of what was on its way when it was disabled."""
    refuse_blind(actor)
    await store.begin_following(tx)
    found = await _locked(tx, endpoint_id)
    if found.status == "active":
        raise EndpointStateConflict("The endpoint is active already.")
    await store.mark_active(tx, found.id)
    return await find(tx, found.id)


async def retire(tx: Tx, endpoint_id: UUID | None) -> Standing:
    """End it for good: its secrets are forgotten, what was on its way is given up; its log stays."""
    found = await _locked(tx, endpoint_id)
    await store.mark_inactive(tx, found.id, "retired", "A person retired it.")
    await store.delete_secrets(tx, found.id)
    await delivery_store.end_pending(tx, found.id)
    return await find(tx, found.id)


async def rotate(tx: Tx, endpoint_id: UUID | None, overlap_seconds: int) -> Standing:
    """Sign with a new secret, and for so many seconds with the one before too; an older one ends at once."""
    found = await _locked(tx, endpoint_id)
    await store.end_secrets(tx, found.id, overlap_seconds)
    await store.insert_secret(tx, found.id, new_id(), new_secret())
    return await find(tx, found.id)


async def test(tx: Tx, endpoint_id: UUID | None) -> Delivery:
    """Have a message that tells of nothing sent to it once, even if it is disabled."""
    found = await _locked(tx, endpoint_id)
    made = new_id()
    await delivery_store.insert_delivery(tx, made, found.id, None, None)
    return await find_delivery(tx, made)


async def replay(tx: Tx, delivery_id: UUID | None) -> Delivery:
    """Have what a delivery is about sent to its endpoint at once, under the same id, whatever became of the first."""
    first = await find_delivery(tx, delivery_id)
    endpoint = await _locked(tx, first.endpoint_id)
    if endpoint.status != "active" and first.event_id:
        raise EndpointStateConflict("The endpoint is disabled.")
    made = new_id()
    await delivery_store.insert_delivery(tx, made, endpoint.id, first.event_id, first.id)
    return await find_delivery(tx, made)


async def find(tx: Tx, endpoint_id: UUID | None) -> Standing:
    """One endpoint as it stands."""
    found = await store.find_endpoint(tx, endpoint_id)
    if found is None:
        raise UnknownObject("webhook endpoint")
    return Standing(found, await store.list_secrets(tx, found.id))


async def list_all(tx: Tx, after: UUID | None, limit: int) -> list[Standing]:
    """Endpoints, oldest first, after the one named."""
    found = await store.list_endpoints(tx, after, limit)
    return [Standing(endpoint, await store.list_secrets(tx, endpoint.id)) for endpoint in found]


async def find_delivery(tx: Tx, delivery_id: UUID | None) -> Delivery:
    """One delivery as it stands."""
    found = await delivery_store.find_delivery(tx, delivery_id)
    if found is None:
        raise UnknownObject("webhook delivery")
    return found


async def list_attempts(tx: Tx, delivery: Delivery) -> list[Attempt]:
    """What each of its attempts came to, in order."""
    return await delivery_store.list_attempts(tx, delivery.id)


async def list_deliveries(
    tx: Tx, endpoint_id: UUID | None, status: DeliveryStatus | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """Deliveries, newest first, of one endpoint or all."""
    return await delivery_store.list_deliveries(tx, endpoint_id, status, before, limit)


async def _locked(tx: Tx, endpoint_id: UUID | None) -> Endpoint:
    found = await store.lock_endpoint(tx, endpoint_id)
    if found is None:
        raise UnknownObject("webhook endpoint")
    if found.status == "retired":
        raise EndpointStateConflict("The endpoint is retired.")
    return found


def told(kind: str, endpoint: Endpoint) -> Happening:
    """What the record says of an endpoint that was made or changed: never a secret."""
    facts: dict[str, Json] = {
        "description": endpoint.description,
        "events": list(endpoint.events),
        "url": endpoint.url,
        "why": endpoint.status_why,
    }
    return Happening(kind, endpoint.status, facts, show("whe", endpoint.id))


def told_delivery(kind: str, delivery: Delivery) -> Happening:
    """What the record says of a delivery that a person asked for."""
    facts: dict[str, Json] = {
        "delivery": show("whd", delivery.id),
        "event": show("evt", delivery.event_id) if delivery.event_id else None,
    }
    return Happening(kind, delivery.status, facts, show("whe", delivery.endpoint_id))
