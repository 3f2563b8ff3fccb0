"""An office where a clerk, an agent, asks for more than it may pay alone, and operators decide."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from bursar.core.authority import approval_store, approvals, mandates
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.approval_store import Approval
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told, refused
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import Actor, KeyCredential
from bursar.core.ledger.orders import Move, Order, PlaceHold, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.kernel.canonical import digest
from bursar.kernel.db import Database, Tx, connect
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.core.authority.mandates import cap_json, counterparties_json, terms_json, window_json
from tests.people import allow
from tests.stories import Story

WAITS, DONE, REFUSED = 202, 201, 409


def usual_terms(**changes: Any) -> dict[str, Any]:
    """Up to 10.00 USD alone, up to 500.00 with approval, 900.00 a day, to anybody."""
    form: dict[str, Any] = {
        "actions": ["create_transfer", "create_hold", "capture_hold", "release_hold", "reverse_transfer"],
        "counterparties": counterparties_json(mode="any", allow=[]),
        "per_transaction": [cap_json(max="500.00", auto_max="10.00")],
        "windows": [window_json(max_amount="900.00")],
    }
    return terms_json(**(form | changes))


@dataclass(slots=True)
class Office:
    """A story with a clerk under a mandate; `operators` name those who decide."""

    story: Story
    clerk: KeyCredential
    clerk_id: UUID
    mandate: Mandate

    @classmethod
    async def open(cls, story: Story, terms: dict[str, Any] | None = None) -> "Office":
        async with story.database.transaction(story.tenant_id) as tx:
            for name in ("ann", "ben", "cyd"):
                await identity.create_principal(tx, "operator", name)
            clerk = await identity.create_principal(tx, "agent", "clerk")
            mandate = await allow(tx, clerk, terms or usual_terms())
            _, made = await identity.create_key(tx, clerk, None, live=False)
        credential = read_key(made.text)
        assert credential
        return cls(story, credential, clerk.id, mandate)

    @property
    def database(self) -> Database:
        return self.story.database

    async def ask(self, minor: int = 5_000, source: str = "alice", target: str = "bob") -> UUID:
        """Ask for a transfer that waits; the approval's id."""
        return await self.ask_for("create_transfer", lambda: _send(minor, source, target))

    async def ask_for(self, action: str, order: Callable[[], Order]) -> UUID:
        """Ask for an order that waits; the approval's id."""
        status, body = await self.submit(action, order)
        assert status == WAITS, body
        return UUID(body)

    @staticmethod
    def order(minor: int, source: str = "alice", target: str = "bob") -> Callable[[], Order]:
        """What makes a transfer."""
        return lambda: _send(minor, source, target)

    async def pay(self, minor: int) -> str:
        """Ask for a transfer that does not wait: `done`, or the code of its refusal."""
        status, body = await self.submit("create_transfer", lambda: _send(minor, "alice", "bob"))
        return "done" if status == DONE else body

    async def submit(self, action: str, order: Callable[[], Order]) -> tuple[int, str]:
        ask = Ask(self.clerk, ACTIONS[action], "test", Claim(new_id().hex, digest("")))
        reply = await self.story.desk.submit(Instruction(ask, lambda _: [order()], _answer))
        assert isinstance(reply, Answer), reply
        return reply.status, reply.body.decode()

    async def approval(self, approval_id: UUID) -> Approval:
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            found = await approval_store.find_approval(tx, approval_id)
        assert found
        return found

    async def status(self, approval_id: UUID) -> str:
        """How it stands; one that was executed is `executed`."""
        found = await self.approval(approval_id)
        return "executed" if found.executed_event_id else found.status

    async def approve(self, approval_id: UUID, who: str = "ann", code: str | None = None) -> None:
        bound = (await self.approval(approval_id)).payload_hash

        async def decide(tx: Tx, actor: Actor) -> Happening | Refusal:
            return await approvals.approve(tx, actor, approval_id, bound, code)

        await self._decide(who, decide)

    async def reject(self, approval_id: UUID, who: str = "ann") -> None:
        async def decide(tx: Tx, actor: Actor) -> Happening:
            return await approvals.reject(tx, actor, approval_id, "Not this one.")

        await self._decide(who, decide)

    async def cancel(self, approval_id: UUID, who: str = "ann") -> None:
        async def decide(tx: Tx, actor: Actor) -> Happening:
            return await approvals.cancel(tx, actor, approval_id)

        await self._decide(who, decide)

    async def expire(self, approval_id: UUID) -> bool:
        async with self.database.transaction(self.story.tenant_id) as tx:
            return await approvals.expire(tx, approval_id)

    async def revoke(self) -> None:
        async with self.database.transaction(self.story.tenant_id) as tx:
            await mandates.revoke(tx, self.mandate.granted_by, self.mandate.id)

    async def _decide(self, who: str, decide: Callable[[Tx, Actor], Any]) -> None:
        async with self.database.transaction(self.story.tenant_id) as tx:
            actor = await approvals.acting(tx, who)
            decided = await decide(tx, actor)
            happening = refused("decide", decided) if isinstance(decided, Refusal) else decided
            events.record(tx, [event_of(new_id(), actor, "test", "decide", happening)])
        if isinstance(decided, Refusal):
            raise decided

    async def used(self) -> int:
        """Minor units used of the clerk's windows."""
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            return await tx.value(int, "SELECT coalesce(sum(amount_minor), 0)::bigint FROM limit_usage")

    async def uses(self) -> int:
        """Payments counted in the clerk's windows."""
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            return await tx.value(int, "SELECT coalesce(sum(uses), 0)::bigint FROM limit_usage")

    async def events(self, approval_id: UUID) -> list[tuple[str, str]]:
        """What the record says of an approval: (type, outcome), oldest first."""
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            found = await events.read(tx, events.Filter(object=f"apr_{approval_id.hex}"), None, 100)
        return [(event.facts["type"], event.facts["outcome"]) for event in reversed(found)]


def _send(minor: int, source: str, target: str) -> SendMoney:
    return SendMoney(new_id(), new_id(), (Move(source, target, Money(minor, "USD")),))


def _answer(outcomes: Sequence[Told]) -> Answer:
    (outcome,) = outcomes
    if isinstance(outcome, PendingApproval):
        return Answer(WAITS, outcome.approval_id.hex.encode())
    if isinstance(outcome, Refusal):
        return Answer(REFUSED, outcome.code.encode())
    assert isinstance(outcome, Done)
    made = outcome.hold or outcome.entry
    assert made
    return Answer(DONE, made.id.hex.encode())


async def run(*works: Awaitable[Any]) -> list[Any]:
    """All at once; what each came to, or was refused with."""
    found = await asyncio.gather(*works, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, Refusal):
            raise each
    return found


def change(database_url: str, statement: sql.SQL, *arguments: object) -> None:
    """Change something behind everybody's back, as the superuser."""
    with psycopg.connect(database_url, autocommit=True, options="-c search_path=bursar") as connection:
        assert connection.execute(statement, arguments or None).rowcount


async def until_waiting(database_url: str) -> int:
    """Wait until somebody waits for a row of another; the process that serves them."""
    connection = await connect(database_url)
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    try:
        async with asyncio.timeout(20):
            while (pid := await connection.fetchval(waits)) is None:
                pass
    finally:
        await connection.close()
    return pid


def make_due(database_url: str, approval: UUID, seconds: float = 0) -> None:
    """Let the time of an approval be over now, or in a moment."""
    until = sql.SQL("UPDATE approval SET expires_at = clock_timestamp() + %s WHERE id = %s")
    change(database_url, until, timedelta(seconds=seconds), approval)


def give_role(database_url: str, name: str, roles: str) -> None:
    """Have an operator hold these roles, as an array of PostgreSQL, and no others."""
    change(database_url, sql.SQL("UPDATE principal SET roles = %s WHERE name = %s"), roles, name)


def know_bob(database_url: str) -> None:
    """Have ann enter bob as a counterparty."""
    statement = sql.SQL(
        "INSERT INTO counterparty (tenant_id, id, account_id, name, created_by)"
        " SELECT a.tenant_id, %s, a.id, 'Bob', p.id FROM account a JOIN principal p USING (tenant_id)"
        " WHERE a.number = 'bob' AND p.name = 'ann'"
    )
    change(database_url, statement, new_id())


def hold_of(minor: int) -> PlaceHold:
    """A hold on alice for bob."""
    return PlaceHold(new_id(), new_id(), "alice", "bob", Money(minor, "USD"))
