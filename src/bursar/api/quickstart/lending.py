"""System 4: lending."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import PENDING, SANDBOX_AGENT, CallerOf, OptionalIdempotencyKey, json_answer
from bursar.api.problems import WRITE_PROBLEMS
from bursar.api.quickstart.amounts import loose_text
from bursar.api.routes.applications import decide
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.lending import service
from bursar.features.lending.application import Application, Intake
from bursar.features.lending.catalog import QUICK_INSTALLMENTS
from bursar.features.lending.deciding import Deciding
from bursar.features.lending.service import Wanted
from bursar.features.lending.trail import told
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import read_amount
from bursar.wire import lending
from bursar.wire import quick_lending as wire

router = APIRouter(prefix="/loans", tags=["quickstart: lending"], route_class=GatedRoute)


@router.post("/apply", response_model=wire.QuickApplicationAnswer, responses=WRITE_PROBLEMS)
async def quick_apply(caller: CallerOf, body: wire.QuickApplication, key: OptionalIdempotencyKey = None) -> Response:
    """Ask for a loan in US dollars, of the product that comes with Bursar. An e-mail has one application at a time."""

    async def work(tx: Tx, actor: Actor) -> tuple[Application, Happening]:
        product = await service.quick_product(tx, actor)
        money = read_amount(loose_text(body.amount_requested), product.currency, "amount_requested")
        intake = Intake(body.applicant_name, body.email, money.minor, QUICK_INSTALLMENTS)
        made = await service.apply(tx, actor, product, Wanted(intake))
        ready = await service.submit(tx, actor, made.id, made.version)
        return ready, told("submitted", ready)

    def shown(made: Application) -> Answer:
        name = show("app", made.id)
        return json_answer(wire.QuickApplicationAnswer(application_id=name, status="pending", email=body.email))

    agent = caller.as_agent(SANDBOX_AGENT)
    return await agent.act(agent.ask("create_application", key, body, "/loans/apply"), work, shown)


@router.post("/{application_id}/decision", response_model=wire.QuickDecisionAnswer, responses=WRITE_PROBLEMS | PENDING)
async def quick_decision(
    caller: CallerOf,
    application_id: IdPath,
    decision: Annotated[lending.Outcome, Query(description="What is decided.")],
    reason: Annotated[lending.Reason | None, Query(description="Why; needed to reject.")] = None,
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Decide an application; one in review is left to a person."""
    agent = caller.as_agent(SANDBOX_AGENT)
    asked = wire.QuickDecision(decision=decision, reason=reason)
    ask = agent.ask("decide_application", key, asked, f"/loans/{application_id}/decision")

    def decided() -> Answer:
        return json_answer(wire.QuickDecisionAnswer(application_id=application_id, decision=decision))

    return await decide(agent, Deciding(ask, read("app", application_id), decision, reason), decided)
