"""Charges: what a confirmed payment does to a card, and what a capture does to the balance."""

from typing import Any

from bursar.simulator.balances import charge_fee, move
from bursar.simulator.cards import CARDS, Behaviour, shown
from bursar.simulator.errors import Body, bad_parameter, card_error
from bursar.simulator.world import World


def behaviour_of(world: World, intent: Body) -> Behaviour:
    """How the card of a payment behaves."""
    method = world.get("payment_method", intent["payment_method"])
    return CARDS[method["_card"]]


def charge(world: World, intent: Body, *, multicapture: bool) -> Body:
    """Charge the card, or authorize the amount when it is to be captured by hand.

    Raises:
        StripeError: the card was declined; the failed charge and the payment's state stay.
    """
    card = behaviour_of(world, intent)
    made = world.make(
        "ch",
        "charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        balance_transaction=None,
        billing_details={"address": None, "email": None, "name": None, "phone": None},
        captured=False,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        fraud_details={},
        metadata=intent["metadata"],
        outcome={"network_status": "approved_by_network", "reason": None, "type": "authorized"},
        paid=True,
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details={
            "card": {**shown(card), "multicapture": {"status": "available" if multicapture else "unavailable"}},
            "type": "card",
        },
        receipt_email=intent["receipt_email"],
        refunded=False,
        status="succeeded",
        _captures=0,
        _released=0,
    )
    intent["latest_charge"] = made["id"]
    if card.decline:
        _decline(world, intent, made, *card.decline)
    world.tell("charge.succeeded", made)
    return made


def _decline(world: World, intent: Body, made: Body, code: str, decline_code: str, message: str) -> None:
    world.save(
        made,
        failure_code=code,
        failure_message=message,
        outcome={"network_status": "declined_by_network", "reason": decline_code, "type": "issuer_declined"},
        paid=False,
        status="failed",
    )
    world.tell("charge.failed", made)
    fail(world, intent, code, message, decline_code=decline_code, charge=made["id"])


def fail(world: World, intent: Body, code: str, message: str, *, decline_code: str | None, **more: Any) -> None:
    """Put a payment back to where it needs another payment method, and say so.

    Raises:
        StripeError: always.
    """
    method = world.shown(world.get("payment_method", intent["payment_method"]))
    problem: Body = {"code": code, "message": message, "type": "card_error", "payment_method": method, **more}
    if decline_code:
        problem["decline_code"] = decline_code
    world.save(
        intent, status="requires_payment_method", last_payment_error=problem, next_action=None, payment_method=None
    )
    world.tell("payment_intent.payment_failed", intent)
    raise card_error(
        message, code, decline_code=decline_code, payment_intent=world.shown(intent), payment_method=method, **more
    )


def take(world: World, intent: Body, made: Body, amount: int, *, last: bool) -> None:
    """Capture an amount of a charge; the last capture lets go of the rest."""
    made["amount_captured"] += amount
    made["_captures"] += 1
    if intent["capture_method"] == "automatic_async":
        world.store.plan(world.now + world.setting("seconds_until_async_capture"), "settle_charge", made["id"])
    else:
        settle(world, made, amount)
    rest = made["amount"] - made["amount_captured"]
    world.save(made, captured=True)
    if last and rest:
        release(world, made, rest)
    # Of a charge that is taken at once there is nothing left to tell.
    if intent["capture_method"] == "manual":
        world.tell("charge.captured" if made["_captures"] == 1 else "charge.updated", made)


def settle(world: World, made: Body, amount: int) -> None:
    """Put a captured amount, less the fee, on the balance."""
    card = CARDS[world.get("payment_method", made["payment_method"])["_card"]]
    wait = 0 if card.at_once else world.setting("seconds_until_available")
    moved = move(
        world,
        "charge",
        amount,
        made,
        fee=charge_fee(world, amount),
        description=made["description"],
        available_on=world.now + wait,
    )
    world.save(made, balance_transaction=made["balance_transaction"] or moved["id"])
    if card.dispute and made["_captures"] == 1:
        world.store.plan(world.now + world.setting("seconds_until_dispute"), "dispute_charge", made["id"])


def settle_later(world: World, charge_id: str) -> None:
    """The asynchronous capture of a charge has gone through."""
    made = world.get("charge", charge_id)
    before = dict(made)
    settle(world, made, made["amount_captured"])
    world.tell("charge.updated", made, before)


def refund_of(world: World, made: Body, amount: int, *, reason: str | None, metadata: Body, status: str) -> Body:
    """Make a refund of an amount of a charge; what it moves comes with its balance transaction, if it has one."""
    return world.make(
        "re",
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=made["id"],
        currency=made["currency"],
        customer=made["customer"],
        destination_details={"card": {"type": "refund"}, "type": "card"},
        failure_balance_transaction=None,
        failure_reason=None,
        metadata=metadata,
        payment_intent=made["payment_intent"],
        payment_method=made["payment_method"],
        pending_reason="processing" if status == "pending" else None,
        reason=reason,
        receipt_number=None,
        status=status,
    )


def release(world: World, made: Body, amount: int, reason: str | None = None) -> None:
    """Let go of what was authorized and will not be captured: a refund that moves no money on the balance."""
    refund_of(world, made, amount, reason=reason, metadata={}, status="succeeded")
    refunded = made["amount_refunded"] + amount
    made["_released"] += amount
    world.save(made, amount_refunded=refunded, refunded=refunded == made["amount"])


def at_least(currency: str, amount: int) -> None:
    """Refuse what is less than cards can be charged with.

    Raises:
        StripeError: the amount is too small.
    """
    if amount < _SMALLEST.get(currency, 50):
        raise bad_parameter(
            f"Amount must be at least {_SMALLEST.get(currency, 50)} {currency} in the smallest unit.",
            "amount",
            "amount_too_small",
        )


# In the smallest unit of each currency; what is not named takes 50.
_SMALLEST = {"aed": 200, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500, "mxn": 1000, "nok": 300,
             "pln": 200, "ron": 200, "sek": 300}  # fmt: skip
