"""Webhook endpoints and deliveries on the wire."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bursar.wire.fields import Asked, AskedInPart, Time, Told

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        examples=["https://example.com/hooks/bursar"],
        description="https to a public host, port 443 or 8443. In the sandbox also http to this machine.",
    ),
]
EventType = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=64, examples=["transfer.posted"])]
Text = Annotated[str, Field(max_length=500, examples=["Bookkeeping"])]
EndpointStatus = Literal["active", "disabled", "retired"]
DeliveryStatus = Literal["pending", "delivered", "failed"]


class CreateWebhookEndpoint(Asked):
    """Where events are to be sent, and which: `events` names their types, none of them means all."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://example.com/hooks/bursar", "events": ["transfer.posted"]}]}
    )

    url: Url
    description: Text = ""
    events: Annotated[list[EventType], Field(max_length=100)] = Field(default_factory=list)


class ChangeWebhookEndpoint(AskedInPart):
    """What is to be different; what is left out stays. An empty list of `events` means all."""

    url: Url | None = None
    description: Text | None = None
    events: Annotated[list[EventType], Field(max_length=100)] | None = None


class RotateWebhookSecret(AskedInPart):
    """How long the secret before goes on signing beside the new one: a day if not told else, a week at most."""

    overlap_seconds: Annotated[int, Field(ge=0, le=604_800)] = 86_400


class WebhookSecret(Told):
    """When a secret that is valid now was made and when it ends; its text is never shown again."""

    created_at: Time
    expires_at: Time | None


class WebhookEndpoint(Told):
    """Where events of the tenant are sent; `events` empty means all. `failures` counts attempts since one succeeded."""

    id: str
    url: str
    description: str
    events: list[str]
    status: EndpointStatus
    status_why: str | None
    failures: int
    last_success_at: Time | None
    secrets: list[WebhookSecret]
    created_at: Time
    changed_at: Time


class NewWebhookSecret(WebhookEndpoint):
    """An endpoint with the secret that its messages are signed with from now on; it is shown this once."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class WebhookDelivery(Told):
    """One event on its way to one endpoint; without an event it is a test."""

    id: str
    endpoint_id: str
    event_id: str | None
    event_type: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: Time | None
    created_at: Time
    ended_at: Time | None
    replay_of: str | None


class WebhookAttempt(Told):
    """One attempt: the status of the answer and the first bytes of its body, or why there was none."""

    number: int
    started_at: Time
    latency_ms: int
    status: int | None
    error: Literal["address_refused", "name_not_found", "connect_failed", "timeout", "bad_answer"] | None
    answer: Annotated[str, Field(description="Of at most 1,024 bytes; what looks like a secret is left out.")]


class WebhookDeliveryLog(WebhookDelivery):
    """A delivery and each of its attempts, in order."""

    log: list[WebhookAttempt]
