"""`/v1/loan-products`: make a version, list them all."""

import re

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.application_shapes import show_product, told_product
from bursar.api.routes.refs import Cursor, Limit
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending import service as lending
from bursar.features.lending import store
from bursar.features.lending.catalog import Version
from bursar.kernel.db import Tx
from bursar.wire import loan_products as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/loan-products", tags=["lending"], route_class=GatedRoute)

_CURSOR = re.compile(r"([a-z][a-z0-9_-]{0,31})\.([1-9][0-9]{0,8})")


@router.post("", status_code=201, response_model=wire.LoanProduct, responses=WRITE_PROBLEMS)
async def create_loan_product(
    caller: CallerOf, body: wire.CreateLoanProduct, key: OptionalIdempotencyKey = None
) -> Response:
    """Make a version of a product. Versions are never edited, and applications go by the one they were made for."""

    async def work(tx: Tx, actor: Actor) -> tuple[Version, Happening]:
        made = await lending.make_product(tx, actor, body.code, body.model_dump(exclude={"code"}))
        return made, told_product(made)

    ask = caller.ask("create_loan_product", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_product(made), 201))


@router.get("", response_model=Page[wire.LoanProduct], responses=READ_PROBLEMS)
async def list_loan_products(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every version of every product, by code and version."""
    after = _CURSOR.fullmatch(cursor) if cursor is not None else None
    if cursor is not None and after is None:
        raise refuse_cursor()
    async with caller.reading("list_loan_products") as (tx, _):
        found = await store.list_products(tx, (after[1], int(after[2])) if after else ("", 0), limit + 1)
    items = [show_product(kept) for kept in found[:limit]]
    more = f"{items[-1].code}.{items[-1].version}" if len(found) > limit else None
    return json_response(Page[wire.LoanProduct](items=items, next_cursor=more))
