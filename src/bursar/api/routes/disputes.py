"""`/v1/disputes`: what customers' banks took back, as their providers tell of it."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS
from bursar.api.routes.payment_shapes import known_id, show_dispute
from bursar.api.routes.refs import Cursor, IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.features.payments import dispute_store as store
from bursar.features.payments.model import Dispute
from bursar.kernel.db import Tx
from bursar.kernel.refusal import UnknownObject
from bursar.wire import payments as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/disputes", tags=["payments"], route_class=GatedRoute)

# A provider's own id, such as `dp_1Pgc71…`.
_SHAPE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@router.get("", response_model=Page[wire.Dispute], responses=READ_PROBLEMS)
async def list_disputes(
    caller: CallerOf,
    payment: Annotated[str | None, Query(max_length=64, description="Only those of this payment.")] = None,
    dispute_status: Annotated[wire.DisputeStatus | None, Query(description="Only those that stand so.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Disputes, those that began last first."""
    async with caller.reading("list_disputes") as (tx, _):
        of_payment = known_id(payment, "pay", "payment")
        if cursor is not None and await _find(tx, cursor) is None:
            raise refuse_cursor()
        found = await store.list_disputes(tx, of_payment, dispute_status, cursor, limit + 1)
    items = [show_dispute(dispute) for dispute in found[:limit]]
    return json_response(Page[wire.Dispute](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{dispute_id}", response_model=wire.Dispute, responses=READ_PROBLEMS)
async def get_dispute(caller: CallerOf, dispute_id: IdPath) -> Response:
    """One dispute as it stands, by its provider's id."""
    async with caller.reading("get_dispute") as (tx, _):
        found = await _find(tx, dispute_id)
        if found is None:
            raise UnknownObject("dispute")
        return json_response(show_dispute(found))


async def _find(tx: Tx, reference: str) -> Dispute | None:
    return await store.find_dispute(tx, reference) if _SHAPE.fullmatch(reference) else None
