"""`/v1/collections`, and reminders and promises under `/v1/loans/{loan_id}`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, IdempotencyKey, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, answer_of
from bursar.api.routes.collection_shapes import new_mail, show_collection, show_promise, show_reminder
from bursar.api.routes.payment_shapes import known_id
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Instruction, Told
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.collections import holding, promise_store, promising, store
from bursar.features.collections.model import Promise
from bursar.features.collections.reminding import Reminding, Wanted
from bursar.features.lending.loan import Loan
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import Refusal
from bursar.wire import collections as wire
from bursar.wire.fields import Page

router = APIRouter(tags=["lending"], route_class=GatedRoute)


@router.get("/v1/collections", response_model=Page[wire.Collection], responses=READ_PROBLEMS)
async def list_collections(
    caller: CallerOf,
    is_open: Annotated[bool | None, Query(description="Only those that are open, or only those that ended.")] = None,
    loan: Annotated[str | None, Query(max_length=64, description="Only those of a loan.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Loans that are or were late, oldest first: agents see those they took in, decided, or hold the step of."""
    after, loan_id = read_cursor("col", cursor), known_id(loan, "loan", "loan")
    async with caller.reading("list_collections") as (tx, actor):
        seen_by = actor.principal_id if actor.kind == "agent" else None
        found = await store.list_collections(tx, seen_by, is_open, loan_id, after, limit + 1)
        items = [show_collection(each, await promise_store.list_promises(tx, each.loan.id)) for each in found[:limit]]
    return json_response(Page[wire.Collection](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.post("/v1/loans/{loan_id}/reminders", status_code=201, response_model=wire.Reminder, responses=WRITE_PROBLEMS)
async def create_reminder(
    caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.CreateReminder
) -> Response:
    """Remind the borrower of a loan that is late, in the words of a template, as the rules of contact allow.

    An agent must hold the step of the loan's job, and its mandate must cover `create_reminder`. What is said are facts
    of the loan. It goes out as the event `loan.reminder`, and with `email` as a mail, too.
    """
    ask = caller.ask("create_reminder", key, body, loan_id)
    mandate_id = known_id(body.mandate, "mnd", "mandate")
    deed = Reminding(ask, Wanted(read("loan", loan_id), body.template, body.channel, body.token), mandate_id)

    def answer(outcomes: Sequence[Told]) -> Answer:
        (first,) = outcomes
        if isinstance(first, Refusal):
            return answer_of(first, caller.request_id)
        assert deed.found
        made = show_reminder(deed.found.reminder, new_mail(body.channel), to_people=deed.to_people)
        return json_answer(made, 201)

    instruction = Instruction(ask, deed.orders, answer, aside=deed)
    return caller.respond(await caller.door.desk.alone(instruction), ask)


@router.get("/v1/loans/{loan_id}/reminders", response_model=Page[wire.Reminder], responses=READ_PROBLEMS)
async def list_reminders(caller: CallerOf, loan_id: IdPath, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every reminder of a loan in its exact words, oldest first."""
    after = read_cursor("rem", cursor)
    async with caller.reading("list_reminders") as (tx, actor):
        loan = await holding.seen(tx, actor, read("loan", loan_id))
        found = await store.list_reminders(tx, loan.id, after, limit + 1)
    items = [show_reminder(made, mail, to_people=actor.kind != "agent") for made, mail in found[:limit]]
    return json_response(Page[wire.Reminder](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.post("/v1/loans/{loan_id}/promises", status_code=201, response_model=wire.LoanPromise, responses=WRITE_PROBLEMS)
async def create_promise(
    caller: CallerOf, loan_id: IdPath, body: wire.CreatePromise, key: OptionalIdempotencyKey = None
) -> Response:
    """Take down what a borrower promises to pay; while it is open nobody reminds them.

    Once its day is over it is kept if repayments that came after it, by value date, are as much, else broken.
    """

    async def work(tx: Tx, actor: Actor) -> tuple[tuple[Loan, Promise], Happening]:
        loan, made, happening = await promising.promise(
            tx, actor, read("loan", loan_id), body.amount, body.due_on, body.token
        )
        return (loan, made), happening

    ask = caller.ask("create_promise", key, body, loan_id)
    return await caller.act(ask, work, lambda found: json_answer(show_promise(*found), 201))


@router.get("/v1/loans/{loan_id}/promises", response_model=Page[wire.LoanPromise], responses=READ_PROBLEMS)
async def list_promises(caller: CallerOf, loan_id: IdPath) -> Response:
    """Every promise about a loan and what became of it, oldest first."""
    async with caller.reading("list_promises") as (tx, actor):
        loan = await holding.seen(tx, actor, read("loan", loan_id))
        found = await promise_store.list_promises(tx, loan.id)
    items = [show_promise(loan, made) for made in found]
    return json_response(Page[wire.LoanPromise](items=items, next_cursor=None))


@router.post("/v1/promises/{promise_id}/cancel", response_model=wire.LoanPromise, responses=WRITE_PROBLEMS)
async def cancel_promise(
    caller: CallerOf, promise_id: IdPath, body: wire.CancelPromise, key: OptionalIdempotencyKey = None
) -> Response:
    """Take an open promise back, as when it was taken down wrongly: the borrower is reminded again."""

    async def work(tx: Tx, actor: Actor) -> tuple[tuple[Loan, Promise], Happening]:
        loan, ended, happening = await promising.cancel(tx, actor, read("prom", promise_id), body.reason)
        return (loan, ended), happening

    ask = caller.ask("cancel_promise", key, body, promise_id)
    return await caller.act(ask, work, lambda found: json_answer(show_promise(*found)))
