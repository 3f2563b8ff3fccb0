"""What people say of another service: which accounts live there, and what became of a transfer without an answer."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, IdempotencyKey, OptionalIdempotencyKey, json_answer
from bursar.api.paying import shop_of
from bursar.api.problems import WRITE_PROBLEMS
from bursar.api.routes.accounts import show_account
from bursar.api.routes.payment_shapes import show_settled
from bursar.api.routes.refs import AccountPath, IdPath, account_ref
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import Account
from bursar.features.payments import settling_transfers
from bursar.features.payments.model import Attempt
from bursar.features.payments.resolving import resolve
from bursar.features.payments.transferring import live_upstream
from bursar.features.payments.upstream import available_at
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import Refusal, Unavailable
from bursar.wire import accounts as wire
from bursar.wire.transfers import SettledTransfer, SettleTransfer

router = APIRouter(prefix="/v1", route_class=GatedRoute)


@router.post("/accounts/{account}/upstream", tags=["accounts"], response_model=wire.Account, responses=WRITE_PROBLEMS)
async def mark_account_upstream(
    caller: CallerOf, account: AccountPath, body: wire.MarkUpstream, key: OptionalIdempotencyKey = None
) -> Response:
    """Say that an account's money lives upstream, under this number there, for good; never for an agent's key.

    The account must not have been used here. The upstream is asked first: it must know the number, in this currency.
    """
    ask = caller.ask("mark_account_upstream", key, body, account)
    refused = await _refused_there(caller, account, body.number)

    async def work(tx: Tx, _: Actor) -> tuple[Account, Happening]:
        if refused:
            raise refused
        return await live_upstream(tx, account_ref(account), body.number)

    return await caller.act(ask, work, lambda marked: json_answer(show_account(marked)))


async def _refused_there(caller: Caller, account: str, number: str) -> Refusal | None:
    """Why this cannot be, as far as it is seen before: told, and recorded, where it is decided.

    The upstream is asked for nobody but who may. That it cannot be asked now says nothing for good, so it is raised.
    """
    try:
        async with caller.reading("mark_account_upstream") as (tx, _):
            found = await reading.find_account(tx, account_ref(account))
        await available_at(caller.door.providers.upstream_of(caller.credential.tenant_id), found, number)
    except Unavailable:
        raise
    except Refusal as refusal:
        return refusal
    return None


@router.post(
    "/transfers/{transfer_id}/settle", tags=["transfers"], response_model=SettledTransfer, responses=WRITE_PROBLEMS
)
async def settle_transfer(caller: CallerOf, key: IdempotencyKey, transfer_id: IdPath, body: SettleTransfer) -> Response:
    """Settle a transfer upstream of which nobody knows what became: people only.

    The upstream is asked again by the same call; only once that was in vain may people say what they have found out.
    """
    ask = caller.ask("settle_transfer", key, body, transfer_id)
    shop, known = shop_of(caller), read("tr", transfer_id)
    if body.decision == "ask_again":

        async def begin(tx: Tx, _: Actor) -> tuple[UUID, Happening]:
            return await settling_transfers.ask_again(tx, shop.now, known, body.reason)

        reply = await caller.begin(ask, begin, lambda _: Answer(UNDER_WAY, b""))
        if known is None or isinstance(reply, Refusal) or reply.status != UNDER_WAY:
            return caller.respond(reply, ask)
        await resolve(shop, ask.credential.tenant_id, known, at_once=True)

    async def work(tx: Tx, actor: Actor) -> tuple[Attempt, Happening]:
        return await settling_transfers.settle(tx, actor, shop.now, known, body.decision, body.reason)

    return await caller.act(ask, work, lambda settled: json_answer(show_settled(settled)))
