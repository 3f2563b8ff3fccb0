"""The verbs of approvals: approve, reject, cancel, expire. What is approved is executed by the worker."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

import orjson

from bursar.core.authority import approval_store as store
from bursar.core.authority import moving, security_keys, step_up
from bursar.core.authority.approval_store import Approval, ApprovalStatus, Vote
from bursar.core.authority.facts import Needs, Used
from bursar.core.authority.record import meters_of
from bursar.core.authority.security_keys import Offer, Signed
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, AgentSuspended, Principal, Scope, scopes_for
from bursar.core.ledger import reading
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import ReleaseHold
from bursar.core.ledger.outcomes import Done, StateConflict
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import Conflict, Forbidden, Refusal, Retry, UnknownObject

# What an operator's key must hold to say yes to other terms of a mandate: the same as to write them.
_CHANGES_MANDATES: Scope = "mandates:write"


class ApprovalStateConflict(Conflict):
    """The approval is not in a state that allows this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the approval again with GET /v1/approvals/{approval_id}."

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
        return f"{self.fact} Nothing was decided."


class ApprovalExpired(Conflict):
    """The time to approve is over."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "What was set aside is given back; the agent may ask again with a new request."


class ApprovalRejected(Conflict):
    """What was asked for was rejected."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "What was set aside is given back; read `ended_why` of the approval."


class NotAnApprover(Forbidden):
    """The caller may not decide this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Another operator must decide; GET /v1/approvals/{approval_id} names the roles."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was decided."


def payload_of(approval: Approval) -> Mapping[str, Any]:
    """What an approval is bound to, a payment or terms: JSON of our own making, of several shapes, hence Any."""
    return orjson.loads(approval.payload)


def needs_of(approval: Approval) -> Needs:
    """What it takes to approve."""
    facts = orjson.loads(approval.needs)
    return Needs(
        facts["quorum"], tuple(facts["roles"]), facts["ttl_seconds"], facts["step_up"], tuple(facts["why"])
    )  # fmt: skip


def counts(needs: Needs, roles: Sequence[str]) -> bool:
    """Whether somebody with these roles can approve: with one of those named, if any are."""
    return not needs.roles or not set(needs.roles).isdisjoint(roles)


def is_reached(needs: Needs, votes: Sequence[Vote]) -> bool:
    """Whether enough operators approved, and every role named is held by one of them."""
    approvers = [vote for vote in votes if vote.vote == "approve" and counts(needs, vote.roles)]
    held = {role for vote in approvers for role in vote.roles}
    return len(approvers) >= needs.quorum and held.issuperset(needs.roles)


async def approve(
    tx: Tx,
    actor: Actor,
    approval_id: UUID | None,
    payload_hash: bytes,
    code: str | None,
    signed: Signed | None = None,
) -> Happening | StepUpFailed:
    """Vote for the very payment or change that was looked at; with the last vote needed it is left to be executed.

    Who proves to be there does so by a code or by what a security key `signed`. A wrong code is returned, with nothing
    done but the count of wrong codes, which the caller commits.
    """
    found, votes = await _voting(tx, actor, approval_id)
    needs = needs_of(found)
    if not counts(needs, tuple(actor.roles)):
        raise NotAnApprover(f"This takes the role {' or '.join(needs.roles)}, which you do not hold.")
    if found.kind == "mandate_change" and _CHANGES_MANDATES not in actor.scopes:
        raise NotAnApprover(f"To change a mandate takes the scope {_CHANGES_MANDATES}, which your key lacks.")
    if not hmac.compare_digest(found.payload_hash, payload_hash):
        raise ApprovalStateConflict("This is not what you looked at: its `payload_hash` is another.")
    # Last, so that no code is used up by a vote that does not count.
    stepped_up = needs.step_up or code is not None or signed is not None
    if signed is not None:
        await security_keys.prove(tx, actor.principal_id, found.id, found.payload_hash, signed)
    elif stepped_up:
        failed = await step_up.prove(tx, actor.principal_id, code)
        if failed:
            return failed
    store.insert_vote(tx, found.id, actor.principal_id, "approve", stepped_up=stepped_up)
    now = await reading.clock(tx)
    mine = Vote(found.id, actor.principal_id, actor.name, tuple(actor.roles), "approve", stepped_up, now)
    reached = is_reached(needs, [*votes, mine])
    if reached:
        store.mark_approved(tx, found.id)
    facts = {"approvals": len(votes) + 1, "payload_hash": payload_hash.hex(), "stepped_up": stepped_up}
    return Happening(
        "approval.approved", "approved" if reached else "pending", {**facts, "quorum": needs.quorum}, _name(found)
    )


async def challenge(tx: Tx, actor: Actor, approval_id: UUID | None) -> tuple[Approval, Offer]:
    """Give an operator who may vote on it something that their security key is to sign."""
    found, _ = await _voting(tx, actor, approval_id)
    return found, await security_keys.offer(tx, actor.principal_id, found.id, found.payload_hash)


async def reject(tx: Tx, actor: Actor, approval_id: UUID | None, reason: str) -> Happening:
    """End it by one operator's no: funds and limits are given back."""
    found, _ = await _voting(tx, actor, approval_id)
    store.insert_vote(tx, found.id, actor.principal_id, "reject", stepped_up=False)
    return await end(tx, found, "rejected", reason)


async def cancel(tx: Tx, actor: Actor, approval_id: UUID | None) -> Happening:
    """Take it back: its maker may, and operators."""
    found = await store.lock_approval(tx, approval_id) if approval_id else None
    if found is None or (actor.kind == "agent" and found.maker_id != actor.principal_id):
        raise UnknownObject("approval")
    if actor.kind == "service":
        raise NotAnApprover("Only the agent that asked and operators may cancel.")
    await _refuse_ended(tx, found)
    return await end(tx, found, "cancelled", f"Cancelled by {actor.name}.")


async def expire(tx: Tx, approval_id: UUID) -> bool:
    """End it if its time is over and nobody has ended it before; whether it was so."""
    found = await store.lock_approval(tx, approval_id)
    if found is None or found.status != "pending" or found.expires_at > await reading.clock(tx):
        return False
    happening = await end(tx, found, "expired", "Not enough operators approved in time.")
    events.record(tx, [event_of(new_id(), None, "", "expire_approval", happening)])
    return True


async def end(tx: Tx, approval: Approval, status: ApprovalStatus, why: str) -> Happening:
    """End a locked approval without its effect; what was set aside is given back. The caller writes the event."""
    store.mark_ended(tx, approval.id, status, why)
    facts: dict[str, Json] = {"why": why, "hold_id": None}
    if approval.decision_id is None:
        return Happening(f"approval.{status}", status, facts, _name(approval))
    basis = await store.find_basis(tx, approval.decision_id)
    unused = {meter: Used(-basis.amount_minor, -1) for meter in meters_of(basis.uses)}
    if approval.hold_id is None:
        await moving.give_back(tx, [], unused)
        return Happening(f"approval.{status}", status, facts, _name(approval))
    release = ReleaseHold(new_id(), approval.hold_id, approval.id)
    sent = await ledger.send_many(tx, [release], ledger.unexamined)
    assert isinstance(sent.outcomes[0], Done), "a hold of an approval ends with it"
    events.record(tx, moving.expiries(sent.expired))
    await moving.give_back(tx, sent.holds, unused)
    facts["hold_id"] = show("hold", approval.hold_id)
    return Happening(f"approval.{status}", status, facts, _name(approval))


def still_waits(approval: Approval) -> bool:
    """Whether it is approved and not carried out."""
    return approval.status == "approved" and approval.executed_event_id is None


def refuse_other_people(approval: Approval, votes: Sequence[Vote], people: Mapping[UUID, Principal]) -> None:
    """Ask again whether whoever asked may act, and whether enough of those who approved still may."""
    if people[approval.maker_id].status != "active":
        raise AgentSuspended
    present = [
        vote._replace(roles=people[vote.operator_id].roles) for vote in votes if is_present(people[vote.operator_id])
    ]
    if not is_reached(needs_of(approval), present):
        raise StateConflict("Those who approved may no longer do so.")


async def supersede(tx: Tx, approval: Approval, refusal: Refusal) -> None:
    """End a locked approval whose ground is gone, and write the event."""
    happening = await end(tx, approval, "superseded", refusal.detail)
    payload = {**happening.payload, "code": refusal.code}
    told = happening._replace(payload=payload, decision="deny")
    events.record(tx, [event_of(new_id(), None, "", "execute_approval", told)])


async def acting(tx: Tx, name: str) -> Actor:
    """An operator by name, who decides where the database is."""
    found = await identity.find_principal_named(tx, name)
    locked = (await identity.lock_principals(tx, [found.id]))[found.id] if found else None
    if locked is None or not is_present(locked):
        raise UnknownObject("operator")
    # Who is there needs no key, so there is none that could lack a scope.
    scopes = frozenset(scopes_for(locked.kind))
    return Actor(tx.tenant, locked.id, locked.kind, locked.name, None, scopes, locked.team, frozenset(locked.roles))


def is_present(principal: Principal) -> bool:
    """Whether this is an operator who may decide."""
    return principal.kind == "operator" and principal.status == "active"


async def _voting(tx: Tx, actor: Actor, approval_id: UUID | None) -> tuple[Approval, list[Vote]]:
    """The approval, locked, on which this actor may vote for the first time, and the votes there are."""
    if actor.kind != "operator":
        raise NotAnApprover("Only an operator may decide what waits for a person.")
    found = await store.lock_approval(tx, approval_id) if approval_id else None
    if found is None:
        raise UnknownObject("approval")
    if found.maker_id == actor.principal_id:
        raise NotAnApprover("Whoever asked may not decide.")
    await _refuse_ended(tx, found)
    votes = await store.list_votes(tx, [found.id])
    if any(vote.operator_id == actor.principal_id for vote in votes):
        raise ApprovalStateConflict("You have voted on this; cancel it if you think otherwise now.")
    return found, votes


async def _refuse_ended(tx: Tx, approval: Approval) -> None:
    if approval.status == "rejected":
        raise ApprovalRejected
    if approval.status == "expired":
        raise ApprovalExpired
    if approval.status != "pending":
        raise ApprovalStateConflict(f"The approval is {approval.status}.")
    if approval.expires_at <= await reading.clock(tx):
        raise ApprovalExpired


def _name(approval: Approval) -> str:
    return show("apr", approval.id)
