"""`/v1/holds`: create, get, capture, release."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import PENDING, CallerOf, IdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, answer_of
from bursar.api.routes.limits import authority_facts_of
from bursar.api.routes.refs import IdPath, account_ref
from bursar.api.routing import GatedRoute
from bursar.core.authority.model import Told
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import Hold
from bursar.core.ledger.orders import CaptureHold, Order, PlaceHold, ReleaseHold
from bursar.core.ledger.outcomes import Done
from bursar.kernel.canonical import Json
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import Refusal, UnknownObject
from bursar.wire import holds as wire
from bursar.wire.mandates import Authorised

router = APIRouter(prefix="/v1/holds", tags=["holds"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Hold, responses=WRITE_PROBLEMS | PENDING)
async def create_hold(caller: CallerOf, key: IdempotencyKey, body: wire.CreateHold) -> Response:
    """Set funds aside: they stay on the account but nobody else can spend them."""
    money = read_amount(body.amount, body.currency)
    target = account_ref(body.target) if body.target is not None else None

    def orders(actor: Actor) -> list[Order]:
        return [
            PlaceHold(
                new_id(), new_id(), account_ref(body.account), target, money, body.expires_at, body.description,
                body.metadata, "world:move" in actor.scopes,
            )
        ]  # fmt: skip

    return await caller.move(caller.ask("create_hold", key, body), orders, _one_hold(caller.request_id, 201))


@router.get("/{hold_id}", response_model=wire.Hold, responses=READ_PROBLEMS)
async def get_hold(caller: CallerOf, hold_id: IdPath) -> Response:
    """One hold."""
    async with caller.reading("get_hold") as (tx, _):
        return json_response(show_hold(await reading.find_hold(tx, read("hold", hold_id))))


@router.post("/{hold_id}/capture", response_model=wire.Hold, responses=WRITE_PROBLEMS | PENDING)
async def capture_hold(
    caller: CallerOf, key: IdempotencyKey, hold_id: IdPath, body: wire.CaptureHold | None = None
) -> Response:
    """Post a hold, in full or in part; what is not captured is released."""
    asked = body or wire.CaptureHold()
    target = account_ref(asked.target) if asked.target is not None else None

    def orders(actor: Actor) -> list[Order]:
        world = "world:move" in actor.scopes
        return [CaptureHold(new_id(), new_id(), _known(hold_id), asked.amount, target, world)]

    ask = caller.ask("capture_hold", key, asked, hold_id)
    return await caller.move(ask, orders, _one_hold(caller.request_id, 200))


@router.post("/{hold_id}/release", response_model=wire.Hold, responses=WRITE_PROBLEMS)
async def release_hold(caller: CallerOf, key: IdempotencyKey, hold_id: IdPath) -> Response:
    """Give the held funds back."""
    ask = caller.ask("release_hold", key, None, hold_id)
    return await caller.move(
        ask, lambda _: [ReleaseHold(new_id(), _known(hold_id))], _one_hold(caller.request_id, 200)
    )  # fmt: skip


def _known(hold_id: str) -> UUID:
    found = read("hold", hold_id)
    if found is None:
        raise UnknownObject("hold")
    return found


def _one_hold(request_id: str, status: int) -> Callable[[Sequence[Told]], Answer]:
    def answer(outcomes: Sequence[Told]) -> Answer:
        (outcome,) = outcomes
        if isinstance(outcome, Refusal):
            return answer_of(outcome, request_id)
        assert isinstance(outcome, Done)
        assert outcome.hold
        return json_answer(show_hold(outcome.hold, authority_facts_of(outcome)), status)

    return answer


def show_hold(hold: Hold, authority: Mapping[str, Json] | None = None) -> wire.Hold:
    """A hold as the wire shows it."""
    return wire.Hold(
        id=show("hold", hold.id),
        status=hold.status,
        account_id=show("acct", hold.account_id),
        target_id=show("acct", hold.target_id) if hold.target_id else None,
        amount=show_minor(hold.amount_minor, hold.currency),
        captured_amount=show_minor(hold.captured_minor, hold.currency),
        currency=hold.currency,
        description=hold.description,
        metadata=dict(hold.metadata),
        placed_at=hold.placed_at,
        expires_at=hold.expires_at,
        transfer_id=show("tr", hold.entry_id) if hold.entry_id else None,
        authority=Authorised.model_validate(authority) if authority else None,
    )
