"""Confirming a payment: what has to come before the charge, and what the customer does then."""

from bursar.simulator import fields
from bursar.simulator.charging import behaviour_of, charge, fail, take
from bursar.simulator.customers import method_for
from bursar.simulator.errors import Body, StripeError, bad_parameter
from bursar.simulator.world import World

CARD_OPTIONS = fields.nested({"card": fields.nested({"request_multicapture": fields.choice("if_available", "never")})})
CONFIRM: fields.Fields = {
    "error_on_requires_action": fields.flag,
    "off_session": fields.flag,
    "payment_method": fields.text,
    "payment_method_options": CARD_OPTIONS,
    "receipt_email": fields.clearable,
    "return_url": fields.text,
    "capture_method": fields.choice("automatic", "automatic_async", "manual"),
}
BEFORE_CHARGE = ("requires_payment_method", "requires_confirmation", "requires_action")


def confirm(world: World, given: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}/confirm."""
    no_types(given)
    asked = fields.read(given, CONFIRM)
    intent = world.get("payment_intent", intent_id, "intent")
    if intent["status"] not in BEFORE_CHARGE[:2]:
        raise unexpected(intent, " could not be confirmed", "confirmed", BEFORE_CHARGE[:2])
    method = method_for(world, asked.get("payment_method"))
    if method:
        intent["payment_method"] = method["id"]
    intent["payment_method_options"]["card"].update(card_options(asked))
    for name in ("capture_method", "receipt_email"):
        intent[name] = asked.get(name, intent[name])
    return confirm_at_once(world, intent, asked)


def confirm_at_once(world: World, intent: Body, asked: Body) -> Body:
    """Try to charge a payment that has what it needs, after what has to come before."""
    automatic: Body | None = intent["automatic_payment_methods"]
    if automatic and asked.get("error_on_requires_action"):
        raise bad_parameter(
            "error_on_requires_action cannot be used with automatic_payment_methods.", "error_on_requires_action"
        )
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and "return_url" not in asked and not asked.get("off_session"):
        raise bad_parameter(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. If "
            "you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents.",
            "return_url",
        )
    if intent["payment_method"] is None:
        raise StripeError(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    intent["last_payment_error"] = None
    card = behaviour_of(world, intent)
    needed = card.authenticate == "always" or (card.authenticate == "once" and not asked.get("off_session"))
    if needed and (asked.get("off_session") or asked.get("error_on_requires_action")):
        code = "authentication_required"
        message = "Your card was declined. This transaction requires authentication."
        fail(world, intent, code, message, decline_code=code)
    if needed:
        return _ask_for_action(world, intent, asked.get("return_url"))
    return go_on(world, intent)


def _ask_for_action(world: World, intent: Body, return_url: str | None) -> Body:
    action: Body = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    if return_url:
        url = f"https://hooks.stripe.com/redirect/authenticate/{intent['id']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    world.save(intent, status="requires_action", next_action=action)
    world.tell("payment_intent.requires_action", intent)
    return intent


def go_on(world: World, intent: Body) -> Body:
    """Charge the card of a payment that nothing stands in the way of any more."""
    intent["next_action"] = None
    options: Body = intent["payment_method_options"]["card"]
    made = charge(world, intent, multicapture=options.get("request_multicapture") == "if_available")
    if intent["capture_method"] == "manual":
        expires = world.now + world.setting("seconds_until_authorization_expires")
        world.store.plan(expires, "expire_authorization", intent["id"])
        world.save(intent, status="requires_capture", amount_capturable=intent["amount"])
        world.tell("payment_intent.amount_capturable_updated", intent)
        return intent
    take(world, intent, made, intent["amount"], last=True)
    world.save(intent, status="succeeded", amount_received=intent["amount"])
    world.tell("payment_intent.succeeded", intent)
    return intent


def authenticate(world: World, intent_id: str, *, succeeds: bool) -> Body:
    """What the customer does when a payment requires action.

    Raises:
        StripeError: the payment requires none, or came to nothing; the customer sees that, not the caller.
    """
    intent = world.get("payment_intent", intent_id, "intent")
    if intent["status"] != "requires_action":
        raise unexpected(intent, " could not be authenticated", "authenticated", ("requires_action",))
    if succeeds:
        return go_on(world, intent)
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    )
    fail(world, intent, "payment_intent_authentication_failure", message, decline_code=None)
    return intent


def no_types(given: Body) -> None:
    """Refuse what Stripe took until 2026-09-30."""
    if "payment_method_types" in given:
        raise bad_parameter(
            "payment_method_types is no longer supported in this API version; use allowed_payment_method_types.",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        )


def card_options(asked: Body) -> Body:
    """What a call says of the payment by card."""
    return asked.get("payment_method_options", {}).get("card", {})


def unexpected(intent: Body, what: str, done: str, allowed: tuple[str, ...]) -> StripeError:
    """The state of a payment does not allow what was asked."""
    return StripeError(
        f"This PaymentIntent{what} because it has a status of {intent['status']}. Only a PaymentIntent with one of the "
        f"following statuses may be {done}: {', '.join(allowed)}.",
        code="payment_intent_unexpected_state",
    )
