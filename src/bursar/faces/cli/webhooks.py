"""`bursar webhooks`: endpoints and deliveries, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.faces.cli.place import opened
from bursar.features.notifications import resolving, service
from bursar.features.notifications.model import Delivery, DeliveryStatus
from bursar.features.notifications.service import Standing
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show

_MOST_LISTED = 500


async def listed(tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """The endpoints and how they stand."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [_show(standing) for standing in await service.list_all(tx, None, _MOST_LISTED)]


async def add(
    url: str, names: list[str], description: str, operator: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Make an endpoint; its secret is shown this once."""
    async with opened(data, tenant) as place:
        refusal = await resolving.refusal_of(url, resolving.system, plain_to_loopback=place.is_sandbox)
        if refusal:
            raise refusal
        async with place.database.transaction(place.tenant_id) as tx:
            actor = await approvals.acting(tx, operator)
            made = await service.create(tx, actor, url, description, names)
            _record(tx, actor, "create_webhook_endpoint", service.told("webhook_endpoint.created", made.endpoint))
            return _show(made) | {"secret": made.secrets[0].text}


async def disable(endpoint_id: str, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Have an endpoint told of nothing more."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        standing = await service.disable(tx, read("whe", endpoint_id))
        _record(tx, actor, "disable_webhook_endpoint", service.told("webhook_endpoint.disabled", standing.endpoint))
        return _show(standing)


async def deliveries(
    endpoint_id: str | None, status: DeliveryStatus | None, limit: int, tenant: str | None, data: Path | None
) -> list[dict[str, Any]]:
    """The newest deliveries."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        of = (await service.find(tx, read("whe", endpoint_id))).endpoint.id if endpoint_id else None
        return [_show_delivery(delivery) for delivery in await service.list_deliveries(tx, of, status, None, limit)]


async def replay(delivery_id: str, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Have a delivery made once more."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        made = await service.replay(tx, read("whd", delivery_id))
        _record(tx, actor, "replay_webhook_delivery", service.told_delivery("webhook_delivery.replayed", made))
        return _show_delivery(made)


def _record(tx: Tx, actor: Actor, action: str, happening: Happening) -> None:
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", action, told)])


def _show(standing: Standing) -> dict[str, Any]:
    endpoint = standing.endpoint
    return {
        "id": show("whe", endpoint.id),
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events),
        "status": endpoint.status,
        "status_why": endpoint.status_why,
        "failures": endpoint.failures,
    }


def _show_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": show("whd", delivery.id),
        "endpoint_id": show("whe", delivery.endpoint_id),
        "event_id": show("evt", delivery.event_id) if delivery.event_id else None,
        "event_type": delivery.event_type,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at.isoformat() if delivery.status == "pending" else None,
    }
