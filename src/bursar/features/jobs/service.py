"""The verbs of jobs that move no money: initiate, claim, renew, fail, hand over, cancel. What moves some is beside."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor, Principal
from bursar.core.ledger import reading as ledger
from bursar.features.jobs import defining, machine, store, trail_store
from bursar.features.jobs.definition import Definition, built_in, read_definition
from bursar.features.jobs.machine import Moved
from bursar.features.jobs.model import Job, JobStateConflict, LeaseLost
from bursar.features.jobs.sharing import Wanted, checked, shares_of
from bursar.features.jobs.store import Loaded
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import exponent_of, read_amount
from bursar.kernel.refusal import InvalidArgument, UnknownObject


class NothingToClaim(Exception):
    """There is no step now that this principal may claim."""


class Draft(NamedTuple):
    """A job as it is asked for; `version` None is the latest of its definition."""

    definition: str
    version: int | None
    currency: str
    amount: str | None
    shares: Sequence[Wanted]
    reference: str | None
    purpose: str | None


async def create(tx: Tx, actor: Actor, draft: Draft, job_id: UUID | None = None) -> Job:
    """Initiate a job. Without an amount it is for the step that prices it to say one; with one, to say no more."""
    definition = await _definition(tx, draft.definition, draft.version)
    if not definition.pays:
        raise InvalidArgument("definition", f"{definition.name} is begun by Bursar itself, when its time has come")
    money = read_amount(draft.amount, draft.currency) if draft.amount is not None else None
    exponent_of(draft.currency)
    if money is None and not definition.prices:
        raise InvalidArgument("amount", f"is needed: no step of {definition.name} prices the job")
    shares = await checked(tx, draft.shares, draft.currency, actor)
    amounts: list[int] | list[None] = [None] * len(shares)
    if money:
        amounts = shares_of(money.minor, [share.weight for share in shares])
    now = await ledger.clock(tx)
    moved = machine.begun(
        definition, job_id or new_id(), actor.principal_id, now, draft.currency, money.minor if money else None,
        draft.reference, draft.purpose,
    )  # fmt: skip
    assert moved.done
    new = [share._replace(amount_minor=minor) for share, minor in zip(shares, amounts, strict=True)]
    await store.insert_job(tx, moved.job, new, moved.happened, moved.done)
    return moved.job


async def begin(tx: Tx, name: str, job_id: UUID, initiator: UUID, currency: str, reference: str) -> Job:
    """For other rooms: begin a job that moves no money, in the name of whoever had it set up."""
    definition, now = await _definition(tx, name, None), await ledger.clock(tx)
    moved = machine.begun(definition, job_id, initiator, now, currency, None, reference, None)
    assert moved.done
    await store.insert_job(tx, moved.job, [], moved.happened, moved.done)
    return moved.job


async def _definition(tx: Tx, name: str, version: int | None) -> Definition:
    """The version asked for, or the latest; one that comes with Bursar is kept when it is first used."""
    found = read_definition((await defining.find(tx, name, version)).body)
    if found == built_in().get(name):
        await defining.keep(tx, found)
    return found


async def claim(
    tx: Tx, actor: Actor, roles: Sequence[str] | None, definition: str | None, job_id: UUID | None, lease_seconds: int
) -> Job:
    """Take the step that has waited longest of those this principal may do. Raises `NothingToClaim`."""
    found = await store.lock_free(tx, actor.principal_id, roles, definition, job_id)
    if found is None:
        raise NothingToClaim
    moved = machine.claimed(found.job, actor.principal_id, found.now, lease_seconds)
    await write(tx, found.job, moved)
    return moved.job


async def claim_named(
    tx: Tx, actor: Actor, job_id: UUID | None, roles: Sequence[str] | None, lease_seconds: int
) -> Job:
    """Take the step of this job; refuses whom duties keep from it. Raises `NothingToClaim` while others have it."""
    found = await known(tx, job_id)
    if found.job.status == "active" and (roles is None or found.job.role in roles):
        machine.refuse_barred(found.job, actor.principal_id, "You")
    return await claim(tx, actor, roles, None, found.job.id, lease_seconds)


async def renew(tx: Tx, actor: Actor, job_id: UUID | None, token: int, lease_seconds: int) -> Job:
    """Hold on to a step: its lease lasts so many seconds from now."""
    found = await known(tx, job_id)
    until = await store.renew(tx, found.job.id, actor.principal_id, token, lease_seconds)
    if until is None:
        machine.refuse_not_held(found.job, actor, token)
        raise LeaseLost("Your token is not that of the step's present claim.")
    return found.job._replace(lease_until=until)


async def fail(tx: Tx, actor: Actor, job_id: UUID | None, token: int, reason: str, *, retry: bool) -> Job:
    """Say that a step could not be done: it is tried again, or all that was done is undone."""
    found = await locked(tx, job_id)
    definition = read_definition(found.definition)
    moved = machine.failed(found.job, definition, actor, token, reason, found.now, retry=retry)
    await write(tx, found.job, moved)
    return moved.job


async def hand_over(
    tx: Tx, actor: Actor, job_id: UUID | None, token: int, to: Principal | None, reason: str | None
) -> Job:
    """Have another principal do the step at hand: they claim it, and nobody else may until the lease was to end."""
    if to is None or to.status != "active":
        raise UnknownObject("principal")
    found = await locked(tx, job_id)
    moved = machine.handed_over(found.job, actor, token, to.id, to.name, reason, found.now)
    await write(tx, found.job, moved)
    return moved.job


async def cancel(tx: Tx, actor: Actor, job_id: UUID | None, reason: str) -> Job:
    """Give a job up: what was done is undone, the last first."""
    found = await locked(tx, job_id)
    definition = read_definition(found.definition)
    if found.job.status == "active" and definition.has_captured(found.job.step):
        shares = await trail_store.list_shares(tx, [found.job.id])
        if shares[0][1].road == "payout":
            raise JobStateConflict("It is paid out: only whoever was paid can give it back.")
    moved = machine.canceled(found.job, definition, actor, reason, found.now)
    await write(tx, found.job, moved)
    return moved.job


async def known(tx: Tx, job_id: UUID | None) -> Loaded:
    """One job as it stands."""
    found = await store.find_job(tx, job_id)
    if found is None:
        raise UnknownObject("job")
    return found


async def locked(tx: Tx, job_id: UUID | None) -> Loaded:
    """One job, locked."""
    found = await store.lock_job(tx, job_id)
    if found is None:
        raise UnknownObject("job")
    return found


async def write(tx: Tx, before: Job, moved: Moved) -> None:
    """Write where a locked job stands now; refuses if it stands elsewhere than was thought, so nothing else is done."""
    if not await store.update_job(tx, before, moved.job, moved.happened):
        raise LeaseLost("The step has changed hands.")
    if moved.done:
        trail_store.insert_step(tx, moved.job.id, moved.done)


def told(job: Job, type_: str, outcome: str, **facts: Json) -> Happening:
    """What the record says of it."""
    about: dict[str, Json] = {"role": job.role, "status": job.status, "step": job.step, "version": job.version}
    return Happening(f"job.{type_}", outcome, {**about, **facts}, show("job", job.id))
