"""`/v1/payouts`: money that leaves through a provider."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import PENDING, CallerOf, IdempotencyKey, json_answer, json_response
from bursar.api.paying import now_of, order, shop_of
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.payment_shapes import known_id, show_payout
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, acknowledged, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.payments import lifting_payouts, store
from bursar.features.payments.giving import PayingOut
from bursar.features.payments.model import Attempt, Payment
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.money import read_amount
from bursar.kernel.refusal import UnknownObject
from bursar.wire import payments as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/payouts", tags=["payments"], route_class=GatedRoute)


def _paid(_: Payment | None, attempt: Attempt) -> Answer:
    return json_answer(show_payout(attempt), 201)


@router.post("", status_code=201, response_model=wire.Payout, responses=WRITE_PROBLEMS | PENDING)
async def create_payout(caller: CallerOf, key: IdempotencyKey, body: wire.CreatePayout) -> Response:
    """Pay out of an account through a provider; the money is held until the bank has it."""
    intent = PayingOut(
        caller.ask("create_payout", key, body), now_of(caller), providers=caller.door.providers,
        account=account_ref(body.account),
        money=read_amount(body.amount, body.currency),
        provider=caller.door.providers.named(caller.credential.tenant_id, body.provider),
        destination_id=known_id(body.destination, "pm", "payment method"), description=body.description,
        mandate_id=known_id(body.mandate, "mnd", "mandate"), acknowledges=acknowledged(body.acknowledge_duplicate),
    )  # fmt: skip
    return await order(caller, intent, _paid)


@router.get("", response_model=Page[wire.Payout], responses=READ_PROBLEMS)
async def list_payouts(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Payouts, newest first."""
    before = read_cursor("po", cursor)
    async with caller.reading("list_payouts") as (tx, _):
        found = await store.list_attempts_of_kind(tx, "payout", before, limit + 1)
    items = [show_payout(attempt) for attempt in found[:limit]]
    return json_response(Page[wire.Payout](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{payout_id}", response_model=wire.Payout, responses=READ_PROBLEMS)
async def get_payout(caller: CallerOf, payout_id: IdPath) -> Response:
    """One payout as it stands."""
    async with caller.reading("get_payout") as (tx, _):
        known = read("po", payout_id)
        found = await store.find_attempt(tx, known) if known else None
        if found is None or found.kind != "payout":
            raise UnknownObject("payout")
        return json_response(show_payout(found))


@router.post("/{payout_id}/lift-quarantine", response_model=wire.Payout, responses=WRITE_PROBLEMS)
async def lift_payout_quarantine(
    caller: CallerOf, key: IdempotencyKey, payout_id: IdPath, body: wire.LiftQuarantine
) -> Response:
    """Go on with a payout whose provider contradicted what was asked: people only.

    The provider is asked again first, whatever is decided. Its cases are resolved with the reason.
    """
    ask = caller.ask("lift_payout_quarantine", key, body, payout_id)
    shop, known = shop_of(caller), read("po", payout_id)
    heard = await lifting_payouts.ask_provider(shop, ask.credential.tenant_id, known) if await caller.may(ask) else None

    async def work(tx: Tx, actor: Actor) -> tuple[Attempt, Happening]:
        return await lifting_payouts.lift(tx, actor, shop, known, body.decision, body.reason, heard)

    return await caller.act(ask, work, lambda payout: json_answer(show_payout(payout)))
