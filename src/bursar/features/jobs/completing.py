"""A step is completed: what it does to money and that it is done are one transaction, on the one road money takes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.model import PendingApproval, Told, With
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor, ScopeMissing
from bursar.core.ledger.orders import CaptureHold, Order, PlaceHold, SingleOrder, Together
from bursar.core.ledger.outcomes import AllDone, Done
from bursar.features.jobs import machine, store, trail_store
from bursar.features.jobs.definition import Definition, Effect, read_definition
from bursar.features.jobs.model import Job, JobStateConflict, Kind, Share
from bursar.features.jobs.service import locked, shares_of, told, write
from bursar.features.jobs.trail_store import NewEffect
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money, read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument, Refusal

# The action that mandates judge the orders of a step by, and the scope that its key must have beside.
JUDGED_AS: dict[Effect, tuple[str, str]] = {
    "reserve": ("create_hold", "holds:create"),
    "capture": ("capture_hold", "holds:capture"),
}
_KINDS: dict[Effect, Kind] = {"reserve": "reserved", "capture": "captured"}


class Completion(NamedTuple):
    """How a step is completed: by which token, at which price where it says one, with whose words."""

    token: int
    amount: str | None
    note: str | None


class Plan(NamedTuple):
    """What completing the step of a job comes to, as the job stood when it was looked at."""

    job: Job
    definition: Definition
    shares: Sequence[Share]
    completion: Completion

    @property
    def effect(self) -> Effect:
        """What the step does."""
        return self.definition.step(self.job.step).effect if self.job.status == "active" else "none"

    @property
    def judged_as(self) -> str | None:
        """The action that mandates judge it by; None where no money is concerned."""
        return JUDGED_AS[self.effect][0] if self.effect in JUDGED_AS else None


# How the caller is told of a completed job, of a refused order, and of one that waits for a person.
Show: TypeAlias = Callable[[Job, Sequence[Share]], Answer]


class Shows(NamedTuple):
    """The three answers there are."""

    job: Show
    refused: Callable[[Refusal], Answer]
    pending: Callable[[PendingApproval], Answer]


async def plan(tx: Tx, job_id: UUID | None, completion: Completion) -> Plan | None:
    """Look at the job; whether it still stands so is asked again with the orders. None: there is none."""
    found = await store.find_job(tx, job_id)
    if found is None:
        return None
    shares = [share for _, share in await trail_store.list_shares(tx, [found.job.id])]
    return Plan(found.job, read_definition(found.definition), shares, completion)


def orders(wanted: Plan, actor: Actor) -> list[Order]:
    """What the step does to money: a hold for each share, or its capture, all or nothing. Refuses who may not."""
    machine.refuse_not_held(wanted.job, actor, wanted.completion.token)
    machine.refuse_barred(wanted.job, actor.principal_id, "You")
    if wanted.completion.amount is not None and wanted.effect != "price":
        raise InvalidArgument("amount", "is said by the step that prices the job, and this one does not")
    if wanted.effect == "price":
        shares_of(price_of(wanted.job, wanted.completion.amount), [share.weight for share in wanted.shares])
    if wanted.effect not in JUDGED_AS:
        return []
    scope = JUDGED_AS[wanted.effect][1]
    if scope not in actor.scopes:
        raise ScopeMissing(scope)
    make = _hold if wanted.effect == "reserve" else _capture
    singles: list[SingleOrder] = [make(wanted.job, share, actor) for share in wanted.shares]
    return [singles[0] if len(singles) == 1 else Together(tuple(singles))]


def _hold(job: Job, share: Share, actor: Actor) -> PlaceHold:
    if share.amount_minor is None:
        raise JobStateConflict("The job has no price yet.")
    money = Money(share.amount_minor, job.currency)
    return PlaceHold(
        new_id(), new_id(), share.source_id, share.target_id, money, description=job.reference,
        metadata={"job": show("job", job.id)}, world="world:move" in actor.scopes, owner_id=job.id,
    )  # fmt: skip


def _capture(job: Job, share: Share, actor: Actor) -> CaptureHold:
    assert share.hold_id, "reserve comes before capture"
    return CaptureHold(new_id(), new_id(), share.hold_id, world="world:move" in actor.scopes, owner_id=job.id)


def with_it(wanted: Plan, shows: Shows) -> With:
    """What is done in the transaction of the orders: the step, by the token, and the names of what the orders did."""

    async def work(tx: Tx, actor: Actor, outcomes: Sequence[Told]) -> tuple[Answer, Happening | None]:
        first = outcomes[0] if outcomes else None
        if isinstance(first, Refusal):
            return shows.refused(first), None
        found = await locked(tx, wanted.job.id)
        if isinstance(first, PendingApproval):
            moved = machine.awaiting(found.job, actor, wanted.completion.token, first.approval_id, found.now)
            await write(tx, found.job, moved)
            facts = told(moved.job, "awaiting_approval", "pending", approval=show("apr", first.approval_id))
            return shows.pending(first), facts
        job = await _complete(tx, actor, wanted, found, _effects(wanted, first))
        return shows.job(job, await _shares(tx, wanted, job)), told(job, "step_completed", "done")

    return With(wanted.job.id, work)


def _effects(wanted: Plan, outcome: Done | AllDone | None) -> list[NewEffect]:
    if outcome is None:
        return []
    parts = outcome.parts if isinstance(outcome, AllDone) else (outcome,)
    kind = _KINDS[wanted.effect]
    return [
        NewEffect(
            wanted.job.step, share.no, kind, done.hold.id if done.hold else None, done.entry.id if done.entry else None
        )
        for share, done in zip(wanted.shares, parts, strict=True)
    ]


async def _complete(tx: Tx, actor: Actor, wanted: Plan, found: store.Loaded, effects: Sequence[NewEffect]) -> Job:
    """The step is done in the very UPDATE that asks for the token."""
    definition, completion = wanted.definition, wanted.completion
    moved = machine.completed(found.job, definition, actor, completion.token, found.done, found.now, completion.note)
    if wanted.effect == "price":
        minor = price_of(found.job, completion.amount)
        amounts = shares_of(minor, [share.weight for share in wanted.shares])
        moved = moved._replace(job=moved.job._replace(amount_minor=minor))
        trail_store.price_shares(tx, found.job.id, amounts)
    await write(tx, found.job, moved)
    if effects:
        trail_store.insert_effects(tx, found.job.id, effects)
    return moved.job


def price_of(job: Job, amount: str | None) -> int:
    """What a job costs: what its pricing says, which is never more than it was initiated for."""
    if amount is None:
        if job.amount_minor is None:
            raise InvalidArgument("amount", "is needed: the job was initiated without one, so this step says it")
        return job.amount_minor
    minor = read_amount(amount, job.currency).minor
    if job.amount_minor is not None and minor > job.amount_minor:
        most = show_minor(job.amount_minor, job.currency)
        raise InvalidArgument("amount", f"is more than the {most} {job.currency} that the job was initiated for")
    return minor


async def _shares(tx: Tx, wanted: Plan, job: Job) -> Sequence[Share]:
    """The shares as they stand now: those looked at, unless this step changed them."""
    if wanted.effect == "none":
        return wanted.shares
    return [share for _, share in await trail_store.list_shares(tx, [job.id])]
