"""System 5: payments for start-ups."""

from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bursar.api.door import PENDING, SANDBOX_AGENT, CallerOf, Door, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.paying import now_of, order
from bursar.api.problems import QUICK_PROBLEMS, READ_PROBLEMS
from bursar.api.quickstart.amounts import loose_text, quick_status
from bursar.api.routes.payments import find_payment
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Begun
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.payments import people
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import WebhookUnsigned, ask_about, receive
from bursar.features.payments.intents import Charging, Wish
from bursar.features.payments.model import Attempt, Payment
from bursar.features.payments.signing import HEADER
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.money import read_amount, show_minor
from bursar.wire import quickstart as wire

router = APIRouter(tags=["quickstart: payments for start-ups"], route_class=GatedRoute)
# Not in the document of the API: it is for providers.
webhooks = APIRouter(include_in_schema=False)


@dataclass(slots=True)
class _Quick(Charging):
    """A payment whose customer and method are known by the caller's own names; what is new is entered with it."""

    asked: wire.QuickPayment | None = None
    provider: str = "sandbox"

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Find or enter the customer, the method and the account that payments come to."""
        assert self.asked
        asked, currency, provider = self.asked, self.asked.currency.upper(), self.provider
        money = read_amount(loose_text(asked.amount), currency)
        account = await people.revenue_account(tx, currency)
        customer_id = await people.customer_called(tx, actor, asked.customer_id)
        method_id = await people.method_called(tx, actor, provider, asked.payment_method_id, customer_id)
        self.wish = Wish(account, money, provider, method_id, customer_id)
        return await Charging.before(self, tx, actor)


@router.post("/payments", response_model=wire.QuickPaymentAnswer, responses=QUICK_PROBLEMS | PENDING)
async def quick_payment(caller: CallerOf, body: wire.QuickPayment, key: OptionalIdempotencyKey = None) -> Response:
    """Take a payment. Send an `Idempotency-Key`: without one, a retry after a lost answer is a second payment."""
    agent = caller.as_agent(SANDBOX_AGENT)
    ask = agent.ask("create_payment", key, body, "/payments")
    provider = caller.door.providers.named(ask.credential.tenant_id, None)
    intent = _Quick(ask, now_of(caller), providers=caller.door.providers, asked=body, provider=provider)

    def shown(payment: Payment | None, _: Attempt) -> Answer:
        assert payment
        return json_answer(wire.QuickPaymentAnswer(payment_id=show("pay", payment.id), status=payment.status))

    return await order(agent, intent, shown, quick_status)


@router.get("/payments/{payment_id}", response_model=wire.QuickPaymentShown, responses=READ_PROBLEMS)
async def quick_payment_status(caller: CallerOf, payment_id: IdPath) -> Response:
    """How a payment stands."""
    async with caller.as_agent(SANDBOX_AGENT).reading("get_payment") as (tx, _):
        payment = await find_payment(tx, payment_id)
        customer = await people.find_customer(tx, payment.customer_id) if payment.customer_id else None
    return json_response(
        wire.QuickPaymentShown(
            payment_provider_id=payment.reference,
            customer_id=(customer.external_id or show("cus", customer.id)) if customer else None,
            amount=show_minor(payment.amount_minor, payment.currency),
            currency=payment.currency,
            status=payment.status,
        )
    )


@webhooks.post("/webhooks/payments")
async def quick_webhook(request: Request) -> Response:
    """What any provider tells us, whichever has signed it.

    Unsigned, in the sandbox only, it is a hint: the provider itself is asked.
    """
    door: Door = request.app.state.door
    shop, body = Shop(door.database, door.providers), await request.body()
    headers = request.headers
    if door.sandbox is None or HEADER in headers:
        await receive(shop, None, body, headers)
        return JSONResponse({"received": True})
    await ask_about(shop, door.sandbox, _names(body))
    return JSONResponse({"received": True})


def _names(body: bytes) -> list[str]:
    """The ids that an unsigned event might be about; of what is not ours to read, none."""
    try:
        event: Any = orjson.loads(body)
    except ValueError:
        raise WebhookUnsigned from None
    thing: Any = _member(_member(event, "data"), "object")
    named = [_member(event, "payment_id"), _member(event, "id"), _member(thing, "id"), _member(thing, "payment_intent")]
    return [name for name in named if isinstance(name, str) and 0 < len(name) <= 200]


def _member(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- anybody's JSON
