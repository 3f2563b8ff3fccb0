"""`/v1/payments`: create, confirm, capture, cancel, refund, read."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import PENDING, CallerOf, IdempotencyKey, json_answer, json_response
from bursar.api.paying import go_on, now_of, order, reader_of, shop_of
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.payment_shapes import known_id, show_payment, show_refund
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, acknowledged, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import UNDER_WAY, Answer
from bursar.core.identity.model import Actor
from bursar.features.payments import lifting, store
from bursar.features.payments.following import Following, create_unconfirmed
from bursar.features.payments.giving import Refunding
from bursar.features.payments.intents import Charging, Intent, Wish
from bursar.features.payments.model import Attempt, Payment
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.money import read_amount
from bursar.kernel.refusal import UnknownObject
from bursar.wire import payments as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=GatedRoute)


def answer_payment(payment: Payment | None, _: Attempt) -> Answer:
    """The payment of a call, as it stands."""
    assert payment
    return json_answer(show_payment(payment))


def _created(payment: Payment | None, _: Attempt) -> Answer:
    assert payment
    return json_answer(show_payment(payment), 201)


def _refunded(_: Payment | None, attempt: Attempt) -> Answer:
    return json_answer(show_refund(attempt), 201)


@router.post("", status_code=201, response_model=wire.Payment, responses=WRITE_PROBLEMS | PENDING)
async def create_payment(caller: CallerOf, key: IdempotencyKey, body: wire.CreatePayment) -> Response:
    """Take a payment: its provider is called, and what came of it is answered; what is not over yet says so."""
    ask = caller.ask("create_payment", key, body)
    wish = Wish(
        account_ref(body.account),
        read_amount(body.amount, body.currency),
        caller.door.providers.named(caller.credential.tenant_id, body.provider),
        known_id(body.payment_method, "pm", "payment method"),
        known_id(body.customer, "cus", "customer"),
        body.capture,
        body.description,
        body.metadata,
        known_id(body.mandate, "mnd", "mandate"),
        acknowledged(body.acknowledge_duplicate),
    )
    if body.confirm:
        return await order(caller, Charging(ask, now_of(caller), providers=caller.door.providers, wish=wish), _created)

    async def work(tx: Tx, actor: Actor) -> tuple[Payment, Happening]:
        return await create_unconfirmed(tx, actor, Intent(ask, now_of(caller)), wish)

    return await caller.act(ask, work, lambda made: json_answer(show_payment(made), 201))


@router.get("", response_model=Page[wire.Payment], responses=READ_PROBLEMS)
async def list_payments(
    caller: CallerOf,
    status: Annotated[wire.PaymentStatus | None, Query(description="Only those that stand so.")] = None,
    customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Payments, newest first."""
    before = read_cursor("pay", cursor)
    async with caller.reading("list_payments") as (tx, _):
        whose = known_id(customer, "cus", "customer")
        found = await store.list_payments(tx, status, whose, before, limit + 1)
    items = [show_payment(payment) for payment in found[:limit]]
    return json_response(Page[wire.Payment](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{payment_id}", response_model=wire.Payment, responses=READ_PROBLEMS)
async def get_payment(caller: CallerOf, payment_id: IdPath) -> Response:
    """One payment as it stands."""
    async with caller.reading("get_payment") as (tx, _):
        return json_response(show_payment(await find_payment(tx, payment_id)))


@router.post("/{payment_id}/confirm", response_model=wire.Payment, responses=WRITE_PROBLEMS | PENDING)
async def confirm_payment(
    caller: CallerOf, key: IdempotencyKey, payment_id: IdPath, body: wire.ConfirmPayment | None = None
) -> Response:
    """Try to have a payment paid that nobody has confirmed, or whose last attempt has failed."""
    asked = body or wire.ConfirmPayment()
    ask = caller.ask("confirm_payment", key, asked, payment_id)
    method_id = known_id(asked.payment_method, "pm", "payment method")
    intent = Charging(
        ask, now_of(caller), providers=caller.door.providers, payment_id=known_id(payment_id, "pay", "payment"),
        method_id=method_id, acknowledges=acknowledged(asked.acknowledge_duplicate),
    )  # fmt: skip
    return await order(caller, intent, answer_payment)


@router.post("/{payment_id}/capture", response_model=wire.Payment, responses=WRITE_PROBLEMS)
async def capture_payment(
    caller: CallerOf, key: IdempotencyKey, payment_id: IdPath, body: wire.CapturePayment | None = None
) -> Response:
    """Capture what was authorised, in full, in part, or in several parts."""
    asked = body or wire.CapturePayment()
    ask = caller.ask("capture_payment", key, asked, payment_id)
    known, read_asked = known_id(payment_id, "pay", "payment"), reader_of(asked.amount)
    intent = Following(
        ask, now_of(caller), providers=caller.door.providers, payment_id=known, read=read_asked, final=asked.final
    )
    return await _follow(caller, intent, intent.capture)


@router.post("/{payment_id}/cancel", response_model=wire.Payment, responses=WRITE_PROBLEMS)
async def cancel_payment(caller: CallerOf, key: IdempotencyKey, payment_id: IdPath) -> Response:
    """Let go what was authorised and not captured."""
    ask = caller.ask("cancel_payment", key, None, payment_id)
    intent = Following(
        ask, now_of(caller), providers=caller.door.providers, payment_id=known_id(payment_id, "pay", "payment")
    )
    return await _follow(caller, intent, intent.cancel)


async def _follow(
    caller: CallerOf,
    intent: Following,
    work: Callable[[Tx, Actor], Awaitable[tuple[Attempt | None, Happening]]],
) -> Response:
    def told(attempt: Attempt | None) -> Answer:
        if attempt:
            return Answer(UNDER_WAY, b"")
        assert intent.payment
        return json_answer(show_payment(intent.payment))

    reply = await caller.begin(intent.ask, work, told, intent.event)
    return await go_on(caller, intent.ask, intent, reply, answer_payment)


@router.post("/{payment_id}/refund", status_code=201, response_model=wire.Refund, responses=WRITE_PROBLEMS | PENDING)
async def refund_payment(
    caller: CallerOf, key: IdempotencyKey, payment_id: IdPath, body: wire.RefundPayment | None = None
) -> Response:
    """Give back what was captured, in full or in part; never more than that, refunds under way counted."""
    asked = body or wire.RefundPayment()
    ask = caller.ask("refund_payment", key, asked, payment_id)
    intent = Refunding(
        ask, now_of(caller), providers=caller.door.providers, payment_id=known_id(payment_id, "pay", "payment"),
        description=asked.description,
        mandate_id=known_id(asked.mandate, "mnd", "mandate"), read=reader_of(asked.amount),
        acknowledges=acknowledged(asked.acknowledge_duplicate),
    )  # fmt: skip
    return await order(caller, intent, _refunded)


@router.post("/{payment_id}/lift-quarantine", response_model=wire.Payment, responses=WRITE_PROBLEMS)
async def lift_quarantine(
    caller: CallerOf, key: IdempotencyKey, payment_id: IdPath, body: wire.LiftQuarantine
) -> Response:
    """Go on with a payment whose provider contradicted what was asked: people only.

    The provider is asked again first, whatever is decided. Its cases are resolved with the reason.
    """
    ask = caller.ask("lift_quarantine", key, body, payment_id)
    shop, known = shop_of(caller), read("pay", payment_id)
    heard = await lifting.ask_provider(shop, ask.credential.tenant_id, known) if await caller.may(ask) else []

    async def work(tx: Tx, actor: Actor) -> tuple[Payment, Happening]:
        return await lifting.lift(tx, actor, shop, known, body.decision, body.reason, heard)

    return await caller.act(ask, work, lambda payment: json_answer(show_payment(payment)))


@router.get("/{payment_id}/refunds", response_model=Page[wire.Refund], responses=READ_PROBLEMS)
async def list_refunds(caller: CallerOf, payment_id: IdPath) -> Response:
    """The refunds of a payment that were asked for here, oldest first."""
    async with caller.reading("list_refunds") as (tx, _):
        payment = await find_payment(tx, payment_id)
        found = [a for a in await store.list_attempts(tx, payment.id) if a.kind == "refund"]
    return json_response(Page[wire.Refund](items=[show_refund(attempt) for attempt in found], next_cursor=None))


async def find_payment(tx: Tx, payment_id: str) -> Payment:
    """One payment by its id on the wire."""
    found = await store.find_payment(tx, known) if (known := read("pay", payment_id)) else None
    if found is None:
        raise UnknownObject("payment")
    return found
