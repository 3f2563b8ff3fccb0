"""System 2: retail banking."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import PENDING, SANDBOX_AGENT, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.paying import available_now
from bursar.api.problems import QUICK_PROBLEMS, READ_PROBLEMS, answer_of
from bursar.api.quickstart.amounts import loose_text, quick_status
from bursar.api.routes.refs import AccountPath, account_ref
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Told
from bursar.core.idempotency.model import Answer
from bursar.core.ledger import reading
from bursar.core.ledger.outcomes import Done
from bursar.features.transfers import service as transfers
from bursar.features.transfers.service import Wish
from bursar.kernel.refusal import Refusal
from bursar.wire import quickstart as wire

router = APIRouter(tags=["quickstart: retail banking"], route_class=GatedRoute)


@router.get("/accounts/{account_number}/balance", response_model=wire.AccountBalance, responses=READ_PROBLEMS)
async def account_balance(caller: CallerOf, account_number: AccountPath) -> Response:
    """What an account has available now; of one that lives upstream, what it has there."""
    agent = caller.as_agent(SANDBOX_AGENT)
    async with agent.reading("get_balance") as (tx, _):
        account = await reading.find_account(tx, account_ref(account_number))
    balance = await available_now(agent, account)
    return json_response(
        wire.AccountBalance(account_number=account.number, balance=balance, currency=account.currency)
    )  # fmt: skip


@router.post("/transfers", response_model=wire.RetailTransferAnswer, responses=QUICK_PROBLEMS | PENDING)
async def retail_transfer(caller: CallerOf, body: wire.RetailTransfer, key: OptionalIdempotencyKey = None) -> Response:
    """Debit, credit and audit row commit together or not at all. `request_id` names the transfer."""
    wish = Wish(account_ref(body.from_account), account_ref(body.to_account), loose_text(body.amount))

    def answer(outcomes: Sequence[Told]) -> Answer:
        (outcome,) = outcomes
        if isinstance(outcome, Refusal):
            return answer_of(outcome, caller.request_id, quick_status(outcome))
        assert isinstance(outcome, Done)
        assert outcome.entry
        return json_answer(wire.RetailTransferAnswer(status="ok", request_id=str(outcome.entry.id)))

    agent = caller.as_agent(SANDBOX_AGENT)
    ask = agent.ask("create_transfer", key, body, "/transfers")
    return await agent.move(ask, lambda actor: [transfers.send(actor, wish)], answer)
