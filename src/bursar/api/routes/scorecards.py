"""`/v1/scorecards`: draft, activate, retire, list. Agents may read what decides of those they apply for."""

import re

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending import scorecard_store, scorecards
from bursar.features.lending.scorecard_store import Standing, Status
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.wire import scorecards as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/scorecards", tags=["lending"], route_class=GatedRoute)

_CURSOR = re.compile(r"([a-z][a-z0-9_-]{0,31})-([1-9][0-9]{0,6})")


@router.get("", response_model=Page[wire.Scorecard], responses=READ_PROBLEMS)
async def list_scorecards(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every version of every scorecard and where it stands, by name and version."""
    after = _CURSOR.fullmatch(cursor) if cursor is not None else None
    if cursor is not None and after is None:
        raise refuse_cursor()
    async with caller.reading("list_scorecards") as (tx, _):
        known = (after[1], int(after[2])) if after else ("", 0)
        found = await scorecard_store.list_versions(tx, known, limit + 1)
    items = [show_scorecard(standing) for standing in found[:limit]]
    more = items[-1].scorecard if len(found) > limit else None
    return json_response(Page[wire.Scorecard](items=items, next_cursor=more))


@router.post("", status_code=201, response_model=wire.Scorecard, responses=WRITE_PROBLEMS)
async def draft_scorecard(caller: CallerOf, body: wire.ScorecardText, key: OptionalIdempotencyKey = None) -> Response:
    """Keep a new version of a scorecard; it scores nobody yet. A version is never edited: its number must be new."""

    async def work(tx: Tx, actor: Actor) -> tuple[Standing, Happening]:
        scorecards.refuse_others(actor)
        made = await scorecards.draft(tx, actor.principal_id, body.model_dump_json())
        return made, scorecards.told(made)

    ask = caller.ask("draft_scorecard", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_scorecard(made), 201))


@router.post("/{scorecard}/activate", response_model=wire.Scorecard, responses=WRITE_PROBLEMS)
async def activate_scorecard(caller: CallerOf, scorecard: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Have a version score: every decision that commits after the answer, of the products that name it, goes by it."""
    return await _become(caller, "activate_scorecard", scorecard, key, "active")


@router.post("/{scorecard}/retire", response_model=wire.Scorecard, responses=WRITE_PROBLEMS)
async def retire_scorecard(caller: CallerOf, scorecard: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Have a version score nobody any more: what its products would have it score, people review."""
    return await _become(caller, "retire_scorecard", scorecard, key, "retired")


async def _become(caller: Caller, action: str, scorecard: str, key: str | None, status: Status) -> Response:
    async def work(tx: Tx, actor: Actor) -> tuple[Standing, Happening]:
        scorecards.refuse_others(actor)
        standing = await scorecards.become(tx, actor.principal_id, scorecard, status)
        return standing, scorecards.told(standing)

    ask = caller.ask(action, key, None, scorecard)
    return await caller.act(ask, work, lambda standing: json_answer(show_scorecard(standing)))


def show_scorecard(standing: Standing) -> wire.Scorecard:
    """A version as the wire shows it."""
    return wire.Scorecard(
        scorecard=scorecards.name_of(standing),
        status=standing.status,
        card=wire.ScorecardText.model_validate(orjson.loads(standing.card)),
        card_sha256=standing.card_hash.hex(),
        drafted_at=standing.drafted_at,
        changed_at=standing.changed_at,
        changed_by=show("prn", standing.changed_by),
    )
