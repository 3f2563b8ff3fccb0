"""`/v1/jobs/claim` and the verbs of whoever holds a step: renew, complete, fail, hand over."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import (
    PENDING,
    Caller,
    CallerOf,
    IdempotencyKey,
    OptionalIdempotencyKey,
    json_answer,
    json_response,
    show_pending,
)
from bursar.api.paying import now_of, shop_of
from bursar.api.problems import WRITE_PROBLEMS, answer_of
from bursar.api.routes.job_shapes import show_job
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.api.waiting import Wait, bell_of_steps, waited_for
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told
from bursar.core.authority.service import Reply
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Order
from bursar.features.jobs import completing, reading
from bursar.features.jobs import service as jobs
from bursar.features.jobs.calling import call
from bursar.features.jobs.completing import Completion, Plan, Shows
from bursar.features.jobs.model import Job, JobStateConflict, LeaseLost, Share
from bursar.features.jobs.reading import Seen
from bursar.features.jobs.service import NothingToClaim
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import Refusal, UnknownObject
from bursar.wire import jobs as wire

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GatedRoute)


@router.post("/claim", response_model=wire.Claimed, responses=WRITE_PROBLEMS)
async def claim_step(
    caller: CallerOf, body: wire.ClaimStep | None = None, wait: Wait = 0, key: OptionalIdempotencyKey = None
) -> Response:
    """Take the step that has waited longest of those that you may do; it is yours until its lease is over.

    With `wait` the answer comes when there is one. What your earlier steps bar you from is passed by. The token fences
    you: complete, fail, renew and hand over with it.
    """
    asked = body or wire.ClaimStep()
    job_id = read("job", asked.job_id) if asked.job_id is not None else None

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        if asked.job_id is not None:
            job = await jobs.claim_named(tx, actor, job_id, asked.roles, asked.lease_seconds)
        else:
            job = await jobs.claim(tx, actor, asked.roles, asked.definition, None, asked.lease_seconds)
        return await reading.see(tx, job.id), jobs.told(job, "step_claimed", "done", token=job.token)

    ask = caller.ask("claim_step", key, asked)

    async def look() -> Response | None:
        try:
            return await caller.act(ask, work, lambda seen: json_answer(_claimed(seen)))
        except NothingToClaim:
            return None

    found = await waited_for(caller.door.bell, bell_of_steps(ask.credential.tenant_id), wait, look)
    return found or json_response(wire.Claimed(job=None, token=None))


def _claimed(seen: Seen) -> wire.Claimed:
    return wire.Claimed(job=show_job(seen), token=seen.job.token)


@router.post("/{job_id}/renew", response_model=wire.Job, responses=WRITE_PROBLEMS)
async def renew_step(
    caller: CallerOf, job_id: IdPath, body: wire.RenewStep, key: OptionalIdempotencyKey = None
) -> Response:
    """Hold on to the step you claimed; refused once somebody else has it."""

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        job = await jobs.renew(tx, actor, read("job", job_id), body.token, body.lease_seconds)
        return await reading.see(tx, job.id), jobs.told(job, "step_renewed", "done", token=body.token)

    ask = caller.ask("renew_step", key, body, job_id)
    return await caller.act(ask, work, lambda seen: json_answer(show_job(seen)))


@router.post("/{job_id}/complete", response_model=wire.Job, responses=WRITE_PROBLEMS | PENDING)
async def complete_step(caller: CallerOf, key: IdempotencyKey, job_id: IdPath, body: wire.CompleteStep) -> Response:
    """Say that the step is done: what it does to money (hold, capture) happens with it, under your mandate, or nothing.

    A step is done once, whoever asks and under whatever key: a second completion finds its token gone. One that goes
    through a provider is answered with the job as it stands, and waits in it (`awaiting_payment`) for what is unknown.
    """
    ask = caller.ask("complete_step", key, body, job_id)
    return caller.respond(
        await complete(caller, ask, read("job", job_id), Completion(body.token, body.amount, body.note)), ask
    )


async def complete(caller: Caller, ask: Ask, job_id: UUID | None, wanted: Completion) -> Reply:
    """Complete a step, with all that a provider does for it; the job as it stands then."""
    plan = await _plan(caller, job_id, wanted)
    if plan is None:
        # Said where it is also written down that it was.
        return await caller.door.desk.submit(Instruction(ask, _unknown, _unanswered))
    reply = await caller.door.desk.submit(_instruction(caller, ask, plan))
    if isinstance(reply, LeaseLost | JobStateConflict):
        # Another request of theirs may have begun it just now.
        again = await _plan(caller, job_id, wanted)
        if again and again.begun_by:
            plan = again
            reply = await caller.door.desk.submit(_instruction(caller, ask, plan))
    if isinstance(reply, Refusal) or reply.status != UNDER_WAY:
        return reply
    return json_answer(show_job(await called(caller, plan.job.id, begun_before=plan.begun_by is not None)))


async def _plan(caller: Caller, job_id: UUID | None, wanted: Completion) -> Plan | None:
    async with caller.looking_ahead() as tx:
        return await completing.plan(tx, job_id, wanted)


async def called(caller: Caller, job_id: UUID, *, begun_before: bool) -> Seen:
    """Have the provider called for a step that was begun; the job as it stands then."""
    tenant_id = caller.credential.tenant_id
    await call(shop_of(caller), tenant_id, job_id, begun_before=begun_before)
    async with caller.looking_ahead() as tx:
        return await reading.see(tx, job_id)


def _instruction(caller: Caller, ask: Ask, plan: Plan) -> Instruction:
    def orders(actor: Actor) -> Sequence[Order]:
        return completing.orders(plan, actor)

    def show(job: Job, shares: Sequence[Share]) -> Answer:
        return json_answer(show_job(Seen(job, plan.definition, shares)))

    def refused(refusal: Refusal) -> Answer:
        return answer_of(refusal, caller.request_id)

    shows = Shows(show, refused, _pending)
    size = max(1, len(plan.shares))
    with_it = completing.with_it(plan, shows, now_of(caller))
    return Instruction(ask, orders, _unanswered, size, with_it=with_it, judged_as=plan.judged_as)


def _unknown(_: Actor) -> Sequence[Order]:
    raise UnknownObject("job")


def _pending(pending: PendingApproval) -> Answer:
    return json_answer(show_pending(pending), 202)


def _unanswered(_: Sequence[Told]) -> Answer:
    raise AssertionError("what goes with the orders answers")


@router.post("/{job_id}/fail", response_model=wire.Job, responses=WRITE_PROBLEMS)
async def fail_step(
    caller: CallerOf, job_id: IdPath, body: wire.FailStep, key: OptionalIdempotencyKey = None
) -> Response:
    """Say that the step could not be done: it is tried again after a pause, or the job is undone."""

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        job = await jobs.fail(tx, actor, read("job", job_id), body.token, body.reason, retry=body.retry)
        return await reading.see(tx, job.id), jobs.told(job, "step_failed", "done", reason=body.reason)

    ask = caller.ask("fail_step", key, body, job_id)
    return await caller.act(ask, work, lambda seen: json_answer(show_job(seen)))


@router.post("/{job_id}/hand-over", response_model=wire.Job, responses=WRITE_PROBLEMS)
async def hand_over_step(
    caller: CallerOf, job_id: IdPath, body: wire.HandOverStep, key: OptionalIdempotencyKey = None
) -> Response:
    """Have somebody else do the step: they claim it, and nobody else may until your lease was to end."""

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        to = await reading.find_principal(tx, body.to)
        job = await jobs.hand_over(tx, actor, read("job", job_id), body.token, to, body.reason)
        return await reading.see(tx, job.id), jobs.told(job, "step_handed_over", "done", to=body.to)

    ask = caller.ask("hand_over_step", key, body, job_id)
    return await caller.act(ask, work, lambda seen: json_answer(show_job(seen)))
