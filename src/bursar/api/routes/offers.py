"""`/v1/applications/{application_id}/offer`: make an offer on what was approved, read it, accept it."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.loan_shapes import show_loan, show_offer
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending import offering
from bursar.features.lending.trail import told
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.wire import loans as wire

router = APIRouter(prefix="/v1/applications", tags=["lending"], route_class=GatedRoute)


@router.post("/{application_id}/offer", status_code=201, response_model=wire.Offer, responses=WRITE_PROBLEMS)
async def make_offer(
    caller: CallerOf, application_id: IdPath, body: wire.MakeOffer, key: OptionalIdempotencyKey = None
) -> Response:
    """Offer what was approved: the schedule, the annual percentage rate, and until when it can be accepted."""

    async def work(tx: Tx, actor: Actor) -> tuple[wire.Offer, Happening]:
        found, offer = await offering.make_offer(tx, actor, read("app", application_id), body.version)
        shown = show_offer(found, offer, await offering.schedule_under(tx, found, offer))
        return shown, told("offered", found, apr_eu_ppm=offer.apr_eu_ppm)

    ask = caller.ask("make_offer", key, body, application_id)
    return await caller.act(ask, work, lambda made: json_answer(made, 201))


@router.get("/{application_id}/offer", response_model=wire.Offer, responses=READ_PROBLEMS)
async def get_offer(caller: CallerOf, application_id: IdPath) -> Response:
    """The offer on an application, with its schedule."""
    async with caller.reading("get_offer") as (tx, actor):
        found, offer = await offering.find_offer(tx, actor, read("app", application_id))
        return json_response(show_offer(found, offer, await offering.schedule_under(tx, found, offer)))


@router.post("/{application_id}/accept", status_code=201, response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def accept_offer(
    caller: CallerOf, application_id: IdPath, body: wire.AcceptOffer, key: OptionalIdempotencyKey = None
) -> Response:
    """The applicant accepts the offer; say how that is known. The loan that it makes is yet to be paid out."""

    async def work(tx: Tx, actor: Actor) -> tuple[wire.Loan, Happening]:
        found, loan = await offering.accept_offer(tx, actor, read("app", application_id), body.version, body.evidence)
        return show_loan(loan), told("accepted", found, loan=loan.name)

    ask = caller.ask("accept_offer", key, body, application_id)
    return await caller.act(ask, work, lambda made: json_answer(made, 201))
