"""An instruction as the door hands it in, and what it may come to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias
from uuid import UUID

from bursar.core.authority.actions import Action
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer, Claim, lock_of
from bursar.core.identity.model import Actor, Credential, ScopeMissing
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import AllDone, Done, Refused
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Refusal


class Ask(NamedTuple):
    """Who asks for which action, under which key, in which request."""

    credential: Credential
    action: Action
    request_id: str
    claim: Claim | None = None

    @property
    def lock(self) -> int | None:
        """The advisory lock of its key, if it has one."""
        return lock_of(self.credential.tenant_id, self.action.name, self.claim.key) if self.claim else None


class PendingApproval(NamedTuple):
    """An order that waits for a person: nothing has moved, its funds and limits are set aside."""

    approval_id: UUID
    expires_at: datetime
    quorum: int
    step_up: bool
    why: tuple[str, ...]


# What the caller of an instruction is told of each order.
Told: TypeAlias = Done | AllDone | PendingApproval | Refused


class Begun(NamedTuple):
    """What was begun under this key before: how that is answered now, and the event that began it."""

    answer: Answer
    event_id: UUID


class Aside(Protocol):
    """What a room does beside the orders of an instruction, in the same transaction; one instruction has it alone."""

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Lock and look at the room's own rows before any account is locked; a refusal is the answer.

        What it returns is the answer too, and nothing is ordered: the key has begun something before.
        """
        ...

    async def after(self, tx: Tx, actor: Actor, outcomes: "Sequence[Told]", event_id: UUID) -> None:
        """Write the room's own rows; `event_id` is the event of the first order."""
        ...


class With(NamedTuple):
    """What is done in the transaction of the orders, once it is known what they came to.

    It may answer in the instruction's place, and says what else happened if anything did, as the event of `event_id`
    where it must know that beforehand. A refusal that it raises
    undoes the orders, too. It locks nothing but the object of this id; a batch does its instructions' in the order of
    these.
    """

    object_id: UUID
    work: Callable[[Tx, Actor, Sequence[Told]], Awaitable[tuple[Answer | None, Happening | None]]]
    event_id: UUID | None = None


@dataclass(slots=True)
class Instruction:
    """A request to move money: its orders, made for whoever the transaction finds it to be, and how to answer.

    With an `aside` it has a transaction of its own (`Desk.alone`).
    There may be no orders where something is done with them. `judged_as` is the action that mandates and risk rules
    judge the orders by, where the one asked for is another.
    """

    ask: Ask
    orders: Callable[[Actor], Sequence[Order]]
    answer: Callable[[Sequence[Told]], Answer]
    size: int = 1
    aside: Aside | None = None
    with_it: With | None = None
    judged_as: str | None = None


def refusal_of(actor: Actor, action: Action) -> ScopeMissing | None:
    """Why this actor may not do this at all; None when they may."""
    needed = action.scope_of(actor.kind)
    return None if needed in actor.scopes else ScopeMissing(needed)


def refused(action: str, refusal: Refusal) -> Happening:
    """What the record says of an action that was allowed to be asked for and then refused."""
    return Happening(f"{action}.refused", refusal.code, {"detail": refusal.detail}, decision="deny")


def denied(action: Action, refusal: Refusal) -> Happening:
    """What the record says of an action that was not allowed."""
    return Happening(f"{action.name}.denied", refusal.code, {"detail": refusal.detail}, decision="deny")
