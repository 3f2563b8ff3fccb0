"""Endpoints, deliveries, what one attempt came to, and the rules of what follows from it. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.kernel.refusal import Conflict, Retry

EndpointStatus = Literal["active", "disabled", "retired"]
DeliveryStatus = Literal["pending", "delivered", "failed"]
# Why there was no answer.
AttemptError = Literal["address_refused", "name_not_found", "connect_failed", "timeout", "bad_answer"]

# Seconds to wait after the first failed attempt, the second, and so on: 15 attempts within 71.7 hours.
RETRY_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 43_200, 43_200, 43_200, 28_800)
KEPT_TRYING = timedelta(days=3)
# The wait is made shorter by up to this part, so that what failed together does not come again together.
JITTER = 0.1
# How many messages are under way to one endpoint: few as long as its last attempt failed, so that one that is down
# costs little.
AT_ONCE, AT_ONCE_WHILE_FAILING = 8, 1
MOST_ENDPOINTS = 50
GONE = 410


class EndpointStateConflict(Conflict):
    """The endpoint or delivery does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read how they stand with GET /v1/webhook-endpoints and GET /v1/webhook-deliveries."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events of a tenant are sent; `events` are the types wanted, none of them meaning all."""

    id: UUID
    url: str
    description: str
    events: tuple[str, ...]
    status: EndpointStatus
    status_why: str | None
    # The first transaction whose events it is sent.
    since: int
    failures: int
    last_success_at: datetime | None
    created_at: datetime
    changed_at: datetime

    def wants(self, event_type: str, xid: int) -> bool:
        """Whether an event of this type, written by this transaction, is to be sent to it."""
        return self.status == "active" and xid >= self.since and (not self.events or event_type in self.events)


class Happened(NamedTuple):
    """An event as far as it decides who is told of it."""

    id: UUID
    type: str
    xid: int


class Secret(NamedTuple):
    """A secret that is valid now; `expires_at` is when it stops being so, None for the newer one."""

    text: str
    created_at: datetime
    expires_at: datetime | None


class Delivery(NamedTuple):
    """One event (or a test, without one) on its way to one endpoint."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID | None
    event_type: str | None
    status: DeliveryStatus
    attempts: int
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None
    replay_of: UUID | None


class Attempt(NamedTuple):
    """One attempt: the status of the answer or why there was none, and the first bytes of its body as text."""

    number: int
    started_at: datetime
    latency_ms: int
    status: int | None
    error: AttemptError | None
    answer: str


class Result(NamedTuple):
    """What one attempt came to, for whoever made it."""

    started_at: datetime
    latency_ms: int
    status: int | None
    error: AttemptError | None
    answer: str

    @property
    def taken(self) -> bool:
        """Only 2xx says that the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


class Taken(NamedTuple):
    """A delivery that this worker has: `token` says which taking of it this was."""

    id: UUID
    event_id: UUID | None
    token: int
    attempts: int
    created_at: datetime


class Step(NamedTuple):
    """What becomes of a delivery after an attempt; `due_at` is when it is tried again while it is pending."""

    status: DeliveryStatus
    due_at: datetime


class Course(NamedTuple):
    """How an endpoint goes on; `why` is set when it is to be disabled."""

    failures: int
    last_success_at: datetime | None
    why: str | None


def matches(endpoints: Sequence[Endpoint], events: Sequence[Happened]) -> list[tuple[UUID, UUID]]:
    """Which endpoint is told of which event."""
    return [(endpoint.id, e.id) for e in events for endpoint in endpoints if endpoint.wants(e.type, e.xid)]


def step_after(taken: Taken, result: Result, now: datetime, luck: float) -> Step:
    """What becomes of a delivery; `luck` is from 0 to 1, drawn anew each time."""
    if result.taken:
        return Step("delivered", now)
    number = taken.attempts + 1
    over = number > len(RETRY_SECONDS) or now - taken.created_at >= KEPT_TRYING
    if over or result.status == GONE or taken.event_id is None:
        return Step("failed", now)
    return Step("pending", now + timedelta(seconds=RETRY_SECONDS[number - 1] * (1 - JITTER * luck)))


def course_after(endpoint: Endpoint, told: Sequence[tuple[Taken, Result, Step]], now: datetime) -> Course:
    """How an endpoint goes on after these attempts.

    It is disabled at once by a 410, and when a delivery was given up while none had succeeded since it was made.
    """
    success = any(result.taken for _, result, _ in told)
    failures = 0 if success else endpoint.failures + len(told)
    last = now if success else endpoint.last_success_at
    why = None
    if any(result.status == GONE for _, result, _ in told):
        why = "It answered 410: it is gone."
    elif any(_given_up(taken, step) and (last is None or last < taken.created_at) for taken, _, step in told):
        why = "A delivery failed for three days, and none succeeded meanwhile."
    return Course(failures, last, why)


def _given_up(taken: Taken, step: Step) -> bool:
    return step.status == "failed" and taken.event_id is not None
