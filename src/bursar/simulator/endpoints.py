"""Webhook endpoints: who is told of what, and the secrets their deliveries are signed with."""

import ipaddress
import secrets
from urllib.parse import urlsplit

from bursar.simulator import delivery_store, fields
from bursar.simulator.errors import Body, bad_parameter
from bursar.simulator.world import API_VERSION, World

_ABOUT: fields.Fields = {
    "api_version": fields.text,
    "description": fields.clearable,
    "enabled_events": fields.texts,
    "metadata": fields.metadata,
    "url": fields.text,
}


def create(world: World, given: Body) -> Body:
    """POST /v1/webhook_endpoints: the only answer that holds the secret."""
    asked = fields.read(given, _ABOUT, ("enabled_events", "url"))
    secret = _new_secret()
    endpoint = world.make(
        "we",
        "webhook_endpoint",
        api_version=asked.get("api_version", API_VERSION),
        application=None,
        description=asked.get("description"),
        enabled_events=asked["enabled_events"],
        metadata=fields.merged({}, asked),
        status="enabled",
        url=_local(asked["url"]),
        _secrets=[[secret, None]],
    )
    return {**endpoint, "secret": secret}


def update(world: World, given: Body, endpoint_id: str) -> Body:
    """POST /v1/webhook_endpoints/{id}."""
    asked = fields.read(given, {**_ABOUT, "disabled": fields.flag})
    endpoint = world.get("webhook_endpoint", endpoint_id)
    if "url" in asked:
        _local(asked["url"])
    if "disabled" in asked:
        endpoint["status"] = "disabled" if asked.pop("disabled") else "enabled"
    return world.save(endpoint, **{**asked, "metadata": fields.merged(endpoint["metadata"], asked)})


def delete(world: World, given: Body, endpoint_id: str) -> Body:
    """DELETE /v1/webhook_endpoints/{id}."""
    fields.read(given, {})
    world.get("webhook_endpoint", endpoint_id)
    world.store.delete(endpoint_id)
    delivery_store.drop_deliveries(world.store, endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def roll(world: World, endpoint_id: str, seconds: int) -> str:
    """Give an endpoint a new secret; deliveries are signed with the old ones too for that long."""
    endpoint = world.get("webhook_endpoint", endpoint_id)
    secret = _new_secret()
    old = [[one, world.now + seconds if until is None else until] for one, until in endpoint["_secrets"]]
    world.save(endpoint, _secrets=[[secret, None], *old])
    return secret


def secrets_of(world: World, endpoint: Body) -> list[str]:
    """The secrets that an endpoint's deliveries are signed with now."""
    return [secret for secret, until in endpoint["_secrets"] if until is None or until > world.now]


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"


def _local(url: str) -> str:
    """The simulator sends to this machine only, so that no test can reach further."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
        here = here and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        here = False
    if not here:
        raise bad_parameter("Invalid URL: the simulator sends to this machine only.", "url", "url_invalid")
    return url
