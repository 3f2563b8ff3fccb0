"""`/v1/webhook-endpoints` and `/v1/webhook-deliveries`: where events are sent, and what became of each."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.notifications import resolving, service
from bursar.features.notifications.model import Attempt, Delivery
from bursar.features.notifications.service import Change, Standing
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.refusal import InvalidArgument, Refusal
from bursar.wire import notifications as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1", tags=["webhooks"], route_class=GatedRoute)

_ENDPOINTS, _DELIVERIES = "/webhook-endpoints", "/webhook-deliveries"
_Verb = Callable[[Tx, Actor], Awaitable[Standing]]


@router.post(_ENDPOINTS, status_code=201, response_model=wire.NewWebhookSecret, responses=WRITE_PROBLEMS)
async def create_webhook_endpoint(caller: CallerOf, body: wire.CreateWebhookEndpoint) -> Response:
    """Have events sent to a URL from now on. The secret is in this answer and never shown again: no Idempotency-Key."""
    refusal = await _refusal_of(caller, "create_webhook_endpoint", body.url)

    async def work(tx: Tx, actor: Actor) -> tuple[Standing, Happening]:
        if refusal:
            raise refusal
        made = await service.create(tx, actor, body.url, body.description, body.events)
        return made, service.told("webhook_endpoint.created", made.endpoint)

    return await caller.act(caller.ask("create_webhook_endpoint"), work, lambda m: json_answer(_show_new(m), 201))


@router.get(_ENDPOINTS, response_model=Page[wire.WebhookEndpoint], responses=READ_PROBLEMS)
async def list_webhook_endpoints(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Endpoints, oldest first, retired ones too; without secrets."""
    after = read_cursor("whe", cursor)
    async with caller.reading("list_webhook_endpoints") as (tx, _):
        found = await service.list_all(tx, after, limit + 1)
    items = [_show(standing) for standing in found[:limit]]
    more = items[-1].id if len(found) > limit else None
    return json_response(Page[wire.WebhookEndpoint](items=items, next_cursor=more))


@router.get(_ENDPOINTS + "/{endpoint_id}", response_model=wire.WebhookEndpoint, responses=READ_PROBLEMS)
async def get_webhook_endpoint(caller: CallerOf, endpoint_id: IdPath) -> Response:
    """One endpoint as it stands, without secrets."""
    async with caller.reading("get_webhook_endpoint") as (tx, _):
        return json_response(_show(await service.find(tx, read("whe", endpoint_id))))


@router.post(_ENDPOINTS + "/{endpoint_id}", response_model=wire.WebhookEndpoint, responses=WRITE_PROBLEMS)
async def change_webhook_endpoint(
    caller: CallerOf, endpoint_id: IdPath, body: wire.ChangeWebhookEndpoint, key: OptionalIdempotencyKey = None
) -> Response:
    """Send other events, or to another URL: what is on its way goes there, too."""
    refusal = await _refusal_of(caller, "change_webhook_endpoint", body.url) if body.url is not None else None

    async def verb(tx: Tx, actor: Actor) -> Standing:
        if refusal:
            raise refusal
        wanted = Change(body.url, body.description, body.events)
        return await service.change(tx, actor, read("whe", endpoint_id), wanted)

    ask = caller.ask("change_webhook_endpoint", key, body, endpoint_id)
    return await caller.act(ask, _recorded(verb, "webhook_endpoint.changed"), lambda s: json_answer(_show(s)))


@router.post(_ENDPOINTS + "/{endpoint_id}/disable", response_model=wire.WebhookEndpoint, responses=WRITE_PROBLEMS)
async def disable_webhook_endpoint(
    caller: CallerOf, endpoint_id: IdPath, key: OptionalIdempotencyKey = None
) -> Response:
    """Send it nothing more. What is on its way waits; what happens meanwhile is not sent later."""

    async def verb(tx: Tx, _: Actor) -> Standing:
        return await service.disable(tx, read("whe", endpoint_id))

    ask = caller.ask("disable_webhook_endpoint", key, None, endpoint_id)
    return await caller.act(ask, _recorded(verb, "webhook_endpoint.disabled"), lambda s: json_answer(_show(s)))


@router.post(_ENDPOINTS + "/{endpoint_id}/enable", response_model=wire.WebhookEndpoint, responses=WRITE_PROBLEMS)
async def enable_webhook_endpoint(
    caller: CallerOf, endpoint_id: IdPath, key: OptionalIdempotencyKey = None
) -> Response:
    """Send it events again: those from now on, and what was on its way when it was disabled."""

    async def verb(tx: Tx, actor: Actor) -> Standing:
        return await service.enable(tx, actor, read("whe", endpoint_id))

    ask = caller.ask("enable_webhook_endpoint", key, None, endpoint_id)
    return await caller.act(ask, _recorded(verb, "webhook_endpoint.enabled"), lambda s: json_answer(_show(s)))


@router.post(_ENDPOINTS + "/{endpoint_id}/retire", response_model=wire.WebhookEndpoint, responses=WRITE_PROBLEMS)
async def retire_webhook_endpoint(
    caller: CallerOf, endpoint_id: IdPath, key: OptionalIdempotencyKey = None
) -> Response:
    """End it for good: what is on its way is given up, its secrets are forgotten. Its log stays."""

    async def verb(tx: Tx, _: Actor) -> Standing:
        return await service.retire(tx, read("whe", endpoint_id))

    ask = caller.ask("retire_webhook_endpoint", key, None, endpoint_id)
    return await caller.act(ask, _recorded(verb, "webhook_endpoint.retired"), lambda s: json_answer(_show(s)))


@router.post(_ENDPOINTS + "/{endpoint_id}/rotate", response_model=wire.NewWebhookSecret, responses=WRITE_PROBLEMS)
async def rotate_webhook_secret(
    caller: CallerOf, endpoint_id: IdPath, body: wire.RotateWebhookSecret | None = None
) -> Response:
    """Sign with a new secret, for a while beside the one before. It is in this answer and never shown again."""
    overlap = (body or wire.RotateWebhookSecret()).overlap_seconds

    async def verb(tx: Tx, _: Actor) -> Standing:
        return await service.rotate(tx, read("whe", endpoint_id), overlap)

    ask = caller.ask("rotate_webhook_secret")
    return await caller.act(ask, _recorded(verb, "webhook_endpoint.rotated"), lambda s: json_answer(_show_new(s)))


@router.post(
    _ENDPOINTS + "/{endpoint_id}/test", status_code=201, response_model=wire.WebhookDelivery, responses=WRITE_PROBLEMS
)
async def test_webhook_endpoint(caller: CallerOf, endpoint_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Have a message that tells of nothing sent to it, once; read what came of it at the delivery."""

    async def work(tx: Tx, _: Actor) -> tuple[Delivery, Happening]:
        made = await service.test(tx, read("whe", endpoint_id))
        return made, service.told_delivery("webhook_endpoint.tested", made)

    ask = caller.ask("test_webhook_endpoint", key, None, endpoint_id)
    return await caller.act(ask, work, lambda made: json_answer(_show_delivery(made), 201))


@router.get(_DELIVERIES, response_model=Page[wire.WebhookDelivery], responses=READ_PROBLEMS)
async def list_webhook_deliveries(
    caller: CallerOf,
    endpoint: Annotated[str | None, Query(max_length=64, description="The id of an endpoint.")] = None,
    status: wire.DeliveryStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Deliveries, newest first."""
    before = read_cursor("whd", cursor)
    async with caller.reading("list_webhook_deliveries") as (tx, _):
        of = (await service.find(tx, read("whe", endpoint))).endpoint.id if endpoint is not None else None
        found = await service.list_deliveries(tx, of, status, before, limit + 1)
    items = [_show_delivery(delivery) for delivery in found[:limit]]
    more = items[-1].id if len(found) > limit else None
    return json_response(Page[wire.WebhookDelivery](items=items, next_cursor=more))


@router.get(_DELIVERIES + "/{delivery_id}", response_model=wire.WebhookDeliveryLog, responses=READ_PROBLEMS)
async def get_webhook_delivery(caller: CallerOf, delivery_id: IdPath) -> Response:
    """One delivery and each of its attempts."""
    async with caller.reading("get_webhook_delivery") as (tx, _):
        found = await service.find_delivery(tx, read("whd", delivery_id))
        log = [_show_attempt(attempt) for attempt in await service.list_attempts(tx, found)]
    return json_response(wire.WebhookDeliveryLog(**dict(_show_delivery(found)), log=log))


@router.post(
    _DELIVERIES + "/{delivery_id}/replay",
    status_code=201,
    response_model=wire.WebhookDelivery,
    responses=WRITE_PROBLEMS,
)
async def replay_webhook_delivery(
    caller: CallerOf, delivery_id: IdPath, key: OptionalIdempotencyKey = None
) -> Response:
    """Send what a delivery is about once more and at once, under the same webhook-id; it is a delivery of its own."""

    async def work(tx: Tx, _: Actor) -> tuple[Delivery, Happening]:
        made = await service.replay(tx, read("whd", delivery_id))
        return made, service.told_delivery("webhook_delivery.replayed", made)

    ask = caller.ask("replay_webhook_delivery", key, None, delivery_id)
    return await caller.act(ask, work, lambda made: json_answer(_show_delivery(made), 201))


async def _refusal_of(caller: Caller, action: str, url: str) -> InvalidArgument | None:
    """Why this URL may not be called, looked at for whoever may ask only; others are refused where that is recorded."""
    try:
        async with caller.reading(action):
            pass
    except Refusal:
        return None
    plain = caller.door.sandbox is not None
    return await resolving.refusal_of(url, caller.door.resolve, plain_to_loopback=plain)


def _recorded(verb: _Verb, kind: str) -> Callable[[Tx, Actor], Awaitable[tuple[Standing, Happening]]]:
    async def work(tx: Tx, actor: Actor) -> tuple[Standing, Happening]:
        standing = await verb(tx, actor)
        return standing, service.told(kind, standing.endpoint)

    return work


def _show(standing: Standing) -> wire.WebhookEndpoint:
    endpoint, secrets = standing
    return wire.WebhookEndpoint(
        id=show("whe", endpoint.id),
        url=endpoint.url,
        description=endpoint.description,
        events=list(endpoint.events),
        status=endpoint.status,
        status_why=endpoint.status_why,
        failures=endpoint.failures,
        last_success_at=endpoint.last_success_at,
        secrets=[wire.WebhookSecret(created_at=s.created_at, expires_at=s.expires_at) for s in secrets],
        created_at=endpoint.created_at,
        changed_at=endpoint.changed_at,
    )


def _show_new(standing: Standing) -> wire.NewWebhookSecret:
    return wire.NewWebhookSecret(**dict(_show(standing)), secret=standing.secrets[0].text)


def _show_delivery(delivery: Delivery) -> wire.WebhookDelivery:
    return wire.WebhookDelivery(
        id=show("whd", delivery.id),
        endpoint_id=show("whe", delivery.endpoint_id),
        event_id=show("evt", delivery.event_id) if delivery.event_id else None,
        event_type=delivery.event_type,
        status=delivery.status,
        attempts=delivery.attempts,
        next_attempt_at=delivery.due_at if delivery.status == "pending" else None,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
        replay_of=show("whd", delivery.replay_of) if delivery.replay_of else None,
    )


def _show_attempt(attempt: Attempt) -> wire.WebhookAttempt:
    return wire.WebhookAttempt(**attempt._asdict())
