"""`/v1/customers` and `/v1/payment-methods`: who pays or is paid, and how, by a provider's references."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.paying import now_of
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.payment_shapes import known_id, show_customer, show_method
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.payments import people, people_store
from bursar.features.payments.model import Customer, Method
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read
from bursar.wire import payments as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1", tags=["payments"], route_class=GatedRoute)


@router.post("/customers", status_code=201, response_model=wire.Customer, responses=WRITE_PROBLEMS)
async def create_customer(caller: CallerOf, body: wire.CreateCustomer, key: OptionalIdempotencyKey = None) -> Response:
    """Enter somebody who pays or is paid."""
    customer = Customer(new_id(), body.name, body.external_id, body.metadata, now_of(caller))

    async def work(tx: Tx, actor: Actor) -> tuple[Customer, Happening]:
        return await people.create_customer(tx, actor, customer)

    ask = caller.ask("create_customer", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_customer(made), 201))


@router.get("/customers", response_model=Page[wire.Customer], responses=READ_PROBLEMS)
async def list_customers(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Customers, oldest first."""
    after = read_cursor("cus", cursor)
    async with caller.reading("list_customers") as (tx, _):
        found = await people_store.list_customers(tx, after, limit + 1)
    items = [show_customer(customer) for customer in found[:limit]]
    return json_response(Page[wire.Customer](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/customers/{customer_id}", response_model=wire.Customer, responses=READ_PROBLEMS)
async def get_customer(caller: CallerOf, customer_id: IdPath) -> Response:
    """One customer."""
    async with caller.reading("get_customer") as (tx, _):
        return json_response(show_customer(await people.find_customer(tx, read("cus", customer_id))))


@router.post("/payment-methods", status_code=201, response_model=wire.PaymentMethod, responses=WRITE_PROBLEMS)
async def create_payment_method(
    caller: CallerOf, body: wire.CreatePaymentMethod, key: OptionalIdempotencyKey = None
) -> Response:
    """Enter how somebody pays, by the provider's reference; where money may be paid out to is for people to enter."""
    provider = caller.door.providers.named(caller.credential.tenant_id, body.provider)
    customer_id = known_id(body.customer, "cus", "customer")
    method = Method(new_id(), customer_id, provider, body.kind, body.reference, body.label, now_of(caller))

    async def work(tx: Tx, actor: Actor) -> tuple[Method, Happening]:
        return await people.create_method(tx, actor, method)

    ask = caller.ask("create_payment_method", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_method(made), 201))


@router.get("/payment-methods", response_model=Page[wire.PaymentMethod], responses=READ_PROBLEMS)
async def list_payment_methods(
    caller: CallerOf,
    customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Payment methods, oldest first."""
    after, whose = read_cursor("pm", cursor), known_id(customer, "cus", "customer")
    async with caller.reading("list_payment_methods") as (tx, _):
        found = await people_store.list_methods(tx, whose, after, limit + 1)
    items = [show_method(method) for method in found[:limit]]
    return json_response(
        Page[wire.PaymentMethod](items=items, next_cursor=items[-1].id if len(found) > limit else None)
    )


@router.get("/payment-methods/{payment_method_id}", response_model=wire.PaymentMethod, responses=READ_PROBLEMS)
async def get_payment_method(caller: CallerOf, payment_method_id: IdPath) -> Response:
    """One payment method."""
    async with caller.reading("get_payment_method") as (tx, _):
        return json_response(show_method(await people.find_method(tx, read("pm", payment_method_id))))
