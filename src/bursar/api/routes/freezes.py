"""`/v1/freezes`: stop a tenant, an agent, a mandate or an account; list; resume."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import resuming, switches
from bursar.core.authority.switch_store import FreezeRecord
from bursar.core.authority.switches import By, Stopped
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import read, show
from bursar.wire import freezes as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/freezes", tags=["freezes"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.NewFreeze, responses=WRITE_PROBLEMS)
async def create_freeze(caller: CallerOf, body: wire.CreateFreeze, key: OptionalIdempotencyKey = None) -> Response:
    """Stop something: nothing of it commits after the answer. An agent may only stop itself, so it names no object."""

    async def work(tx: Tx, actor: Actor) -> tuple[Stopped, Happening]:
        by = By(actor, caller.request_id, "create_freeze")
        stopped = await switches.freeze(tx, by, body.scope, body.object or "", body.reason)
        return stopped, switches.told_frozen(stopped)

    ask = caller.ask("create_freeze", key, body)
    # Two who stop the same thing at once have both shared its row before they change it.
    return await retrying(lambda: caller.act(ask, work, lambda stopped: json_answer(show_new_freeze(stopped), 201)))


@router.get("", response_model=Page[wire.Freeze], responses=READ_PROBLEMS)
async def list_freezes(
    caller: CallerOf,
    in_force: Annotated[bool | None, Query(description="Only those that are in force, or only those lifted.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Freezes, oldest first. Of agents and mandates an agent sees itself and those it acts under."""
    after = read_cursor("frz", cursor)
    async with caller.reading("list_freezes") as (tx, actor):
        found = await switches.list_for(tx, actor, in_force, after, limit + 1)
    items = [show_freeze(record) for record in found[:limit]]
    return json_response(Page[wire.Freeze](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.post("/{freeze_id}/resume", response_model=wire.Freeze, responses=WRITE_PROBLEMS)
async def resume_freeze(caller: CallerOf, freeze_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Ask to lift a freeze; the second operator who asks lifts it."""

    async def work(tx: Tx, actor: Actor) -> tuple[FreezeRecord, Happening]:
        record = await resuming.resume(tx, By(actor, caller.request_id, "resume_freeze"), read("frz", freeze_id))
        return record, resuming.told_resumed(record)

    ask = caller.ask("resume_freeze", key, None, freeze_id)
    return await retrying(lambda: caller.act(ask, work, lambda record: json_answer(show_freeze(record))))


def show_freeze(record: FreezeRecord) -> wire.Freeze:
    """A freeze as the wire shows it."""
    asked, resumed = record.resume_asked_by, record.resumed_by
    return wire.Freeze(
        id=show("frz", record.id),
        scope=record.scope,
        object=switches.show_object(record),
        reason=record.reason,
        status="resumed" if resumed else "resume_requested" if asked else "in_force",
        frozen_by=show("prn", record.frozen_by),
        frozen_at=record.frozen_at,
        resume_asked_by=show("prn", asked) if asked else None,
        resume_asked_at=record.resume_asked_at,
        resumed_by=show("prn", resumed) if resumed else None,
        resumed_at=record.resumed_at,
    )


def show_new_freeze(stopped: Stopped) -> wire.NewFreeze:
    """A freeze just made, as the wire shows it."""
    shown = show_freeze(stopped.record)
    return wire.NewFreeze(
        **dict(shown),
        next=f"Two operators lift it, each by POST /v1/freezes/{shown.id}/resume.",
        cancelled_approvals=[show("apr", approval_id) for approval_id in stopped.approvals],
        released_holds=[show("hold", hold_id) for hold_id in stopped.holds],
        in_flight=list(stopped.in_flight),
    )
