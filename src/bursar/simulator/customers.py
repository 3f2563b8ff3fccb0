"""Customers and payment methods: references, never card numbers."""

from bursar.simulator import fields
from bursar.simulator.cards import CARDS, shown
from bursar.simulator.errors import Body, StripeError, missing
from bursar.simulator.world import World

_ABOUT: fields.Fields = {
    "description": fields.clearable,
    "email": fields.clearable,
    "metadata": fields.metadata,
    "name": fields.clearable,
    "phone": fields.clearable,
}
_RAW_NUMBER = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that "
    "map to the test card you are using, see https://stripe.com/docs/testing."
)


def create(world: World, given: Body) -> Body:
    """POST /v1/customers."""
    asked = fields.read(given, _ABOUT)
    customer = world.make(
        "cus",
        "customer",
        balance=0,
        delinquent=False,
        **{name: asked.get(name) for name in ("description", "email", "name", "phone")},
        metadata=fields.merged({}, asked),
    )
    world.tell("customer.created", customer)
    return customer


def update(world: World, given: Body, customer_id: str) -> Body:
    """POST /v1/customers/{id}."""
    asked = fields.read(given, _ABOUT)
    customer = world.get("customer", customer_id)
    before = dict(customer)
    world.save(customer, **{**asked, "metadata": fields.merged(customer["metadata"], asked)})
    world.tell("customer.updated", customer, before)
    return customer


def delete(world: World, given: Body, customer_id: str) -> Body:
    """DELETE /v1/customers/{id}."""
    fields.read(given, {})
    customer = world.get("customer", customer_id)
    world.store.delete(customer_id)
    world.tell("customer.deleted", customer)
    return {"id": customer_id, "object": "customer", "deleted": True}


def create_method(world: World, given: Body) -> Body:
    """POST /v1/payment_methods."""
    card = given.get("card")
    if isinstance(card, dict) and "number" in card:
        raise StripeError(_RAW_NUMBER, status=402, kind="card_error", saved=False)
    asked = fields.read(
        given,
        {"card": fields.nested({"token": fields.text}), "metadata": fields.metadata, "type": fields.choice("card")},
        ("card", "type"),
    )
    token: str = asked["card"].get("token", "")
    name = token.removeprefix("tok_")
    if name not in CARDS or name == token:
        raise missing("token", token, "card[token]")
    return _make(world, name, fields.merged({}, asked))


def attach(world: World, given: Body, method_id: str) -> Body:
    """POST /v1/payment_methods/{id}/attach."""
    asked = fields.read(given, {"customer": fields.text}, ("customer",))
    world.get("customer", asked["customer"], "customer", in_path=False)
    method = _found(world, method_id, in_path=True)
    if method["customer"] not in (None, asked["customer"]):
        raise StripeError("The payment method you provided has already been attached to a customer.")
    world.save(method, customer=asked["customer"])
    world.tell("payment_method.attached", method)
    return method


def detach(world: World, given: Body, method_id: str) -> Body:
    """POST /v1/payment_methods/{id}/detach."""
    fields.read(given, {})
    method = world.get("payment_method", method_id)
    if method["customer"] is None:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = dict(method)
    world.save(method, customer=None)
    world.tell("payment_method.detached", method, before)
    return method


def method_for(world: World, method_id: str | None) -> Body | None:
    """The payment method a payment names; a test payment method becomes a fresh one of its kind."""
    return None if method_id is None else _found(world, method_id, in_path=False)


def _found(world: World, method_id: str, *, in_path: bool) -> Body:
    name = method_id.removeprefix("pm_card_")
    if name != method_id and name in CARDS:
        return _make(world, name, {})
    return world.get("payment_method", method_id, "payment_method", in_path=in_path)


def _make(world: World, name: str, metadata: Body) -> Body:
    card = {**shown(CARDS[name]), "checks": {"cvc_check": "pass"}, "three_d_secure_usage": {"supported": True}}
    return world.make(
        "pm",
        "payment_method",
        allow_redisplay="unspecified",
        billing_details={"address": None, "email": None, "name": None, "phone": None},
        card=card,
        customer=None,
        metadata=metadata,
        type="card",
        _card=name,
    )
