"""Webhooks out: where events are sent, and what became of each."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.notifications import NewWebhookSecret, WebhookDelivery, WebhookDeliveryLog, WebhookEndpoint

_ENDPOINTS, _DELIVERIES = "/v1/webhook-endpoints", "/v1/webhook-deliveries"
_Status = Literal["pending", "delivered", "failed"]


class Notifications(Room):
    """For people and services; an agent's key has none of it."""

    async def create_webhook_endpoint(
        self, *, url: str, description: str | None = None, events: Sequence[str] | None = None
    ) -> NewWebhookSecret:
        """Have events sent to a URL. If the answer is lost, find the endpoint in the list and rotate its secret."""
        body = given(url=url, description=description, events=None if events is None else list(events))
        return await self._change(NewWebhookSecret, "create_webhook_endpoint", _ENDPOINTS, body, None)

    async def get_webhook_endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint as it stands."""
        return await self._read(WebhookEndpoint, "get_webhook_endpoint", f"{_ENDPOINTS}/{segment(endpoint_id)}")

    async def list_webhook_endpoints(
        self, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[WebhookEndpoint]:
        """Endpoints, oldest first, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[WebhookEndpoint], "list_webhook_endpoints", _ENDPOINTS, query)

    def iterate_webhook_endpoints(self) -> AsyncIterator[WebhookEndpoint]:
        """All endpoints, oldest first."""
        return items_of(lambda cursor: self.list_webhook_endpoints(cursor=cursor, limit=500))

    async def change_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        description: str | None = None,
        events: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookEndpoint:
        """Change what is given; an empty list of `events` means all."""
        body = given(url=url, description=description, events=None if events is None else list(events)) or {}
        path = f"{_ENDPOINTS}/{segment(endpoint_id)}"
        return await self._change(WebhookEndpoint, "change_webhook_endpoint", path, body, idempotency_key)

    async def disable_webhook_endpoint(
        self, endpoint_id: str, *, idempotency_key: str | None = None
    ) -> WebhookEndpoint:
        """Send it nothing more."""
        path = f"{_ENDPOINTS}/{segment(endpoint_id)}/disable"
        return await self._change(WebhookEndpoint, "disable_webhook_endpoint", path, None, idempotency_key)

    async def enable_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> WebhookEndpoint:
        """Send it events again, from now on."""
        path = f"{_ENDPOINTS}/{segment(endpoint_id)}/enable"
        return await self._change(WebhookEndpoint, "enable_webhook_endpoint", path, None, idempotency_key)

    async def retire_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> WebhookEndpoint:
        """End it for good."""
        path = f"{_ENDPOINTS}/{segment(endpoint_id)}/retire"
        return await self._change(WebhookEndpoint, "retire_webhook_endpoint", path, None, idempotency_key)

    async def rotate_webhook_secret(self, endpoint_id: str, *, overlap_seconds: int | None = None) -> NewWebhookSecret:
        """Sign with a new secret, which is shown this once, and for a while with the one before, too."""
        path, body = f"{_ENDPOINTS}/{segment(endpoint_id)}/rotate", given(overlap_seconds=overlap_seconds)
        return await self._change(NewWebhookSecret, "rotate_webhook_secret", path, body, None)

    async def test_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> WebhookDelivery:
        """Have a message that tells of nothing sent to it, once."""
        path = f"{_ENDPOINTS}/{segment(endpoint_id)}/test"
        return await self._change(WebhookDelivery, "test_webhook_endpoint", path, None, idempotency_key)

    async def list_webhook_deliveries(
        self,
        *,
        endpoint: str | None = None,
        status: _Status | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[WebhookDelivery]:
        """Deliveries, newest first, a page at a time."""
        query = given(endpoint=endpoint, status=status, cursor=cursor, limit=limit)
        return await self._read(Page[WebhookDelivery], "list_webhook_deliveries", _DELIVERIES, query)

    def iterate_webhook_deliveries(
        self, *, endpoint: str | None = None, status: _Status | None = None
    ) -> AsyncIterator[WebhookDelivery]:
        """All deliveries that fit, newest first."""
        return items_of(
            lambda cursor: self.list_webhook_deliveries(endpoint=endpoint, status=status, cursor=cursor, limit=500)
        )

    async def get_webhook_delivery(self, delivery_id: str) -> WebhookDeliveryLog:
        """One delivery and each of its attempts."""
        return await self._read(WebhookDeliveryLog, "get_webhook_delivery", f"{_DELIVERIES}/{segment(delivery_id)}")

    async def replay_webhook_delivery(self, delivery_id: str, *, idempotency_key: str | None = None) -> WebhookDelivery:
        """Send what a delivery is about once more, at once."""
        path = f"{_DELIVERIES}/{segment(delivery_id)}/replay"
        return await self._change(WebhookDelivery, "replay_webhook_delivery", path, None, idempotency_key)
