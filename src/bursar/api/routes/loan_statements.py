"""`/v1/loans/{loan_id}/repayments` and `…/statement`: what was paid, and what became of it."""

import re
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS
from bursar.api.routes.loan_shapes import edges_of, show_line, show_repayment, show_statement
from bursar.api.routes.loans import find, read_seq
from bursar.api.routes.refs import Cursor, IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.api.tables import CSV, WantsCsv, csv_response
from bursar.features.lending import telling
from bursar.wire import loans as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/loans", tags=["lending"], route_class=GatedRoute)

_POSITION = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,9})")


@router.get("/{loan_id}/repayments", response_model=Page[wire.LoanRepayment], responses=READ_PROBLEMS)
async def list_loan_repayments(caller: CallerOf, loan_id: IdPath, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """What was repaid, in the order in which it became known, and what each repayment paid when it came."""
    after = read_seq(cursor)
    async with caller.reading("list_loan_repayments") as (tx, actor):
        loan = await find(tx, actor, loan_id)
        found = [each for each in await telling.repayments(tx, loan) if each[0].seq > after]
    items = [show_repayment(line, fact, loan.currency) for line, fact in found[:limit]]
    more = str(items[-1].seq) if len(found) > limit else None
    return json_response(Page[wire.LoanRepayment](items=items, next_cursor=more))


@router.get("/{loan_id}/statement", response_model=wire.LoanStatement, responses=READ_PROBLEMS | CSV)
async def get_loan_statement(
    caller: CallerOf,
    loan_id: IdPath,
    wants_csv: WantsCsv,
    first: Annotated[wire.Day | None, Query(description="Default: the day it was paid out.")] = None,
    last: Annotated[wire.Day | None, Query(description="Default: the day to which it has come.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What was owed, what each fact and the days between did to it, what is owed; as it is known now.

    CSV has all lines, and the opening and the closing as lines of their own.
    """
    after = _read_position(cursor)
    async with caller.reading("get_loan_statement") as (tx, actor):
        loan = await find(tx, actor, loan_id)
        told, facts = await telling.statement(tx, loan, first, last)
    if wants_csv:
        opening, closing = edges_of(told, loan.currency)
        lines = [show_line(line, facts.get(line.seq), loan.currency) for line in told.lines]
        return csv_response(wire.LoanStatementLine, [opening, *lines, closing])
    found = [line for line in told.lines if after is None or (line.on, line.seq) > after]
    more = f"{found[limit - 1].on}.{found[limit - 1].seq}" if len(found) > limit else None
    return json_response(show_statement(loan, told, found[:limit], facts, more))


def _read_position(cursor: str | None) -> tuple[date, int] | None:
    if cursor is None:
        return None
    found = _POSITION.fullmatch(cursor)
    if found is None:
        raise refuse_cursor()
    try:
        return date.fromisoformat(found[1]), int(found[2])
    except ValueError:
        raise refuse_cursor() from None
