"""`/v1/job-definitions`: what the steps of jobs are, in versions: make one, read one, list them all."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.job_shapes import show_definition
from bursar.api.routes.refs import Cursor, IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.jobs import defining
from bursar.features.jobs.definition_store import Kept
from bursar.kernel.db import Tx
from bursar.wire import job_definitions as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/job-definitions", tags=["jobs"], route_class=GatedRoute)

_CURSOR = re.compile(r"([a-z][a-z0-9_]{0,31})\.([1-9][0-9]{0,6})", re.ASCII)
Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="Default: the latest.")]


@router.post("", status_code=201, response_model=wire.JobDefinition, responses=WRITE_PROBLEMS)
async def create_job_definition(
    caller: CallerOf, body: wire.CreateJobDefinition, key: OptionalIdempotencyKey = None
) -> Response:
    """Make the next version of a definition: people only. New jobs go by it; those there are keep their own."""

    async def work(tx: Tx, actor: Actor) -> tuple[Kept, Happening]:
        return await defining.define(tx, actor, body.name, body.model_dump(exclude={"name"}))

    ask = caller.ask("create_job_definition", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_definition(made), 201))


@router.get("", response_model=Page[wire.JobDefinition], responses=READ_PROBLEMS)
async def list_job_definitions(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every version of every definition, by name and version."""
    after = _CURSOR.fullmatch(cursor) if cursor is not None else None
    if cursor is not None and after is None:
        raise refuse_cursor()
    async with caller.reading("list_job_definitions") as (tx, _):
        found = await defining.list_all(tx, (after[1], int(after[2])) if after else ("", 0), limit + 1)
    items = [show_definition(kept) for kept in found[:limit]]
    more = f"{items[-1].name}.{items[-1].version}" if len(found) > limit else None
    return json_response(Page[wire.JobDefinition](items=items, next_cursor=more))


@router.get("/{definition}", response_model=wire.JobDefinition, responses=READ_PROBLEMS)
async def get_job_definition(caller: CallerOf, definition: IdPath, version: Version = None) -> Response:
    """One version of a definition."""
    async with caller.reading("get_job_definition") as (tx, _):
        return json_response(show_definition(await defining.find(tx, definition, version)))
