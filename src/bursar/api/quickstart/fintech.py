"""System 1: fintech actions for agents."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from bursar.api.door import PENDING, SANDBOX_AGENT, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import QUICK_PROBLEMS, READ_PROBLEMS, answer_of
from bursar.api.quickstart.amounts import loose_text, quick_status
from bursar.api.routes.refs import account_ref
from bursar.api.routing import GatedRoute
from bursar.api.upstreaming import goes_upstream, transfer_upstream
from bursar.core.authority.model import Told
from bursar.core.events import service as events
from bursar.core.events.model import Recorded
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import Done
from bursar.features.transfers import service as transfers
from bursar.features.transfers.model import Transfer
from bursar.features.transfers.service import Wish
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import Forbidden, Refusal
from bursar.wire import quickstart as wire
from bursar.wire.agents import NAME_PATTERN

router = APIRouter(prefix="/agent", tags=["quickstart: fintech actions"], route_class=GatedRoute)

_NAMES = {"transfer.posted": "transfer_created"}


class NotThisAgent(Forbidden):
    """The key belongs to another agent."""

    @property
    def code(self) -> str:
        """Acting as somebody else is a matter of authority."""
        return "mandate_missing"


@router.post("/transfer", response_model=wire.AgentTransferAnswer, responses=QUICK_PROBLEMS | PENDING)
async def agent_transfer(caller: CallerOf, body: wire.AgentTransfer, key: OptionalIdempotencyKey = None) -> Response:
    """An agent moves money. Balance check, transfer and event commit together or not at all.

    Between two accounts that live upstream the transfer is made there, and its event commits with what came of it.
    Send an `Idempotency-Key`: without one, a retry after a lost answer is a second transfer.
    """
    agent = caller.as_agent(body.agent_id)
    wish = Wish(account_ref(body.source_account), account_ref(body.target_account), loose_text(body.amount))

    ask = agent.ask("create_transfer", key, body, "/agent/transfer")
    if numbers := await goes_upstream(agent, wish):
        return await transfer_upstream(agent, ask, wish, partial(_refuse_another, body), numbers)

    def orders(actor: Actor) -> list[Order]:
        _refuse_another(body, actor)
        return [transfers.send(actor, wish)]

    def answer(outcomes: Sequence[Told]) -> Answer:
        (outcome,) = outcomes
        if isinstance(outcome, Refusal):
            return answer_of(outcome, caller.request_id, quick_status(outcome))
        assert isinstance(outcome, Done)
        made = wire.AgentTransferAnswer(ok=True, transfer=_made(Transfer.of_done(outcome)))
        return json_answer(made)

    return await agent.move(ask, orders, answer)


def _refuse_another(body: wire.AgentTransfer, actor: Actor) -> None:
    if actor.kind == "agent" and body.agent_id not in (actor.name, show("prn", actor.principal_id)):
        raise NotThisAgent


@router.get("/{agent_id}/events", response_model=wire.AgentEvents, responses=READ_PROBLEMS)
async def agent_events(
    caller: CallerOf,
    agent_id: Annotated[str, Path(pattern=NAME_PATTERN, examples=["agent_001"])],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """An agent's events, newest first."""
    async with caller.as_agent(SANDBOX_AGENT).reading("list_events") as (tx, _):
        principal = await identity.find_agent_or_none(tx, agent_id)
        found = await events.read(tx, events.Filter(principal.id), None, limit) if principal else []
    return json_response(wire.AgentEvents(agent_id=agent_id, events=[_event(agent_id, e) for e in found]))


def _made(transfer: Transfer) -> wire.AgentTransferMade:
    posting = transfer.posting
    return wire.AgentTransferMade(
        transfer_id=show("tr", transfer.entry.id),
        status="posted",
        source_account=transfer.source,
        target_account=transfer.target,
        amount=show_minor(posting.amount_minor, posting.currency),
        currency=posting.currency,
        created_at=transfer.entry.recorded_at,
    )


def _event(agent_id: str, event: Recorded) -> wire.AgentEvent:
    facts = event.facts
    kind: str = facts["type"]
    payload = {**facts["payload"], "outcome": facts["outcome"], "transfer_id": facts["object"]}
    # An amount asked here has no currency, and as many decimals as its sender wrote: say what was posted.
    payload |= {name: posting[name] for posting in payload.get("postings", [])[:1] for name in ("amount", "currency")}
    return wire.AgentEvent(
        id=show("evt", event.id),
        agent_id=agent_id,
        event_type=_NAMES.get(kind, kind.replace(".", "_")),
        payload=payload,
        created_at=event.recorded_at,
    )
