"""`/v1/jobs`: initiate, read, wait for and cancel jobs."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.job_shapes import show_job
from bursar.api.routes.payment_shapes import known_id
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, read_cursor
from bursar.api.routing import GatedRoute
from bursar.api.waiting import Wait, bell_of_job, waited_for
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.jobs import reading
from bursar.features.jobs import service as jobs
from bursar.features.jobs.reading import Seen
from bursar.features.jobs.sharing import Wanted
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read
from bursar.kernel.money import show_minor
from bursar.wire import jobs as wire
from bursar.wire.fields import Page

router = APIRouter(tags=["jobs"], route_class=GatedRoute)

After = Annotated[
    int, Query(ge=0, le=2**53 - 1, description="The version you know; what comes after it is waited for.", examples=[0])
]


@router.post("/v1/jobs", status_code=201, response_model=wire.Job, responses=WRITE_PROBLEMS)
async def create_job(caller: CallerOf, body: wire.CreateJob, key: OptionalIdempotencyKey = None) -> Response:
    """Initiate a job: its first step is done by it, the next is anybody's who may do it. No money moves yet."""
    draft = jobs.Draft(
        body.definition,
        body.version,
        body.currency,
        body.amount,
        [_wanted(share) for share in body.shares],
        body.reference,
        body.purpose,
    )

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        job = await jobs.create(tx, actor, draft)
        amount = show_minor(job.amount_minor, job.currency) if job.amount_minor else None
        facts = {"amount": amount, "currency": job.currency, "definition": job.definition, "reference": job.reference}
        return await reading.see(tx, job.id), jobs.told(job, "created", "done", **facts)

    return await caller.act(caller.ask("create_job", key, body), work, lambda seen: json_answer(show_job(seen), 201))


def _wanted(share: wire.WantedShare) -> Wanted:
    source, target = (account_ref(ref) if ref is not None else None for ref in (share.source, share.target))
    method_id = known_id(share.payment_method, "pm", "payment method")
    return Wanted(source, target, share.weight, method_id, known_id(share.destination, "pm", "payment method"))


@router.get("/v1/jobs", response_model=Page[wire.Job], responses=READ_PROBLEMS)
async def list_jobs(
    caller: CallerOf,
    status: Annotated[wire.JobStatus | None, Query(description="Only those that stand so.")] = None,
    definition: Annotated[
        str | None, Query(pattern=wire.NAME_PATTERN, examples=["checkout"], description="Only those of it.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Jobs, the newest first."""
    before = read_cursor("job", cursor)
    async with caller.reading("list_jobs") as (tx, _):
        found = await reading.see_many(tx, status, definition, before, limit + 1)
    items = [show_job(seen) for seen in found[:limit]]
    return json_response(Page[wire.Job](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/v1/jobs/{job_id}", response_model=wire.Job, responses=READ_PROBLEMS)
async def get_job(caller: CallerOf, job_id: IdPath, wait: Wait = 0, after: After = 0) -> Response:
    """One job. With `wait` and the version you know as `after` the answer comes when the job has changed."""
    known: list[Seen] = []

    async def look() -> Seen | None:
        async with caller.reading("get_job") as (tx, _):
            known[:] = [await reading.see(tx, read("job", job_id))]
        return known[0] if known[0].job.version > after else None

    name = bell_of_job(caller.credential.tenant_id, read("job", job_id) or new_id())
    await waited_for(caller.door.bell, name, wait, look)
    return json_response(show_job(known[0]))


@router.post("/v1/jobs/{job_id}/cancel", response_model=wire.Job, responses=WRITE_PROBLEMS)
async def cancel_job(
    caller: CallerOf, job_id: IdPath, body: wire.CancelJob, key: OptionalIdempotencyKey = None
) -> Response:
    """Give a job up: what was done is undone, the last step first. An agent may only its own, until money has moved."""

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        job = await jobs.cancel(tx, actor, read("job", job_id), body.reason)
        return await reading.see(tx, job.id), jobs.told(job, "cancel_asked", "done", reason=body.reason)

    ask = caller.ask("cancel_job", key, body, job_id)
    return await caller.act(ask, work, lambda seen: json_answer(show_job(seen)))
