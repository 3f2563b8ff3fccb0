"""Freezing, resuming and paying as the door has it done, for tests of the kill switch."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from bursar.core.authority import resuming, switches
from bursar.core.authority import service as authority
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.fate import settled
from bursar.core.authority.model import Ask
from bursar.core.authority.service import Carried
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By, Stopped
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor, Credential
from bursar.core.ledger.orders import PlaceHold
from bursar.kernel.db import Tx, connect, retrying
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.asking import transfer
from tests.core.authority.offices import Office


async def act(office: Office, who: Credential, action: str, verb: Callable[[Tx, By], Awaitable[Any]]) -> Any:
    """Do it as the door does, once authenticated; what came of it, or its refusal raised."""
    ask = Ask(who, ACTIONS[action], "test")
    kept: list[Any] = []

    async def work(tx: Tx, actor: Actor) -> tuple[Any, Happening]:
        done = await verb(tx, By(actor, "test", action))
        happening = switches.told_frozen(done) if isinstance(done, Stopped) else resuming.told_resumed(done)
        return done, happening

    def answer(result: Any) -> Answer:
        kept.append(result)
        return Answer(200, b"")

    async def once(tx: Tx) -> Carried:
        return await authority.act(tx, ask, work, answer)

    (reply,) = await retrying(lambda: settled(office.database, [ask], office.story.tenant_id, once))
    outcome = reply if isinstance(reply, Refusal) else kept[-1]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def freeze(office: Office, who: Credential, scope: FreezeScope, ref: str = "") -> Stopped:
    async def verb(tx: Tx, by: By) -> Stopped:
        return await switches.freeze(tx, by, scope, ref, "It looks odd.")

    return await act(office, who, "create_freeze", verb)


async def resume(office: Office, who: Credential, freeze_id: UUID) -> FreezeRecord:
    async def verb(tx: Tx, by: By) -> FreezeRecord:
        return await resuming.resume(tx, by, freeze_id)

    return await act(office, who, "resume_freeze", verb)


async def resume_by_two(office: Office, stopped: Stopped, one: Credential, two: Credential) -> None:
    assert (await resume(office, one, stopped.record.id)).resumed_at is None
    assert (await resume(office, two, stopped.record.id)).resumed_at


async def hold(office: Office, minor: int = 500, target: str | None = "bob") -> UUID:
    """A hold that the clerk places alone."""
    money = Money(minor, "USD")
    _, body = await office.submit("create_hold", lambda: PlaceHold(new_id(), new_id(), "alice", target, money))
    return UUID(body)


def ref_of(office: Office, scope: FreezeScope) -> str:
    return {"tenant": "", "agent": "clerk", "mandate": show("mnd", office.mandate.id), "account": "alice"}[scope]


REFUSED: dict[FreezeScope, str] = {
    "tenant": "agent_suspended", "agent": "agent_suspended", "mandate": "mandate_revoked", "account": "account_frozen",
}  # fmt: skip
SCOPES = sorted(REFUSED)


async def pay(office: Office) -> str:
    """What becomes of a small payment of the clerk's."""
    reply = await office.story.desk.submit(transfer(office.clerk, "alice", "bob"))
    return reply.code if isinstance(reply, Refusal) else reply.body.decode() if reply.status != 201 else "done"


async def wait_for(database_url: str, waiting: int) -> None:
    """Until so many transactions wait for a lock."""
    watcher = await connect(database_url)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await watcher.fetchval(asked) < waiting:  # noqa: ASYNC110 -- PostgreSQL says who waits only when asked
            await asyncio.sleep(0.005)
    await watcher.close()
