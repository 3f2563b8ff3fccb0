"""Who may act for a loan that is late: people, and the agent that holds the step of its job."""

from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.features.collections import opening, store
from bursar.features.collections.model import Collection, CollectionConflict, standing_of
from bursar.features.jobs import machine, service
from bursar.features.jobs import store as job_store
from bursar.features.jobs.model import Job
from bursar.features.lending import loan_store
from bursar.features.lending.loan import Loan
from bursar.kernel.db import Tx
from bursar.kernel.refusal import InvalidArgument, UnknownObject


async def locked(tx: Tx, actor: Actor, loan_id: UUID | None, token: int | None) -> tuple[Loan, Collection]:
    """A loan that is late, locked, with its collection; refuses agents that do not hold the step of its job."""
    loan = await loan_store.lock_loan(tx, loan_id) if loan_id else None
    if loan is None:
        raise UnknownObject("loan")
    if actor.kind == "agent":
        earlier = await store.find_open(tx, loan.id)
        job = await _job(tx, earlier) if earlier else None
        _refuse_unseen(actor, loan, job)
        if job:
            refuse_not_held(job, actor, token)
    standing = standing_of(loan) if loan.status != "pending" else "paid"
    if standing != "late":
        raise CollectionConflict(opening.WHY[standing])
    found = await opening.followed(tx, loan)
    assert found, "a loan that is late has one"
    return loan, found


async def seen(tx: Tx, actor: Actor, loan_id: UUID | None) -> Loan:
    """A loan that this actor may look at: people any, agents those that they took in, decided, or hold the step of."""
    loan = await loan_store.find_loan(tx, loan_id) if loan_id else None
    if loan is None:
        raise UnknownObject("loan")
    if actor.kind == "agent":
        found = await store.find_open(tx, loan.id)
        _refuse_unseen(actor, loan, await _job(tx, found) if found else None)
    return loan


async def refuse_lost(tx: Tx, actor: Actor, found: Collection, token: int | None) -> None:
    """Lock the job, which comes after accounts, and refuse an agent whose step has changed hands meanwhile."""
    if actor.kind == "agent":
        refuse_not_held((await service.locked(tx, found.job_id)).job, actor, token)


def refuse_not_held(job: Job, actor: Actor, token: int | None) -> None:
    """The token fences: who was given up for dead and goes on reminds nobody."""
    if token is None:
        raise InvalidArgument("token", "is needed: an agent acts by the token of the step that it holds")
    machine.refuse_not_held(job, actor, token)


async def _job(tx: Tx, found: Collection) -> Job:
    loaded = await job_store.find_job(tx, found.job_id)
    assert loaded
    return loaded.job


def _refuse_unseen(actor: Actor, loan: Loan, job: Job | None) -> None:
    if actor.principal_id not in (loan.made_by, loan.decider_id, job.holder_id if job else None):
        raise UnknownObject("loan")
