"""A step is completed: what it does to money and that it is done are one transaction, on the one road money takes."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.model import PendingApproval, Told, With
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor, ScopeMissing
from bursar.core.ledger.orders import CaptureHold, Order, PlaceHold, SingleOrder, Together
from bursar.core.ledger.outcomes import AllDone, Done
from bursar.features.jobs import machine, store, through, trail_store
from bursar.features.jobs.definition import Definition, Effect, read_definition
from bursar.features.jobs.model import Job, JobStateConflict, Kind, Road, Share
from bursar.features.jobs.service import locked, told, write
from bursar.features.jobs.sharing import shares_of
from bursar.features.jobs.through import Cause
from bursar.features.jobs.trail_store import NewEffect
from bursar.features.payments.ports import CallKind
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument, Refusal

# The action that mandates judge a step by, and the scope that its key must have beside. Where money is charged or goes
# out its reserve has passed the mandate, as with any payment.
JUDGED_AS: dict[tuple[Road, Effect], tuple[str, str]] = {
    ("book", "reserve"): ("create_hold", "holds:create"),
    ("book", "capture"): ("capture_hold", "holds:capture"),
    ("charge", "reserve"): ("create_payment", "payments:create"),
    ("charge", "capture"): ("capture_payment", "payments:capture"),
    ("payout", "reserve"): ("create_payout", "payouts:create"),
    ("payout", "capture"): ("create_payout", "payouts:create"),
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
    # The events of its orders, and the last one of the step itself.
    events: Sequence[UUID]
    # Who has begun this very step by this token before: its provider is asked, and nothing begun again.
    begun_by: UUID | None

    @property
    def road(self) -> Road:
        """How its money moves."""
        return self.shares[0].road if self.shares else "book"

    @property
    def call(self) -> CallKind | None:
        """What a provider is asked for."""
        return through.CALLS.get((self.road, self.effect))

    @property
    def of_shares(self) -> Iterable[tuple[Share, UUID]]:
        """Each share with the event of its order."""
        return zip(self.shares, self.events, strict=False)

    @property
    def effect(self) -> Effect:
        """What the step does."""
        return self.definition.step(self.job.step).effect if self.job.status == "active" else "none"

    @property
    def judged_as(self) -> str | None:
        """The action that mandates judge it by; None where no money is concerned."""
        judged = JUDGED_AS.get((self.road, self.effect))
        return judged[0] if judged else None


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
    job, definition = found.job, read_definition(found.definition)
    shares = [share for _, share in await trail_store.list_shares(tx, [job.id])]
    begun_by = None
    if job.state == "awaiting_payment" and job.token == completion.token:
        begun_by = job.holder_id
    elif shares and shares[0].road != "book":
        steps = await trail_store.list_steps(tx, job.id)
        called = [s for s in steps if (shares[0].road, definition.step(s.no).effect) in through.CALLS]
        begun_by = next((step.done_by for step in called if step.token == completion.token), None)
    return Plan(job, definition, shares, completion, [new_id() for _ in range(len(shares) + 1)], begun_by)


def orders(wanted: Plan, actor: Actor) -> list[Order]:
    """What the step does to money: a hold for each share, or its capture, all or nothing. Refuses who may not."""
    if wanted.begun_by == actor.principal_id:
        return []
    machine.refuse_not_held(wanted.job, actor, wanted.completion.token)
    machine.refuse_barred(wanted.job, actor.principal_id, "You")
    if wanted.completion.amount is not None and wanted.effect != "price":
        raise InvalidArgument("amount", "is said by the step that prices the job, and this one does not")
    if wanted.effect == "price":
        shares_of(price_of(wanted.job, wanted.completion.amount), [share.weight for share in wanted.shares])
    if wanted.judged_as is None:
        return []
    scope = JUDGED_AS[wanted.road, wanted.effect][1]
    if scope not in actor.scopes:
        raise ScopeMissing(scope)
    return _orders(wanted, actor)


def _orders(wanted: Plan, actor: Actor) -> list[Order]:
    if wanted.job.amount_minor is None:
        raise JobStateConflict("The job has no price yet.")
    if wanted.effect == "capture" and wanted.road != "book":
        return []
    singles = [_order(wanted, share, event_id, actor) for share, event_id in wanted.of_shares]
    return [singles[0] if len(singles) == 1 else Together(tuple(singles))]


def _order(wanted: Plan, share: Share, event_id: UUID, actor: Actor) -> SingleOrder:
    job, world = wanted.job, "world:move" in actor.scopes
    if share.road != "book":
        return through.reserve_order(job, share, event_id)
    if wanted.effect == "capture":
        assert share.hold_id, "reserve comes before capture"
        return CaptureHold(new_id(), event_id, share.hold_id, world=world, owner_id=job.id)
    assert share.source_id
    return PlaceHold(
        new_id(), event_id, share.source_id, share.target_id, through.money_of(job, share), description=job.reference,
        metadata={"job": show("job", job.id)}, world=world, owner_id=job.id,
    )  # fmt: skip


def with_it(wanted: Plan, shows: Shows, now: datetime) -> With:
    """What is done in the transaction of the orders: the step, by the token, and the names of what the orders did.

    Where a provider is to be called that is written down; the answer is UNDER_WAY, and whoever gets it calls. `now` is
    the clock that payments go by.
    """

    async def work(tx: Tx, actor: Actor, outcomes: Sequence[Told]) -> tuple[Answer, Happening | None]:
        first = outcomes[0] if outcomes else None
        if isinstance(first, Refusal):
            return shows.refused(first), None
        if wanted.begun_by == actor.principal_id:
            return Answer(UNDER_WAY, b""), None
        if wanted.call:
            return await _begin(tx, actor, wanted, wanted.call, first, shows, now)
        found = await locked(tx, wanted.job.id)
        if isinstance(first, PendingApproval):
            moved = machine.awaiting(found.job, actor, wanted.completion.token, first.approval_id, found.now)
            await write(tx, found.job, moved)
            facts = told(moved.job, "awaiting_approval", "pending", approval=show("apr", first.approval_id))
            return shows.pending(first), facts
        job = await _complete(tx, actor, wanted, found, _effects(wanted, first))
        return shows.job(job, await _shares(tx, wanted, job)), told(job, "step_completed", "done")

    return With(wanted.job.id, work, wanted.events[-1])


async def _begin(
    tx: Tx, actor: Actor, wanted: Plan, call: CallKind, first: Told | None, shows: Shows, now: datetime
) -> tuple[Answer, Happening]:
    """Write the calls down; the step is done when every one of them has succeeded."""
    found, approval_id = await locked(tx, wanted.job.id), None
    if isinstance(first, PendingApproval):
        approval_id = first.approval_id
    moved = machine.paying(found.job, actor, wanted.completion.token, found.now, wanted.completion.note)
    await write(tx, found.job, moved)
    for share, event_id in wanted.of_shares:
        allowed = event_id if call == "charge" else wanted.events[-1]
        await through.begin(tx, found.job, share, call, Cause(allowed, actor.principal_id, approval_id), now)
    happening = told(moved.job, "awaiting_payment", "pending")
    return (shows.pending(first) if isinstance(first, PendingApproval) else Answer(UNDER_WAY, b"")), happening


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
