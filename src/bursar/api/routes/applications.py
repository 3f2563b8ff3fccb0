"""`/v1/applications`: take in, change, submit, withdraw, decide, read."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import (
    PENDING,
    Caller,
    CallerOf,
    IdempotencyKey,
    OptionalIdempotencyKey,
    json_answer,
    json_response,
    refuse_cursor,
    show_pending,
)
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, answer_of
from bursar.api.routes.application_shapes import (
    Seen,
    read_changes,
    read_follows,
    read_wish,
    see,
    show_application,
    show_event,
)
from bursar.api.routes.payment_shapes import known_id
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Instruction, PendingApproval, Told
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.lending import application_store, offers
from bursar.features.lending import service as lending
from bursar.features.lending.application import Application, EventType
from bursar.features.lending.deciding import Deciding
from bursar.features.lending.offers import Accepting
from bursar.features.lending.service import Wanted
from bursar.features.lending.trail import told
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import Refusal
from bursar.wire import lending as wire
from bursar.wire.fields import Asked, Page

router = APIRouter(prefix="/v1/applications", tags=["lending"], route_class=GatedRoute)

_VERSION = re.compile(r"[1-9][0-9]{0,8}")


@router.post("", status_code=201, response_model=wire.Application, responses=WRITE_PROBLEMS)
async def create_application(
    caller: CallerOf, body: wire.CreateApplication, key: OptionalIdempotencyKey = None
) -> Response:
    """Take in an application, a draft. An e-mail has one at a time; say of each field where it is from."""

    async def work(tx: Tx, actor: Actor) -> tuple[Application, Happening]:
        product = await lending.product_called(tx, actor, body.product)
        wanted = Wanted(read_wish(body, product.currency), body.decider, read_follows(body.follows))
        made = await lending.apply(tx, actor, product, wanted)
        return made, told("created", made)

    ask = caller.ask("create_application", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_application(Seen(made, (), None)), 201))


@router.get("", response_model=Page[wire.Application], responses=READ_PROBLEMS)
async def list_applications(
    caller: CallerOf,
    status: Annotated[wire.ApplicationStatus | None, Query(description="Only those that stand so.")] = None,
    email: Annotated[wire.Email | None, Query(description="Only those of this e-mail.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Applications, oldest first: an agent's own, or all of them."""
    after = read_cursor("app", cursor)
    async with caller.reading("list_applications") as (tx, actor):
        whose = actor.principal_id if actor.kind == "agent" else None
        known_by = email.lower() if email else None
        found = await application_store.list_applications(tx, whose, status, known_by, after, limit + 1)
        items = [show_application(await see(tx, each)) for each in found[:limit]]
    return json_response(Page[wire.Application](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{application_id}", response_model=wire.Application, responses=READ_PROBLEMS)
async def get_application(caller: CallerOf, application_id: IdPath) -> Response:
    """One application as it stands, with its decisions."""
    async with caller.reading("get_application") as (tx, actor):
        found = await lending.find(tx, actor, read("app", application_id))
        return json_response(show_application(await see(tx, found)))


@router.get("/{application_id}/events", response_model=Page[wire.ApplicationEvent], responses=READ_PROBLEMS)
async def list_application_events(
    caller: CallerOf, application_id: IdPath, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """The whole trail of an application, oldest first: who said or did what, version by version."""
    if cursor is not None and not _VERSION.fullmatch(cursor):
        raise refuse_cursor()
    async with caller.reading("list_application_events") as (tx, actor):
        found = await lending.find(tx, actor, read("app", application_id))
        events = await application_store.list_events(tx, found.id, int(cursor or 0), limit + 1)
    items = [show_event(occurred) for occurred in events[:limit]]
    more = str(items[-1].version) if len(events) > limit else None
    return json_response(Page[wire.ApplicationEvent](items=items, next_cursor=more))


@router.post("/{application_id}/change", response_model=wire.Application, responses=WRITE_PROBLEMS)
async def change_application(
    caller: CallerOf, application_id: IdPath, body: wire.ChangeApplication, key: OptionalIdempotencyKey = None
) -> Response:
    """Enter other facts. What was there stays in the trail; nothing changes while an approval is waited for."""

    async def work(tx: Tx, actor: Actor) -> Application:
        found = await lending.find(tx, actor, read("app", application_id))
        return await lending.change(tx, actor, found.id, body.version, read_changes(body, found.currency))

    return await _change(caller, "change_application", application_id, body, key, ("changed", work))


@router.post("/{application_id}/submit", response_model=wire.Application, responses=WRITE_PROBLEMS)
async def submit_application(
    caller: CallerOf, application_id: IdPath, body: wire.SubmitApplication, key: OptionalIdempotencyKey = None
) -> Response:
    """Say that it is ready to be decided; refused while a consent that the product asks for is missing."""

    async def work(tx: Tx, actor: Actor) -> Application:
        return await lending.submit(tx, actor, read("app", application_id), body.version)

    return await _change(caller, "submit_application", application_id, body, key, ("submitted", work))


@router.post("/{application_id}/withdraw", response_model=wire.Application, responses=WRITE_PROBLEMS)
async def withdraw_application(
    caller: CallerOf, application_id: IdPath, body: wire.WithdrawApplication, key: OptionalIdempotencyKey = None
) -> Response:
    """The applicant no longer wants the loan: nobody decides it any more, and what waits for approval is superseded."""

    async def work(tx: Tx, actor: Actor) -> Application:
        return await lending.withdraw(tx, actor, read("app", application_id), body.version, body.reason)

    return await _change(caller, "withdraw_application", application_id, body, key, ("withdrawn", work))


async def _change(
    caller: Caller,
    action: str,
    application_id: str,
    body: Asked,
    key: str | None,
    verb: tuple[EventType, Callable[[Tx, Actor], Awaitable[Application]]],
) -> Response:
    type_, change = verb

    async def work(tx: Tx, actor: Actor) -> tuple[wire.Application, Happening]:
        after = await change(tx, actor)
        return show_application(await see(tx, after)), told(type_, after)

    return await caller.act(caller.ask(action, key, body, application_id), work, json_answer)


@router.post("/{application_id}/decide", response_model=wire.Application, responses=WRITE_PROBLEMS | PENDING)
async def decide_application(
    caller: CallerOf, key: IdempotencyKey, application_id: IdPath, body: wire.DecideApplication
) -> Response:
    """Approve, reject, or have a person look. An approval's amount counts in your mandate; the product's rules bind."""
    mandate_id = known_id(body.mandate, "mnd", "mandate")
    ask = caller.ask("decide_application", key, body, application_id)
    deed = Deciding(ask, read("app", application_id), body.decision, body.reason, body.version, mandate_id)

    def decided() -> Answer:
        assert deed.application
        return json_answer(show_application(Seen(deed.application, deed.decisions, None)))

    return await decide(caller, deed, decided)


@router.post("/{application_id}/offer", response_model=wire.Application, responses=WRITE_PROBLEMS)
async def make_offer(
    caller: CallerOf, application_id: IdPath, body: wire.MakeOffer, key: OptionalIdempotencyKey = None
) -> Response:
    """Offer what was approved: its schedule and cost are worked out and kept, good for as long as the product says."""

    async def work(tx: Tx, actor: Actor) -> Application:
        return await offers.make(tx, actor, read("app", application_id), body.version)

    return await _change(caller, "make_offer", application_id, body, key, ("offered", work))


@router.post("/{application_id}/accept", response_model=wire.Application, responses=WRITE_PROBLEMS | PENDING)
async def accept_offer(
    caller: CallerOf, key: IdempotencyKey, application_id: IdPath, body: wire.AcceptOffer
) -> Response:
    """Take the loan on the very terms that were offered; its amount counts in the mandate of the agent that applied."""
    ask = caller.ask("accept_offer", key, body, application_id)
    mandate_id, terms_hash = known_id(body.mandate, "mnd", "mandate"), bytes.fromhex(body.terms_hash)
    deed = Accepting(ask, read("app", application_id), body.version, terms_hash, mandate_id)

    def accepted() -> Answer:
        assert deed.application
        assert deed.loan
        return json_answer(show_application(Seen(deed.application, deed.decisions, deed.offer, deed.loan.id)))

    return await decide(caller, deed, accepted)


async def decide(caller: Caller, deed: Deciding | Accepting, decided: Callable[[], Answer]) -> Response:
    """Have something decided at the desk, in a transaction of its own, and answer with what came of it."""

    def answer(outcomes: Sequence[Told]) -> Answer:
        (first,) = outcomes
        if isinstance(first, PendingApproval):
            return json_answer(show_pending(first), 202)
        if isinstance(first, Refusal):
            return answer_of(first, caller.request_id)
        return decided()

    instruction = Instruction(deed.ask, deed.orders, answer, aside=deed)
    return caller.respond(await caller.door.desk.alone(instruction), deed.ask)
