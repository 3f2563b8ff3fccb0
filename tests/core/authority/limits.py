"""Agents under limits, what they ask for, and what that uses."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.desk import Desk
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.model import Ask, Instruction, Told
from bursar.core.authority.narrowing import WIDEST
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity import service as identity
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import KeyCredential
from bursar.core.ledger.orders import (
    Move,
    Order,
    SendMoney,
)
from bursar.core.ledger.outcomes import Done
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.core.authority.mandates import window_json
from tests.people import allow
from tests.stories import Story


def terms(**changes: Any) -> dict[str, Any]:
    """Terms that allow everything but what is changed."""
    return WIDEST | changes


def day(most: str | None = None, count: int | None = None, **changes: Any) -> dict[str, Any]:
    """A calendar day's limit."""
    return window_json(max_amount=most, max_count=count, **changes)


async def agent(
    story: Story, name: str, form: dict[str, Any], parent_id: UUID | None = None
) -> tuple[KeyCredential, Mandate]:
    """A new agent with a mandate of these terms."""
    async with story.database.transaction(story.tenant_id) as tx:
        principal = await identity.create_principal(tx, "agent", name)
        mandate = await allow(tx, principal, form, parent_id)
        _, made = await identity.create_key(tx, principal, None, live=False)
    credential = read_key(made.text)
    assert credential
    return credential, mandate


def send(minor: int, source: str = "alice", target: str = "bob") -> SendMoney:
    return SendMoney(new_id(), new_id(), (Move(source, target, Money(minor, "USD")),))


async def ask(desk: Desk, who: KeyCredential, orders: Sequence[Order], action: str = "create_transfer") -> list[Told]:
    """Have an agent's orders carried out as one request; what became of each."""
    kept: list[Told] = []

    def answer(outcomes: Sequence[Told]) -> Answer:
        kept[:] = outcomes
        return Answer(200, b"")

    question = Ask(who, ACTIONS[action], "test", Claim(new_id().hex, bytes(32)))
    reply = await desk.submit(Instruction(question, lambda _: orders, answer, len(orders)))
    assert isinstance(reply, Answer), reply
    return kept


def codes(outcomes: Sequence[Told]) -> list[str]:
    """The code of a refusal; `Done`, however much it knows; or what else it is."""
    names = ["Done" if isinstance(outcome, Done) else type(outcome).__name__ for outcome in outcomes]
    return [o.code if isinstance(o, Refusal) else name for o, name in zip(outcomes, names, strict=True)]


async def used(story: Story, mandate: Mandate) -> tuple[int, int]:
    """Minor units and number counted on a mandate, all windows and payees together."""
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        found = await tx.pairs(
            """SELECT coalesce(sum(amount_minor), 0)::bigint, coalesce(sum(uses), 0)::bigint FROM limit_usage
               WHERE tenant_id = $1 AND mandate_id = $2""",
            story.tenant_id,
            mandate.id,
        )
    return found[0]
