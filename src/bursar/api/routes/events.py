"""`/v1/events`: the audit trail."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, json_response
from bursar.api.problems import READ_PROBLEMS
from bursar.api.routes.refs import Cursor, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events import service as events
from bursar.core.events.model import Recorded
from bursar.core.identity import service as identity
from bursar.kernel.ids import show
from bursar.wire import events as wire
from bursar.wire.fields import Page, Time

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=GatedRoute)


@router.get("", response_model=Page[wire.Event], responses=READ_PROBLEMS)
async def list_events(
    caller: CallerOf,
    agent: Annotated[str | None, Query(max_length=64, description="An agent's name or id.")] = None,
    action: Annotated[str | None, Query(max_length=64, examples=["create_transfer"])] = None,
    object: Annotated[str | None, Query(max_length=64, description="The id of what it was about.")] = None,
    start: Annotated[Time | None, Query(description="First moment included.")] = None,
    end: Annotated[Time | None, Query(description="First moment not included.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What happened and what was refused, newest first."""
    before = read_cursor("evt", cursor)
    async with caller.reading("list_events") as (tx, _):
        who = await identity.find_agent(tx, agent) if agent is not None else None
        wanted = events.Filter(who.id if who else None, action, object, start, end)
        found = await events.read(tx, wanted, before, limit + 1)
    items = [show_event(e) for e in found[:limit]]
    return json_response(Page[wire.Event](items=items, next_cursor=items[-1].id if len(found) > limit else None))


def show_event(event: Recorded) -> wire.Event:
    """An event as the wire shows it."""
    return wire.Event(id=show("evt", event.id), recorded_at=event.recorded_at, **event.facts)
