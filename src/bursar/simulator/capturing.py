"""Capturing an authorized payment in one part or several, and ending it."""

from bursar.simulator import fields
from bursar.simulator.charging import release, take
from bursar.simulator.confirming import BEFORE_CHARGE, unexpected
from bursar.simulator.errors import Body, StripeError
from bursar.simulator.world import World

_CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_MOST_CAPTURES = 50


def capture(world: World, given: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}/capture."""
    asked = fields.read(
        given, {"amount_to_capture": fields.amount, "final_capture": fields.flag, "metadata": fields.metadata}
    )
    intent = world.get("payment_intent", intent_id, "intent")
    if intent["status"] != "requires_capture":
        raise unexpected(intent, " could not be captured", "captured", ("requires_capture",))
    amount = asked.get("amount_to_capture", intent["amount_capturable"])
    if amount > intent["amount_capturable"]:
        raise StripeError(
            f"The amount to capture ({amount}) is greater than the amount that can be captured "
            f"({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    made = world.get("charge", intent["latest_charge"])
    last = asked.get("final_capture", True)
    if not last and made["payment_method_details"]["card"]["multicapture"]["status"] != "available":
        raise StripeError(
            "final_capture can only be false when multicapture is available for the charge of this PaymentIntent.",
            param="final_capture",
        )
    if not last and made["_captures"] + 1 >= _MOST_CAPTURES:
        raise StripeError(f"A PaymentIntent can be captured at most {_MOST_CAPTURES} times.", param="final_capture")
    last = last or amount == intent["amount_capturable"]
    take(world, intent, made, amount, last=last)
    world.save(
        intent,
        amount_capturable=0 if last else intent["amount_capturable"] - amount,
        amount_received=intent["amount_received"] + amount,
        metadata=fields.merged(intent["metadata"], asked),
        status="succeeded" if last else "requires_capture",
    )
    world.tell("payment_intent.succeeded" if last else "payment_intent.amount_capturable_updated", intent)
    return intent


def cancel(world: World, given: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}/cancel."""
    asked = fields.read(given, {"cancellation_reason": fields.choice(*_CANCEL_REASONS)})
    intent = world.get("payment_intent", intent_id, "intent")
    allowed = (*BEFORE_CHARGE, "requires_capture", "processing")
    if intent["status"] not in allowed:
        raise unexpected(intent, " could not be canceled", "canceled", allowed)
    return end(world, intent, asked.get("cancellation_reason"))


def end(world: World, intent: Body, reason: str | None, *, expired: bool = False) -> Body:
    """Cancel a payment and let go of what it holds; captured parts stay captured."""
    if intent["status"] == "requires_capture":
        made = world.get("charge", intent["latest_charge"])
        release(world, made, intent["amount_capturable"], "expired_uncaptured_charge" if expired else None)
        world.tell("charge.expired" if expired else "charge.refunded", made)
    received: int = intent["amount_received"]
    world.save(
        intent,
        amount_capturable=0,
        canceled_at=None if received else world.now,
        cancellation_reason=None if received else reason,
        next_action=None,
        status="succeeded" if received else "canceled",
    )
    world.tell("payment_intent.succeeded" if received else "payment_intent.canceled", intent)
    return intent


def expire(world: World, intent_id: str) -> None:
    """The time in which an authorization could be captured is over."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] == "requires_capture":
        end(world, intent, "automatic", expired=True)
