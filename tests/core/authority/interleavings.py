"""A payment, and a change of what allows it, as two pieces of work; and a world for each order they are played in."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal, NamedTuple
from uuid import UUID

from bursar.core.authority import approvals, counterparties, executing, mandates, switches
from bursar.core.authority import service as authority
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.assessing import unassessed
from bursar.core.authority.desk import Desk
from bursar.core.authority.fate import settled
from bursar.core.authority.model import Ask
from bursar.core.authority.service import Carried
from bursar.core.authority.switch_store import FreezeScope
from bursar.core.authority.switches import By
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, KeyCredential
from bursar.core.ledger import accounts
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import Refusal
from tests.asking import transfer
from tests.core.authority.mandates import approval_json, cap_json, over_json, window_json
from tests.core.authority.offices import Office, usual_terms
from tests.people import enrol
from tests.stories import Story

# Minor units: what waits for ann, what the clerk pays alone, and what there is, which is too little for two.
ASKED, ALONE, ALL = 5_000, 3_000, 5_500
Stage = Literal["nothing", "pending", "approved"]


class World(NamedTuple):
    """An office and who is in it; `approval` is the payment that waits, if any, and `bound` what it is bound to."""

    office: Office
    ann: KeyCredential
    ben: KeyCredential
    approval: UUID = UUID(int=0)
    bound: bytes = b""
    payee: UUID | None = None

    @property
    def tenant_id(self) -> UUID:
        return self.office.story.tenant_id

    def on(self, database: Database) -> "World":
        """The same, reached through other connections."""
        story = replace(self.office.story, database=database, desk=Desk(database, unassessed))
        return self._replace(office=replace(self.office, story=story))

    def within(self, tenant_id: UUID) -> "World":
        """The same in a copy of its tenant."""
        office = self.office
        story = replace(office.story, tenant_id=tenant_id)
        office = replace(office, story=story, clerk=office.clerk._replace(tenant_id=tenant_id))
        ann, ben = (who._replace(tenant_id=tenant_id) for who in (self.ann, self.ben))
        return self._replace(office=office, ann=ann, ben=ben)


Deed = Callable[[World], Awaitable[Any]]


async def build(story: Story) -> World:
    """Alice has 55.00 USD, and so has the clerk's day; above 30.00 the treasurer, ann, decides."""
    rule = approval_json(over_json("30.00"), role="treasurer")
    caps = [cap_json(max="50.00", auto_max="30.00")]
    terms = usual_terms(approvals=[rule], per_transaction=caps, windows=[window_json(max_amount="55.00")])
    office = await Office.open(story, terms)
    await story.tell(f"alice -> world:funding:USD {1000 - ALL / 100:.2f} USD")
    async with story.database.transaction(story.tenant_id) as tx:
        await _set_roles(tx, ["treasurer"])
    ann, ben = [await enrol(story.database, story.tenant_id, "operator", name) for name in ("ann", "ben")]
    return World(office, ann, ben)


async def bring_to(world: World, stage: Stage, *, known: bool) -> World:
    """Let bob be entered if he is to be known, and a payment be asked for and approved as far as it is to be."""
    if known:
        world = world._replace(payee=(await enter_the_payee(world)).id)
    if stage == "nothing":
        return world
    approval = await world.office.ask(ASKED)
    if stage == "approved":
        await world.office.approve(approval)
    return world._replace(approval=approval, bound=(await world.office.approval(approval)).payload_hash)


# The payment: carried out, approved, or made alone


async def execute(world: World) -> bool:
    """The worker carries out what was approved."""
    async with world.office.database.transaction(world.tenant_id) as tx:
        return await executing.execute(tx, world.approval)


async def approve(world: World) -> Any:
    """The treasurer says yes."""

    async def verb(tx: Tx, actor: Actor) -> Happening:
        told = await approvals.approve(tx, actor, world.approval, world.bound, None)
        assert isinstance(told, Happening)
        return told

    return await _through_the_door(world, world.ann, "approve_approval", verb)


async def pay_alone(world: World) -> Any:
    """The clerk pays what needs nobody."""
    return await _desk(world, world.office.clerk)


# What happens beside it


async def lower_the_limit(world: World) -> Any:
    return await _change_the_mandate(world, "9.00")


async def raise_the_limit(world: World) -> Any:
    """Forbids nothing; but what was approved was approved under other terms."""
    return await _change_the_mandate(world, "90.00")


async def revoke(world: World) -> Any:
    async def verb(tx: Tx, actor: Actor) -> object:
        return await mandates.revoke(tx, actor.principal_id, world.office.mandate.id)

    return await _through_the_door(world, world.ben, "revoke_mandate", verb)


async def block_the_payee(world: World) -> Any:
    async def verb(tx: Tx, _: Actor) -> object:
        return await counterparties.block(tx, world.payee)

    return await _through_the_door(world, world.ben, "block_counterparty", verb)


async def enter_the_payee(world: World) -> Any:
    async def verb(tx: Tx, actor: Actor) -> object:
        return await counterparties.enter(tx, actor, "bob", "Bob")

    return await _through_the_door(world, world.ben, "create_counterparty", verb)


async def close_the_payee(world: World) -> Any:
    async def verb(tx: Tx, _: Actor) -> object:
        return await accounts.change_status(tx, "bob", "closed")

    return await _through_the_door(world, world.ben, "close_account", verb)


async def take_the_role(world: World) -> Any:
    async with world.office.database.transaction(world.tenant_id) as tx:
        await _set_roles(tx, [])


async def revoke_the_key(world: World) -> Any:
    async def verb(tx: Tx, _: Actor) -> object:
        return await identity.revoke_key(tx, world.office.clerk.key_id)

    return await _through_the_door(world, world.ben, "revoke_key", verb)


def freeze(scope: FreezeScope) -> Deed:
    async def deed(world: World) -> Any:
        refs = {"tenant": "", "agent": "clerk", "mandate": show("mnd", world.office.mandate.id), "account": "alice"}

        async def verb(tx: Tx, actor: Actor) -> Happening:
            by = By(actor, "test", "create_freeze")
            return switches.told_frozen(await switches.freeze(tx, by, scope, refs[scope], "It looks odd."))

        return await _through_the_door(world, world.ben, "create_freeze", verb)

    return deed


async def run_out(world: World) -> Any:
    """Its time is over, and the worker ends it if it may."""
    async with world.office.database.transaction(world.tenant_id) as tx:
        await tx.run("UPDATE approval SET expires_at = created_at WHERE tenant_id = $1", tx.tenant)
    if not await world.office.expire(world.approval):
        raise NothingToDo


class NothingToDo(Exception):
    """There was nothing to end any more."""


async def reject(world: World) -> Any:
    async def verb(tx: Tx, actor: Actor) -> Happening:
        return await approvals.reject(tx, actor, world.approval, "Not this one.")

    return await _through_the_door(world, world.ben, "reject_approval", verb)


async def cancel(world: World) -> Any:
    async def verb(tx: Tx, actor: Actor) -> Happening:
        return await approvals.cancel(tx, actor, world.approval)

    return await _through_the_door(world, world.ben, "cancel_approval", verb)


async def pay_from_the_window(world: World) -> Any:
    """The clerk makes another payment, for which the day has no room beside the first."""
    return await _desk(world, world.office.clerk)


async def pay_from_the_funds(world: World) -> Any:
    """An operator makes a payment, for which alice has not enough beside the first."""
    return await _desk(world, world.ben)


# How it is done


async def _set_roles(tx: Tx, roles: list[str]) -> None:
    ann = await identity.find_principal_named(tx, "ann")
    assert ann
    await identity.set_roles(tx, ann, roles)


async def _change_the_mandate(world: World, most: str) -> Any:
    terms = usual_terms(per_transaction=[cap_json(max=most, auto_max=most)])

    async def verb(tx: Tx, actor: Actor) -> object:
        return await mandates.change(tx, actor, world.office.mandate.id, terms)

    return await _through_the_door(world, world.ben, "change_mandate", verb)


async def _desk(world: World, who: KeyCredential) -> Any:
    """A payment of what the clerk may pay alone; raises what it was refused with."""
    reply = await world.office.story.desk.submit(transfer(who, "alice", "bob", ALONE))
    if isinstance(reply, Refusal):
        raise reply
    if reply.status != 201:
        raise Refused(reply.body.decode())
    return reply


class Refused(Exception):
    """The code of a refusal that was pinned."""


async def _through_the_door(
    world: World, who: KeyCredential, action: str, verb: Callable[[Tx, Actor], Awaitable[Any]]
) -> Any:
    """Do it as the door does, but only once; raises what it was refused with."""
    kept: list[Any] = []

    async def work(tx: Tx, actor: Actor) -> tuple[Any, Happening]:
        done = await verb(tx, actor)
        return done, done if isinstance(done, Happening) else Happening(f"{action}.done", "done", {})

    def answer(result: Any) -> Answer:
        kept.append(result)
        return Answer(200, b"")

    async def once(tx: Tx) -> Carried:
        return await authority.act(tx, ask, work, answer)

    ask = Ask(who, ACTIONS[action], "test")
    (reply,) = await settled(world.office.database, [ask], world.tenant_id, once)
    outcome = reply if isinstance(reply, Refusal) else kept[-1]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome
