"""How a payment goes through the door: the first half, the call to the provider, the second half, and one answer."""

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.responses import Response

from bursar.api.door import Caller, json_answer, show_pending
from bursar.api.problems import answer_of
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told
from bursar.core.authority.service import Reply
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import Order
from bursar.features.payments.calling import Shop, Shown, finish, send
from bursar.features.payments.following import Following
from bursar.features.payments.giving import PayingOut, Refunding
from bursar.features.payments.intents import Charging
from bursar.features.payments.model import OPEN
from bursar.features.payments.resolving import resolve
from bursar.features.payments.transferring import Transferring
from bursar.features.payments.upstream import available_at
from bursar.kernel.money import Money, read_amount, show_minor
from bursar.kernel.refusal import Refusal

_UNDER_WAY = Answer(UNDER_WAY, b"")


def shop_of(caller: Caller) -> Shop:
    """What payments need, as this service has it."""
    return Shop(caller.door.database, caller.door.providers)


def now_of(caller: Caller) -> datetime:
    """The clock that payments go by."""
    return caller.door.providers.clock()


async def available_now(caller: Caller, account: Account) -> str:
    """What an account has available: of one that lives upstream, what it says there. In no transaction."""
    if account.upstream is None:
        return show_minor(account.balance.available, account.currency)
    upstream = caller.door.providers.upstream_of(caller.credential.tenant_id)
    return await available_at(upstream, account, account.upstream)


def reader_of(amount: str | None) -> Callable[[str], Money] | None:
    """Reads an amount in a currency that is found later; None where none was given."""
    if amount is None:
        return None
    return lambda currency: read_amount(amount, currency)


async def order(
    caller: Caller,
    intent: Charging | Refunding | PayingOut | Transferring,
    shown: Shown,
    refused: Callable[[Refusal], int | None] = lambda _: None,
) -> Response:
    """Have something begun that authority must allow, call the provider, and answer with what came of it.

    `refused` gives a status of its own to a refusal.
    """

    def told(outcomes: Sequence[Told]) -> Answer:
        first = outcomes[0]
        if isinstance(first, PendingApproval):
            return json_answer(show_pending(first), 202)
        if isinstance(first, Refusal):
            return answer_of(first, caller.request_id, refused(first))
        return _UNDER_WAY

    def orders(actor: Actor) -> Sequence[Order]:
        return intent.orders(actor)

    instruction = Instruction(intent.ask, orders, told, aside=intent)
    return await go_on(caller, intent.ask, intent, await caller.door.desk.alone(instruction), shown)


async def go_on(
    caller: Caller,
    ask: Ask,
    intent: Charging | Refunding | PayingOut | Transferring | Following,
    reply: Reply,
    shown: Shown,
) -> Response:
    """The rest, once the first half has committed; what was answered before is answered again."""
    attempt = intent.attempt
    if isinstance(reply, Refusal) or reply.status != UNDER_WAY or attempt is None:
        return caller.respond(reply, ask)
    shop, tenant_id = shop_of(caller), ask.credential.tenant_id
    if not intent.again:
        ending = await send(shop.providers.carrier_of(tenant_id, attempt.provider), attempt, intent.payment)
        return caller.respond(await finish(shop, ask, attempt, ending, shown), ask)
    if attempt.status in OPEN:
        await resolve(shop, tenant_id, attempt.id, at_once=True)
    return caller.respond(await finish(shop, ask, attempt, None, shown), ask)
