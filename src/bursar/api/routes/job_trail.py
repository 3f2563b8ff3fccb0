"""`/v1/jobs/{job_id}/events` and `/report`: what happened to a job, as JSON, as a stream, and as text for people."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from bursar.api.door import Caller, CallerOf, json_response
from bursar.api.problems import READ_PROBLEMS
from bursar.api.routes.job_shapes import show_event, show_report
from bursar.api.routes.jobs import After
from bursar.api.routes.refs import IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.api.waiting import Wait, bell_of_job, waited_for
from bursar.features.jobs import reading
from bursar.features.jobs.reading import Seen
from bursar.kernel.ids import new_id, read
from bursar.kernel.refusal import Refusal
from bursar.wire import jobs as wire
from bursar.wire.fields import Page
from bursar.wire.job_text import report_text

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GatedRoute)

_STREAM, _TEXT = "text/event-stream", "text/plain"
_MOST_AT_ONCE = 100
# A stream says something at least so often, so that whoever passes it on does not take it for dead.
_SECONDS_OF_SILENCE = 15.0
# Whoever follows for longer comes again and says what they had last, as EventSource does by itself.
_MOST_SILENCES = 40

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What happened, the first first; with `Accept: text/event-stream` a stream until the job ends.",
        "content": {_STREAM: {"schema": {"type": "string"}}},
    }
}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; with `Accept: text/plain` as text for people.",
        "content": {_TEXT: {"schema": {"type": "string"}}},
    }
}


@router.get("/{job_id}/events", response_model=Page[wire.JobEvent], responses=READ_PROBLEMS | _EVENTS)
async def list_job_events(
    caller: CallerOf,
    request: Request,
    job_id: IdPath,
    wait: Wait = 0,
    after: After = 0,
    limit: Limit = 50,
    last_event_id: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """What happened to a job after a version of it; with `wait` the answer comes when something has."""
    if _STREAM in request.headers.get("accept", ""):
        known = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else after
        await _look(caller, job_id, known, limit)
        return StreamingResponse(
            _stream(caller, job_id, known), media_type=_STREAM, headers={"Cache-Control": "no-store"}
        )
    seen, items = await _waited_for(caller, job_id, after, limit + 1, wait)
    more = str(items[limit - 1].version) if len(items) > limit else None
    del seen
    return json_response(Page[wire.JobEvent](items=items[:limit], next_cursor=more))


@router.get("/{job_id}/report", response_model=wire.JobReport, responses=READ_PROBLEMS | _REPORT)
async def get_job_report(caller: CallerOf, request: Request, job_id: IdPath) -> Response:
    """Everything about a job: who did which step, what became of each share, the sums, and the trail."""
    async with caller.reading("get_job_report") as (tx, _):
        report = show_report(await reading.report(tx, read("job", job_id)))
    if request.headers.get("accept", "").startswith(_TEXT):
        return Response(report_text(report), media_type=_TEXT)
    return json_response(report)


async def _look(caller: Caller, job_id: str, after: int, limit: int) -> tuple[Seen, list[wire.JobEvent]]:
    async with caller.reading("list_job_events") as (tx, _):
        seen, found = await reading.list_events(tx, read("job", job_id), after, limit)
    return seen, [show_event(happened, seen.definition) for happened in found]


async def _waited_for(
    caller: Caller, job_id: str, after: int, limit: int, seconds: float
) -> tuple[Seen, list[wire.JobEvent]]:
    """What happened after a version, at once or in so many seconds; nothing once the job has ended."""
    last: list[tuple[Seen, list[wire.JobEvent]]] = []

    async def look() -> bool | None:
        last[:] = [await _look(caller, job_id, after, limit)]
        return bool(last[0][1]) or last[0][0].job.ended_at is not None or None

    name = bell_of_job(caller.credential.tenant_id, read("job", job_id) or new_id())
    await waited_for(caller.door.bell, name, seconds, look)
    return last[0]


async def _stream(caller: Caller, job_id: str, after: int) -> AsyncGenerator[str]:
    """Server-sent events: the id of each is the version, so a connection that breaks is taken up where it broke.

    Who may no longer read is told nothing more.
    """
    for _ in range(_MOST_SILENCES):
        try:
            seen, items = await _waited_for(caller, job_id, after, _MOST_AT_ONCE, _SECONDS_OF_SILENCE)
        except Refusal:
            return
        for event in items:
            after = event.version
            yield f"id: {event.version}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n"
        if not items:
            if seen.job.ended_at is not None:
                return
            yield ": still here\n\n"
