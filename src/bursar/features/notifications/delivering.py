"""How deliveries are sent: taken with a lease, sent outside any transaction, written down if nobody took them since.

Each endpoint has a sender of its own, so one that is slow delays no other.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

import structlog

from bursar.core.events import service as events
from bursar.core.events.model import Recorded, event_of
from bursar.core.ledger import reading
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.notifications import delivery_store, service, store
from bursar.features.notifications.message import message_of, message_of_test
from bursar.features.notifications.model import (
    AT_ONCE,
    AT_ONCE_WHILE_FAILING,
    Endpoint,
    Result,
    Step,
    Taken,
    course_after,
    step_after,
)
from bursar.features.notifications.sending import SECONDS_IN_ALL, Letter
from bursar.kernel.db import Busy, CommitLost, Database, Tx, UpstreamUnavailable
from bursar.kernel.ids import new_id, show

Send: TypeAlias = Callable[[Letter], Awaitable[Result]]

# Well above the time that an attempt and its two transactions may take: who still has it then is dead or frozen.
LEASE_SECONDS = 3 * SECONDS_IN_ALL
# How many endpoints are sent to at the same time by one process; as many slow ones delay no other.
MOST_SENDERS = 256


class Batch(NamedTuple):
    """What was taken for one endpoint, and the letters of it."""

    endpoint: Endpoint
    letters: Sequence[tuple[Taken, Letter]]


async def take(tx: Tx, endpoint_id: UUID, lease_seconds: float = LEASE_SECONDS) -> Batch | None:
    """Take what is due for an endpoint, as much as may be under way at once; None when there is nothing."""
    endpoint = await store.find_endpoint(tx, endpoint_id)
    if endpoint is None or endpoint.status == "retired":
        return None
    at_once = AT_ONCE_WHILE_FAILING if endpoint.failures else AT_ONCE
    taken = await delivery_store.take_tests(tx, endpoint_id, at_once, lease_seconds)
    if not taken and endpoint.status == "active":
        taken = await delivery_store.take(tx, endpoint_id, at_once, lease_seconds)
    if not taken:
        return None
    valid = [secret.text for secret in await store.list_secrets(tx, endpoint_id)]
    recorded = await delivery_store.list_recorded(tx, [one.event_id for one in taken if one.event_id])
    by_id = {event.id: event for event in recorded}
    return Batch(endpoint, [(one, Letter(endpoint.url, *_message(one, by_id), valid)) for one in taken])


def _message(taken: Taken, recorded: Mapping[UUID, Recorded]) -> tuple[str, bytes]:
    if taken.event_id is None:
        return message_of_test(taken.id, taken.created_at)
    return message_of(recorded[taken.event_id])


async def write_down(tx: Tx, endpoint_id: UUID, results: Sequence[tuple[Taken, Result]]) -> int:
    """Write down what attempts came to, and what follows for the endpoint; returns how many of them counted.

    An attempt does not count when the delivery was taken again since: its lease was over, and another goes on with it.
    """
    now = await reading.clock(tx)
    told = [(one, result, step_after(one, result, now, secrets.randbelow(1001) / 1000)) for one, result in results]
    endpoint = await store.lock_endpoint(tx, endpoint_id)
    assert endpoint, "no endpoint is ever deleted"
    counted = set(await delivery_store.write_steps(tx, told))
    told = [each for each in told if each[0].id in counted]
    if told:
        await delivery_store.insert_attempts(tx, [(one, result) for one, result, _ in told])
        await _go_on(tx, endpoint, told, now)
    return len(told)


async def _go_on(tx: Tx, endpoint: Endpoint, told: Sequence[tuple[Taken, Result, Step]], now: datetime) -> None:
    course = course_after(endpoint, told, now)
    await store.mark_course(tx, endpoint.id, course)
    if course.why is None or endpoint.status != "active":
        return
    await store.mark_inactive(tx, endpoint.id, "disabled", course.why)
    subject = Subject("webhook_endpoint", show("whe", endpoint.id))
    await cases.open_case(tx, "webhook_disabled", subject, course.why)
    disabled = (await service.find(tx, endpoint.id)).endpoint
    happening = service.told("webhook_endpoint.disabled", disabled)
    events.record(tx, [event_of(new_id(), None, "", "disable_webhook_endpoint", happening)])


@dataclass(slots=True)
class Dispatcher:
    """Sends what is due, with a sender for each endpoint that has something; close it when done."""

    database: Database
    send: Send
    lease_seconds: float = LEASE_SECONDS
    _senders: dict[UUID, asyncio.Task[None]] = field(default_factory=dict[UUID, asyncio.Task[None]])

    async def close(self) -> None:
        """Drop what is under way: when its lease is over it is taken again."""
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def turn(self, _: Database | None = None) -> None:
        """See to it that every endpoint with something due has a sender; waits for none of them."""
        async with self.database.transaction(read_only=True) as tx:
            due = [pair for pair in await delivery_store.list_due(tx) if pair[1] not in self._senders]
        secrets.SystemRandom().shuffle(due)
        for tenant_id, endpoint_id in due[: MOST_SENDERS - len(self._senders)]:
            sender = asyncio.create_task(self._serve(tenant_id, endpoint_id))
            self._senders[endpoint_id] = sender
            sender.add_done_callback(lambda _, endpoint_id=endpoint_id: self._senders.pop(endpoint_id))

    async def _serve(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        """Send to one endpoint as long as something is due for it."""
        try:
            while await self.serve_once(tenant_id, endpoint_id):
                pass
        except (Busy, CommitLost, UpstreamUnavailable) as error:
            structlog.get_logger().warning("webhooks put off", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 -- a bug with one endpoint must not end the others
            structlog.get_logger().error("webhooks failed", error=type(error).__name__)

    async def serve_once(self, tenant_id: UUID, endpoint_id: UUID) -> bool:
        """Take, send, write down; False when there was nothing to take."""
        async with self.database.transaction(tenant_id) as tx:
            batch = await take(tx, endpoint_id, self.lease_seconds)
        if batch is None:
            return False
        results = await asyncio.gather(*(self.send(letter) for _, letter in batch.letters))
        told = list(zip((one for one, _ in batch.letters), results, strict=True))
        async with self.database.transaction(tenant_id) as tx:
            await write_down(tx, endpoint_id, told)
        return True
