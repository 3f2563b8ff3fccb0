"""Payment intents: made and changed."""

from bursar.simulator import fields
from bursar.simulator.charging import at_least
from bursar.simulator.confirming import (
    BEFORE_CHARGE,
    CARD_OPTIONS,
    CONFIRM,
    card_options,
    confirm_at_once,
    no_types,
    unexpected,
)
from bursar.simulator.customers import method_for
from bursar.simulator.errors import Body, bad_parameter
from bursar.simulator.world import World, new_id

_AUTOMATIC = fields.nested({"enabled": fields.flag, "allow_redirects": fields.choice("always", "never")})
_ABOUT: fields.Fields = {
    "customer": fields.text,
    "description": fields.clearable,
    "metadata": fields.metadata,
    "payment_method": fields.clearable,
    "payment_method_options": CARD_OPTIONS,
    "receipt_email": fields.clearable,
    "setup_future_usage": fields.choice("off_session", "on_session"),
    "statement_descriptor_suffix": fields.clearable,
    "transfer_group": fields.text,
}
_CREATE: fields.Fields = {
    **_ABOUT,
    **CONFIRM,
    "amount": fields.amount,
    "automatic_payment_methods": _AUTOMATIC,
    "confirm": fields.flag,
    "confirmation_method": fields.choice("automatic", "manual"),
    "currency": fields.currency,
    "allowed_payment_method_types": fields.texts,
}


def create(world: World, given: Body) -> Body:
    """POST /v1/payment_intents."""
    no_types(given)
    asked = fields.read(given, _CREATE, ("amount", "currency"))
    at_least(asked["currency"], asked["amount"])
    confirm_now = asked.get("confirm", False)
    for name in () if confirm_now else ("error_on_requires_action", "off_session", "return_url"):
        if name in asked:
            raise bad_parameter(f"{name} can only be passed in when confirm is set to true.", name)
    types, automatic = _ways_to_pay(asked)
    method = method_for(world, asked.get("payment_method"))
    customer = asked.get("customer")
    if customer is not None:
        world.get("customer", customer, "customer", in_path=False)
    intent = world.make(
        "pi",
        "payment_intent",
        amount=asked["amount"],
        allowed_payment_method_types=types,
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        automatic_payment_methods=automatic,
        canceled_at=None,
        cancellation_reason=None,
        capture_method=asked.get("capture_method", "automatic_async"),
        client_secret=None,
        confirmation_method=asked.get("confirmation_method", "automatic"),
        currency=asked["currency"],
        customer=customer,
        description=asked.get("description"),
        last_payment_error=None,
        latest_charge=None,
        metadata=fields.merged({}, asked),
        next_action=None,
        payment_method=method and method["id"],
        payment_method_options={"card": {"request_three_d_secure": "automatic", **card_options(asked)}},
        payment_method_types=["card"],
        processing=None,
        receipt_email=asked.get("receipt_email"),
        setup_future_usage=asked.get("setup_future_usage"),
        shipping=None,
        statement_descriptor=None,
        statement_descriptor_suffix=asked.get("statement_descriptor_suffix"),
        status="requires_confirmation" if method else "requires_payment_method",
        transfer_data=None,
        transfer_group=asked.get("transfer_group"),
    )
    world.save(intent, client_secret=f"{intent['id']}_{new_id('secret')}")
    world.tell("payment_intent.created", intent)
    return confirm_at_once(world, intent, asked) if confirm_now else intent


def update(world: World, given: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}."""
    no_types(given)
    asked = fields.read(given, {**_ABOUT, "amount": fields.amount, "currency": fields.currency})
    intent = world.get("payment_intent", intent_id, "intent")
    fixed = [name for name in ("amount", "currency", "customer", "payment_method") if name in asked]
    if fixed and intent["status"] not in BEFORE_CHARGE:
        raise unexpected(intent, f"'s {fixed[0]} could not be updated", "updated", BEFORE_CHARGE)
    changes = {name: asked[name] for name in asked.keys() - {"metadata", "payment_method", "payment_method_options"}}
    if "amount" in asked or "currency" in asked:
        at_least(asked.get("currency", intent["currency"]), asked.get("amount", intent["amount"]))
    if "customer" in asked:
        world.get("customer", asked["customer"], "customer", in_path=False)
    if "payment_method" in asked:
        method = method_for(world, asked["payment_method"])
        changes["payment_method"] = method and method["id"]
        changes["status"] = "requires_confirmation" if method else "requires_payment_method"
    intent["payment_method_options"]["card"].update(card_options(asked))
    return world.save(intent, metadata=fields.merged(intent["metadata"], asked), last_payment_error=None, **changes)


def _ways_to_pay(asked: Body) -> tuple[list[str] | None, Body | None]:
    """The list of allowed types, or what the Dashboard's settings allow: cards, whichever way."""
    types: list[str] | None = asked.get("allowed_payment_method_types")
    if types is None:
        return None, {"allow_redirects": "always", "enabled": True, **asked.get("automatic_payment_methods", {})}
    if "automatic_payment_methods" in asked:
        raise bad_parameter(
            "You may only specify one of these parameters: allowed_payment_method_types, automatic_payment_methods.",
            "allowed_payment_method_types",
        )
    if "card" not in types:
        raise bad_parameter("The simulator takes cards only.", "allowed_payment_method_types")
    return types, None
