"""The verbs of the kill switch: one call freezes a tenant, an agent, a mandate or an account."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple
from uuid import UUID

from bursar.core.authority import facts_store, mandates, moving, telling
from bursar.core.authority import switch_store as store
from bursar.core.authority.superseding import taken_back
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope, Reach
from bursar.core.events import service as events
from bursar.core.events.model import Event, Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts, reading
from bursar.core.ledger import service as ledger
from bursar.core.ledger.model import Account, AccountRef
from bursar.core.ledger.orders import ReleaseHold
from bursar.core.ledger.outcomes import Done, StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.refusal import Forbidden, InvalidArgument, Retry

_ITSELF = "An agent may stop itself and nothing else."
_PREFIX: dict[FreezeScope, str] = {"agent": "prn", "mandate": "mnd", "account": "acct"}


class OperatorNeeded(Forbidden):
    """Only an operator may do this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator to do it; retrying does not help."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """What a kind of principal may not do reads as a scope that it lacks."""
        return "scope_missing"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was done."


class By(NamedTuple):
    """Who does it in which request, for the events of everything that a freeze ends."""

    actor: Actor
    request_id: str
    action: str

    def event(self, happening: Happening, event_id: UUID | None = None) -> Event:
        """An event of this request."""
        return event_of(event_id or new_id(), self.actor, self.request_id, self.action, happening)


class Stopped(NamedTuple):
    """A freeze, what it ended, and what can still happen: approvals being carried out, holds of people and services."""

    record: FreezeRecord
    approvals: Sequence[UUID]
    holds: Sequence[UUID]
    in_flight: Sequence[str]


class _Wanted(NamedTuple):
    """A freeze that is under way."""

    id: UUID
    scope: FreezeScope
    object_id: UUID
    reason: str
    reach: Reach


async def freeze(tx: Tx, by: By, scope: FreezeScope, ref: str, reason: str) -> Stopped:
    """Stop what `ref` names; nothing that it forbids commits afterwards.

    An agent may only stop itself, and need not say its name: its `ref` may be empty, as the tenant's is.
    """
    own = show("prn", by.actor.principal_id)
    if by.actor.kind == "agent":
        if scope != "agent" or ref not in ("", by.actor.name, own):
            raise OperatorNeeded(_ITSELF)
        return await _freeze_agent(tx, by, own, reason)
    match scope:
        case "tenant":
            return await _freeze_tenant(tx, by, reason)
        case "agent":
            if not ref:
                raise InvalidArgument("object", "must name the agent; only an agent may leave itself out")
            return await _freeze_agent(tx, by, ref, reason)
        case "mandate":
            return await freeze_mandate(tx, by, read("mnd", ref), reason)
        case "account":
            return await freeze_account(tx, by, read("acct", ref) or ref, reason)


async def _freeze_tenant(tx: Tx, by: By, reason: str) -> Stopped:
    await identity.take_turn(tx)
    await store.set_tenant_status(tx, "frozen")
    await _refuse_twice(tx, "tenant", tx.tenant, "The tenant")
    return await _stop(tx, by, _Wanted(new_id(), "tenant", tx.tenant, reason, Reach()))


async def _freeze_agent(tx: Tx, by: By, ref: str, reason: str) -> Stopped:
    agent = await identity.find_agent(tx, ref)
    await identity.take_turn(tx)
    await store.set_agent_status(tx, agent.id, "suspended")
    await _refuse_twice(tx, "agent", agent.id, agent.name)
    return await _stop(tx, by, _Wanted(new_id(), "agent", agent.id, reason, Reach(agent_id=agent.id)))


async def freeze_mandate(tx: Tx, by: By, mandate_id: UUID | None, reason: str) -> Stopped:
    """Pause a mandate, and with it those below."""
    if by.actor.kind == "agent":
        raise OperatorNeeded(_ITSELF)
    paused = await mandates.pause(tx, by.actor.principal_id, mandate_id)
    below = await store.list_mandates_below(tx, paused.id)
    return await _stop(tx, by, _Wanted(new_id(), "mandate", paused.id, reason, Reach(mandate_ids=below)))


async def freeze_account(tx: Tx, by: By, ref: AccountRef, reason: str) -> Stopped:
    """Refuse new debits and holds from the commit on; credits and captures of other people's holds still land."""
    if by.actor.kind == "agent":
        raise OperatorNeeded(_ITSELF)
    account = await reading.find_account(tx, ref)
    wanted = _Wanted(new_id(), "account", account.id, reason, Reach(account_id=account.id))
    early = await _end(tx, by, wanted)
    await _close_to_debits(tx, account)
    # What was proposed or held until the account was locked.
    stopped = await _stop(tx, by, wanted)
    capturable = [show("hold", hold_id) for hold_id in await store.list_capturable_holds(tx, account.id)]
    return Stopped(
        stopped.record,
        [*early.approvals, *stopped.approvals],
        [*early.holds, *stopped.holds],
        [*stopped.in_flight, *capturable],
    )


async def _close_to_debits(tx: Tx, account: Account) -> None:
    """Freeze the account; one that was frozen before freezes were written down gets its record now."""
    try:
        await accounts.change_status(tx, account.id, "frozen")
    except StateConflict:
        status = (await reading.find_account(tx, account.id)).status
        if status != "frozen" or await store.find_in_force(tx, "account", account.id):
            raise


async def _refuse_twice(tx: Tx, scope: FreezeScope, object_id: UUID, name: str) -> None:
    in_force = await store.find_in_force(tx, scope, object_id)
    if in_force:
        raise StateConflict(f"{name} is frozen already, by {show('frz', in_force)}.")


async def _stop(tx: Tx, by: By, wanted: _Wanted) -> Stopped:
    """End what hangs on an object that is off already, and write the freeze down."""
    ended = await _end(tx, by, wanted)
    under_way = [show("apr", approval_id) for approval_id in await store.list_approved(tx, wanted.reach)]
    record = await store.insert_freeze(
        tx, wanted.id, wanted.scope, wanted.object_id, wanted.reason, by.actor.principal_id
    )
    return Stopped(record, ended.approvals, ended.holds, under_way)


class _Ended(NamedTuple):
    approvals: list[UUID]
    holds: list[UUID]


async def _end(tx: Tx, by: By, wanted: _Wanted) -> _Ended:
    """Cancel the approvals in reach, release their holds and the agents' own, and give the limits back."""
    waiting = [
        *await store.lock_pending_approvals(tx, wanted.reach),
        *await store.lock_approved(tx, wanted.reach),
    ]
    theirs = [ReleaseHold(new_id(), w.hold_id, w.id) for w in waiting if w.hold_id]
    held = await store.list_holds_of_agents(tx, wanted.reach)
    own = [ReleaseHold(new_id(), hold_id, owner_id=owner_id) for hold_id, owner_id in held]
    if not (waiting or own):
        return _Ended([], [])
    sent = await ledger.send_many(tx, [*theirs, *own], ledger.unexamined)
    released = [(o, out) for o, out in zip([*theirs, *own], sent.outcomes, strict=True) if isinstance(out, Done)]
    assert len(released) >= len(theirs)
    why = f"{show('frz', wanted.id)} froze the {wanted.scope}."
    ended = [(w.id, "cancelled" if w.status == "pending" else "superseded") for w in waiting]
    store.end_approvals(tx, ended, why)
    written = moving.expiries(sent.expired)
    written += [by.event(_ended(approval_id, status, why)) for approval_id, status in ended]
    written += [by.event(telling.done(order, outcome), order.event_id) for order, outcome in released]
    events.record(tx, written)
    await moving.give_back(tx, sent.holds, taken_back(waiting))
    return _Ended([w.id for w in waiting], [order.hold_id for order, _ in released])


def _ended(approval_id: UUID, status: str, why: str) -> Happening:
    return Happening(f"approval.{status}", status, {"why": why}, show("apr", approval_id))


async def list_for(tx: Tx, actor: Actor, in_force: bool | None, after: UUID | None, limit: int) -> list[FreezeRecord]:
    """Freezes in the order of their making; of agents and mandates an agent sees itself and those it acts under."""
    if actor.kind != "agent":
        return await store.list_freezes(tx, in_force, None, after, limit)
    mine = await facts_store.list_mandates_for(tx, [(actor.principal_id, actor.team)])
    seen = [actor.principal_id, *(m.id for m in mine)]
    return await store.list_freezes(tx, in_force, seen, after, limit)


def show_object(record: FreezeRecord) -> str | None:
    """What is frozen, by its id; the tenant has none on the wire."""
    prefix = _PREFIX.get(record.scope)
    return show(prefix, record.object_id) if prefix else None


def told_frozen(stopped: Stopped) -> Happening:
    """The record of a freeze."""
    record = stopped.record
    facts = {
        "cancelled_approvals": [show("apr", approval_id) for approval_id in stopped.approvals],
        "freeze": show("frz", record.id),
        "in_flight": list(stopped.in_flight),
        "reason": record.reason,
        "released_holds": [show("hold", hold_id) for hold_id in stopped.holds],
    }
    return Happening(f"{record.scope}.frozen", "frozen", facts, show_object(record) or show("frz", record.id))
