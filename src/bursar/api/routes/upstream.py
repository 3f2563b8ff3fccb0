"""`/v1/accounts/{account}/upstream`: say that an account's money lives in another service."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer
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
    async with caller.reading("mark_account_upstream") as (tx, _):
        found = await reading.find_account(tx, account_ref(account))
    await available_at(caller.door.providers.upstream_of(ask.credential.tenant_id), found, body.number)

    async def work(tx: Tx, _: Actor) -> tuple[Account, Happening]:
        return await live_upstream(tx, account_ref(account), body.number)

    return await caller.act(ask, work, lambda marked: json_answer(show_account(marked)))
