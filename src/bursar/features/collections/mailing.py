"""Reminders that go by e-mail: sent by the worker, each at most once as far as a mail server lets that be known.

A mail is marked `sending` and that committed before the server is asked. What the server surely did not take is tried
again; where nobody knows, because the connection or this process died after the text had begun to go out, the mail ends
as `unknown` and is never sent again.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

import structlog

from bursar.features.collections import mail_store
from bursar.features.collections.mail_store import Taken
from bursar.kernel.db import Database, retrying

# Longer than any port takes: whoever has not said by then what came of a mail is gone.
LEASE_SECONDS = 300
# Seconds to wait after each attempt at which the server surely took nothing; after the last the mail has failed.
RETRY_SECONDS = (60, 300, 1_800, 7_200, 28_800)
_MOST_A_TURN = 100


class Letter(NamedTuple):
    """A mail as a port takes it; `reference` is the reminder's, for the Message-ID."""

    reference: str
    recipient: str
    subject: str
    body: str


class Result(NamedTuple):
    """What came of a mail: `not_now` was surely not taken and may be later; `error` is in our own words."""

    outcome: Literal["sent", "not_now", "refused", "unknown"]
    error: str | None = None


# The delivery port. It raises nothing.
Send: TypeAlias = Callable[[Letter], Awaitable[Result]]


async def log(letter: Letter) -> Result:
    """The port of the sandbox: nothing leaves the house. Neither whom it is for nor what it says is in the log."""
    structlog.get_logger().info("mail not sent: this is the sandbox", reminder=letter.reference)
    return Result("sent")


async def nowhere(letter: Letter) -> Result:
    """The port of those who have set none up."""
    del letter
    return Result("refused", "No mail server is configured.")


async def send_due(database: Database, send: Send) -> None:
    """Send what is due, in all tenants; `database` acts as bursar_worker."""
    async with database.transaction(read_only=True) as tx:
        due = await mail_store.list_due(tx, _MOST_A_TURN)
    for tenant_id, reminder_id in due:
        taken = await retrying(lambda t=tenant_id, r=reminder_id: _take(database, t, r))
        if taken:
            letter = Letter(taken.reminder_id.hex, taken.recipient, taken.subject, taken.body)
            result = await send(letter)
            await retrying(lambda t=tenant_id, taken=taken, result=result: _mark(database, t, taken, result))


async def _take(database: Database, tenant_id: UUID, reminder_id: UUID) -> Taken | None:
    async with database.transaction(tenant_id) as tx:
        if await mail_store.give_up(tx, reminder_id, "Whoever sent it did not say what came of it."):
            return None
        return await mail_store.take(tx, reminder_id, LEASE_SECONDS)


async def _mark(database: Database, tenant_id: UUID, taken: Taken, result: Result) -> None:
    async with database.transaction(tenant_id) as tx:
        if result.outcome == "not_now" and taken.attempts <= len(RETRY_SECONDS):
            await mail_store.mark(tx, taken, "pending", result.error, RETRY_SECONDS[taken.attempts - 1])
            return
        status = "failed" if result.outcome in ("not_now", "refused") else result.outcome
        assert status in ("failed", "sent", "unknown")
        await mail_store.mark(tx, taken, status, result.error, 0)
