"""`/v1/loans`: pay out, pay back, read."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import (
    PENDING,
    Caller,
    CallerOf,
    IdempotencyKey,
    json_answer,
    json_response,
    refuse_cursor,
    show_pending,
)
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, answer_of
from bursar.api.routes.loan_shapes import show_fact, show_loan, show_schedule
from bursar.api.routes.payment_shapes import known_id
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Instruction, PendingApproval, Told
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.lending import loan_store
from bursar.features.lending.loan import Loan, Wish
from bursar.features.lending.moving import Moving
from bursar.features.lending.recording import visible
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import Refusal, UnknownObject
from bursar.wire import loans as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/loans", tags=["lending"], route_class=GatedRoute)

_SEQ = re.compile(r"[1-9][0-9]{0,8}")


@router.get("", response_model=Page[wire.Loan], responses=READ_PROBLEMS)
async def list_loans(
    caller: CallerOf,
    status: Annotated[wire.LoanStatus | None, Query(description="Only those that stand so.")] = None,
    bucket: Annotated[wire.Bucket | None, Query(description="Only those that are so many days past due.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Loans, oldest first: those that an agent took in or decided, or all of them."""
    after = read_cursor("loan", cursor)
    async with caller.reading("list_loans") as (tx, actor):
        whose = actor.principal_id if actor.kind == "agent" else None
        found = await loan_store.list_loans(tx, whose, status, bucket, after, limit + 1)
    items = [show_loan(each) for each in found[:limit]]
    return json_response(Page[wire.Loan](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{loan_id}", response_model=wire.Loan, responses=READ_PROBLEMS)
async def get_loan(caller: CallerOf, loan_id: IdPath) -> Response:
    """One loan as it stands."""
    async with caller.reading("get_loan") as (tx, actor):
        return json_response(show_loan(await find(tx, actor, loan_id)))


@router.get("/{loan_id}/schedule", response_model=wire.LoanSchedule, responses=READ_PROBLEMS)
async def get_loan_schedule(caller: CallerOf, loan_id: IdPath) -> Response:
    """What was due, is due and will be, and what settles the loan on this day."""
    async with caller.reading("get_loan_schedule") as (tx, actor):
        found = await find(tx, actor, loan_id)
        if found.status == "pending":
            raise UnknownObject("schedule")
        return json_response(show_schedule(found, found.known(*await loan_store.find_plan(tx, found.id))))


@router.get("/{loan_id}/facts", response_model=Page[wire.LoanFact], responses=READ_PROBLEMS)
async def list_loan_facts(caller: CallerOf, loan_id: IdPath, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Everything that happened to a loan, in the order in which it became known."""
    after = read_seq(cursor)
    async with caller.reading("list_loan_facts") as (tx, actor):
        loan = await find(tx, actor, loan_id)
        found = [fact for fact in await loan_store.list_facts(tx, loan.id) if fact.event.seq > after]
    items = [show_fact(fact, loan.currency) for fact in found[:limit]]
    more = str(items[-1].seq) if len(found) > limit else None
    return json_response(Page[wire.LoanFact](items=items, next_cursor=more))


def read_seq(cursor: str | None) -> int:
    """The number of the fact that a list goes on after."""
    if cursor is not None and not _SEQ.fullmatch(cursor):
        raise refuse_cursor()
    return int(cursor or 0)


async def find(tx: Tx, actor: Actor, loan_id: str) -> Loan:
    """A loan that this actor may see."""
    known = read("loan", loan_id)
    return visible(actor, await loan_store.find_loan(tx, known) if known else None)


@router.post("/{loan_id}/disburse", response_model=wire.Loan, responses=WRITE_PROBLEMS | PENDING)
async def disburse_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.DisburseLoan) -> Response:
    """Pay the loan out, less its fee. An agent's mandate counts it; interest runs from this day."""
    ask = caller.ask("disburse_loan", key, body, loan_id)
    wish = Wish("disbursed", body.account, on=body.on)
    return await move(caller, Moving(ask, read("loan", loan_id), wish, known_id(body.mandate, "mnd", "mandate")))


@router.post("/{loan_id}/repay", response_model=wire.Loan, responses=WRITE_PROBLEMS | PENDING)
async def repay_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.RepayLoan) -> Response:
    """Pay money back. What is due is paid in the order of the product, the oldest first; the rest waits or prepays."""
    ask = caller.ask("repay_loan", key, body, loan_id)
    wish = Wish("prepaid" if body.keeps else "repaid", body.account, on=body.on, keeps=body.keeps)
    mandate_id = known_id(body.mandate, "mnd", "mandate")
    return await move(caller, Moving(ask, read("loan", loan_id), wish, mandate_id, body.amount))


async def move(caller: Caller, deed: Moving) -> Response:
    """Have money moved at the desk, in a transaction of its own, and answer with the loan that came of it."""

    def answer(outcomes: Sequence[Told]) -> Answer:
        (first,) = outcomes
        if isinstance(first, PendingApproval):
            return json_answer(show_pending(first), 202)
        if isinstance(first, Refusal):
            return answer_of(first, caller.request_id)
        assert deed.loan
        return json_answer(show_loan(deed.loan))

    instruction = Instruction(deed.ask, deed.orders, answer, aside=deed)
    return caller.respond(await caller.door.desk.alone(instruction), deed.ask)
