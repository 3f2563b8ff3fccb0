"""`/v1/accounts/{account}/upstream`: say that an account's money lives in another service."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer
from bursar.api.problems import WRITE_PROBLEMS
from bursar.api.routes.accounts import show_account
from bursar.api.routes.refs import AccountPath, account_ref
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import Account
from bursar.features.payments.transferring import live_upstream
from bursar.features.payments.upstream import available_at
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Refusal, Unavailable
from bursar.wire import accounts as wire

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=GatedRoute)


@router.post("/{account}/upstream", response_model=wire.Account, responses=WRITE_PROBLEMS)
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
