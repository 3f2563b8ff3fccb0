"""System 3: payments for several agents."""

from collections.abc import Callable, Sequence
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from bursar.api.door import PENDING, Caller, CallerOf, OptionalIdempotencyKey, json_answer, show_pending
from bursar.api.paying import now_of, shop_of
from bursar.api.problems import QUICK_PROBLEMS, answer_of
from bursar.api.quickstart.amounts import quick_status
from bursar.api.quickstart.fintech import NotThisAgent
from bursar.api.routes.job_steps import called, complete
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told
from bursar.core.authority.service import Reply
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor, ScopeMissing
from bursar.core.ledger.outcomes import Done
from bursar.features.jobs import at_once, reading
from bursar.features.jobs import service as jobs
from bursar.features.jobs.at_once import RESERVED, Reserving, Taking
from bursar.features.jobs.completing import Completion
from bursar.features.jobs.model import LEASE_SECONDS, Job
from bursar.features.jobs.service import NothingToClaim
from bursar.features.payments import store
from bursar.features.payments.calling import finish
from bursar.features.payments.model import Attempt, Payment
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import Money, exponent_of
from bursar.kernel.refusal import Refusal, UnknownObject
from bursar.wire import quickstart as wire
from bursar.wire.agents import NAME_PATTERN

router = APIRouter(tags=["quickstart: payments for several agents"], route_class=GatedRoute)

AgentPath = Annotated[str, Path(pattern=NAME_PATTERN, examples=["agent_001"])]


def _only(agent_id: str, *scopes: str) -> Callable[[Actor], None]:
    """Refuses another agent, and who may not go on with what is begun."""

    def refuse(actor: Actor) -> None:
        if actor.kind == "agent" and agent_id not in (actor.name, show("prn", actor.principal_id)):
            raise NotThisAgent
        for scope in scopes:
            if scope not in actor.scopes:
                raise ScopeMissing(scope)

    return refuse


def _told(caller: Caller, done: Answer, outcomes: Sequence[Told]) -> Answer:
    (outcome,) = outcomes
    if isinstance(outcome, PendingApproval):
        return json_answer(show_pending(outcome), 202)
    if isinstance(outcome, Refusal):
        return answer_of(outcome, caller.request_id, quick_status(outcome))
    assert isinstance(outcome, Done)
    return done


@router.post("/payments/create", response_model=wire.AgentPaymentAnswer, responses=QUICK_PROBLEMS | PENDING)
async def create_agent_payment(
    caller: CallerOf, body: wire.CreateAgentPayment, key: OptionalIdempotencyKey = None
) -> Response:
    """Take a payment for an agent, as a job: the provider is called, and the job goes on with what it says."""
    agent, currency = caller.as_agent(body.agent_id), body.currency.upper()
    exponent_of(currency)
    ask = agent.ask("create_payment", key, body, "/payments/create")
    provider = caller.door.providers.named(ask.credential.tenant_id, None)
    may = _only(body.agent_id, "payments:capture", "jobs:work")
    money = Money(body.amount_cents, currency)
    intent = Taking(
        ask,
        now_of(caller),
        agent=body.agent_id,
        money=money,
        refuse=may,
        provider=provider,
        providers=caller.door.providers,
    )
    under_way = Answer(UNDER_WAY, b"")
    reply = await agent.door.desk.alone(
        Instruction(ask, intent.orders, lambda o: _told(caller, under_way, o), aside=intent)
    )
    if isinstance(reply, Refusal) or reply.status != UNDER_WAY or intent.attempt is None:
        return agent.respond(reply, ask)
    seen = await called(agent, intent.job_id, begun_before=intent.again)
    if (seen.job.stage, seen.job.state) == (RESERVED, "ready"):
        await _pay(agent, body.agent_id, None, "", intent.job_id)

    def shown(payment: Payment | None, _: Attempt) -> Answer:
        assert payment
        made = wire.AgentPaymentAnswer(
            job_id=show("job", intent.job_id), payment_id=show("pay", payment.id), status=payment.status
        )  # fmt: skip
        return json_answer(made)

    async with agent.looking_ahead() as tx:
        seen = await reading.see(tx, intent.job_id)
        assert intent.attempt.payment_id
        payment = await store.find_payment(tx, intent.attempt.payment_id)
    if seen.job.status == "active":  # It goes on: the same key tells more later.
        return agent.respond(shown(payment, intent.attempt), ask)
    return agent.respond(await finish(shop_of(agent), ask, intent.attempt, None, shown), ask)


@router.post("/agents/{agent_id}/reserve", response_model=wire.AgentJobAnswer, responses=QUICK_PROBLEMS | PENDING)
async def reserve_funds(
    caller: CallerOf,
    agent_id: AgentPath,
    amount_cents: Annotated[int, Query(ge=1, le=10**15 - 1, examples=[2500], description="Cents of USD.")],
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Hold funds for an agent, as a job: they are set aside until it marks them as paid, or a week is over."""
    agent = caller.as_agent(agent_id)
    ask = agent.ask("create_hold", key, None, f"/agents/{agent_id}/reserve?{amount_cents}")
    intent = Reserving(ask, now_of(caller), agent=agent_id, money=Money(amount_cents, "USD"), refuse=_only(agent_id))

    done = json_answer(wire.AgentJobAnswer(id=show("job", intent.job_id), status="reserved"))
    reply = await agent.door.desk.alone(Instruction(ask, intent.orders, lambda o: _told(caller, done, o), aside=intent))
    return agent.respond(reply, ask)


@router.post("/agents/{agent_id}/mark-paid", response_model=wire.AgentJobAnswer, responses=QUICK_PROBLEMS | PENDING)
async def mark_paid(caller: CallerOf, agent_id: AgentPath, key: OptionalIdempotencyKey = None) -> Response:
    """Pay the oldest of an agent's jobs whose funds are reserved; 404 when there is none."""
    agent = caller.as_agent(agent_id)
    about = f"/agents/{agent_id}/mark-paid"
    reply, ask = await _pay(agent, agent_id, key, about)
    if isinstance(reply, Refusal) or reply.status != 200:
        return agent.respond(reply, ask)
    job = orjson.loads(reply.body)
    made = wire.AgentJobAnswer(id=job["id"], status="paid" if job["stage"] == "paid" else "processing")
    return agent.respond(Answer(200, json_answer(made).body, replayed=reply.replayed), ask)


async def _pay(
    agent: Caller, agent_id: str, key: str | None, about: str, job_id: UUID | None = None
) -> tuple[Reply, Ask]:
    """Claim the step that pays, of one job or of the oldest, and complete it; what the claim or the step came to."""

    async def work(tx: Tx, actor: Actor) -> tuple[Job, Happening]:
        _only(agent_id)(actor)
        found = job_id or await at_once.lock_payable(tx, agent_id)
        if found is None:
            raise UnknownObject("payable job")
        try:
            job = await jobs.claim(tx, actor, None, None, found, LEASE_SECONDS)
        except NothingToClaim:
            raise UnknownObject("payable job") from None
        return job, jobs.told(job, "step_claimed", "done", token=job.token)

    def claimed(job: Job) -> Answer:
        return Answer(200, orjson.dumps({"id": show("job", job.id), "token": job.token}))

    ask = agent.ask("claim_step", key, None, about)
    reply = await agent.begin(ask, work, claimed)
    if isinstance(reply, Refusal) or reply.status != 200:
        return reply, ask
    told = orjson.loads(reply.body)
    step = agent.ask("complete_step", key, None, about)
    return await complete(agent, step, read("job", told["id"]), Completion(told["token"], None, None)), step
