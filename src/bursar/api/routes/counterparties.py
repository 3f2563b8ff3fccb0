"""`/v1/counterparties`: enter, block, unblock, read."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import counterparties
from bursar.core.authority.counterparty_store import Entered
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.wire import counterparties as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/counterparties", tags=["counterparties"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Counterparty, responses=WRITE_PROBLEMS)
async def create_counterparty(
    caller: CallerOf, body: wire.CreateCounterparty, key: OptionalIdempotencyKey = None
) -> Response:
    """Make the holder of an account known as somebody to pay; operators only."""

    async def work(tx: Tx, actor: Actor) -> tuple[Entered, Happening]:
        made = await counterparties.enter(tx, actor, account_ref(body.account), body.name)
        return _told("counterparty.entered", made)

    ask = caller.ask("create_counterparty", key, body)
    return await caller.act(ask, work, lambda made: json_answer(_show(made), 201))


@router.get("", response_model=Page[wire.Counterparty], responses=READ_PROBLEMS)
async def list_counterparties(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Counterparties, oldest first."""
    after = read_cursor("cp", cursor)
    async with caller.reading("list_counterparties") as (tx, _):
        found = await counterparties.list_all(tx, after, limit + 1)
    items = [_show(c) for c in found[:limit]]
    return json_response(Page[wire.Counterparty](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{counterparty_id}", response_model=wire.Counterparty, responses=READ_PROBLEMS)
async def get_counterparty(caller: CallerOf, counterparty_id: IdPath) -> Response:
    """One counterparty as it stands."""
    async with caller.reading("get_counterparty") as (tx, _):
        return json_response(_show(await counterparties.find(tx, read("cp", counterparty_id))))


@router.post("/{counterparty_id}/block", response_model=wire.Counterparty, responses=WRITE_PROBLEMS)
async def block_counterparty(caller: CallerOf, counterparty_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Forbid every agent to pay it: nothing that commits after the answer pays it under a mandate."""

    async def work(tx: Tx, _: Actor) -> Entered:
        return await counterparties.block(tx, read("cp", counterparty_id))

    return await _change(caller, "block_counterparty", counterparty_id, key, work, "counterparty.blocked")


@router.post("/{counterparty_id}/unblock", response_model=wire.Counterparty, responses=WRITE_PROBLEMS)
async def unblock_counterparty(
    caller: CallerOf, counterparty_id: IdPath, key: OptionalIdempotencyKey = None
) -> Response:
    """Let it be paid again; operators only."""

    async def work(tx: Tx, actor: Actor) -> Entered:
        return await counterparties.unblock(tx, actor, read("cp", counterparty_id))

    return await _change(caller, "unblock_counterparty", counterparty_id, key, work, "counterparty.unblocked")


async def _change(
    caller: Caller,
    action: str,
    counterparty_id: str,
    key: str | None,
    verb: Callable[[Tx, Actor], Awaitable[Entered]],
    happened: str,
) -> Response:
    async def work(tx: Tx, actor: Actor) -> tuple[Entered, Happening]:
        return _told(happened, await verb(tx, actor))

    ask = caller.ask(action, key, None, counterparty_id)
    return await caller.act(ask, work, lambda changed: json_answer(_show(changed)))


def _told(kind: str, found: Entered) -> tuple[Entered, Happening]:
    facts = {"account": found.account, "name": found.name, "version": found.version}
    return found, Happening(kind, found.status, facts, show("cp", found.id))


def _show(found: Entered) -> wire.Counterparty:
    return wire.Counterparty(
        id=show("cp", found.id),
        account=found.account,
        name=found.name,
        status=found.status,
        version=found.version,
        created_at=found.created_at,
    )
