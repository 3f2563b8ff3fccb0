"""Refunds: never above what was captured, and not every one goes through."""

from bursar.simulator import fields
from bursar.simulator.balances import move
from bursar.simulator.cards import CARDS
from bursar.simulator.charging import refund_of
from bursar.simulator.errors import Body, StripeError, bad_parameter
from bursar.simulator.world import World

_CREATE: fields.Fields = {
    "amount": fields.amount,
    "charge": fields.text,
    "metadata": fields.metadata,
    "payment_intent": fields.text,
    "reason": fields.choice("duplicate", "fraudulent", "requested_by_customer"),
}


def create(world: World, given: Body) -> Body:
    """POST /v1/refunds."""
    asked = fields.read(given, _CREATE)
    if ("charge" in asked) == ("payment_intent" in asked):
        raise bad_parameter("You must provide exactly one of charge and payment_intent.", "charge", "parameter_missing")
    made = _charge(world, asked)
    # What was authorized and let go counts as refunded, but was never there to give back.
    left: int = made["amount_captured"] + made["_released"] - made["amount_refunded"]
    if made["disputed"] and not _can_be_refunded(world, made):
        raise StripeError(f"Charge {made['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if not left:
        raise StripeError(f"Charge {made['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = asked.get("amount", left)
    if amount > left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    return _refund(world, made, amount, asked)


def _refund(world: World, made: Body, amount: int, asked: Body) -> Body:
    outcome = CARDS[world.get("payment_method", made["payment_method"])["_card"]].refund
    refund = refund_of(
        world,
        made,
        amount,
        reason=asked.get("reason"),
        metadata=fields.merged({}, asked),
        status="pending" if outcome == "pending" else "succeeded",
    )
    moved = move(world, "refund", -amount, refund, description="REFUND FOR CHARGE")
    world.save(refund, balance_transaction=moved["id"])
    refunded = made["amount_refunded"] + amount
    before = dict(made)
    world.save(made, amount_refunded=refunded, refunded=refunded == made["amount"])
    if outcome != "succeeded":
        action = "finish_refund" if outcome == "pending" else "fail_refund"
        world.store.plan(world.now + world.setting("seconds_until_refund_changes"), action, refund["id"])
    world.tell("refund.created", refund)
    world.tell("charge.refunded", made, before)
    return refund


def update(world: World, given: Body, refund_id: str) -> Body:
    """POST /v1/refunds/{id}: its metadata."""
    asked = fields.read(given, {"metadata": fields.metadata})
    refund = world.get("refund", refund_id)
    before = dict(refund)
    world.save(refund, metadata=fields.merged(refund["metadata"], asked))
    world.tell("refund.updated", refund, before)
    return refund


def finish(world: World, refund_id: str) -> None:
    """A refund that took its time has gone through."""
    refund = world.get("refund", refund_id)
    if refund["status"] == "pending":
        before = dict(refund)
        world.save(refund, status="succeeded", pending_reason=None)
        _tell(world, refund, before, "refund.updated")


def fail(world: World, refund_id: str, reason: str = "expired_or_canceled_card") -> None:
    """A refund came back: the money is on the balance again, and the charge can be refunded anew."""
    refund = world.get("refund", refund_id)
    if refund["status"] == "failed" or refund["balance_transaction"] is None:
        raise StripeError(f"Refund {refund_id} cannot fail any more.")
    before = dict(refund)
    moved = move(
        world, "refund_failure", refund["amount"], refund, category="refund_failure", description="REFUND FAILURE"
    )
    world.save(
        refund,
        failure_balance_transaction=moved["id"],
        failure_reason=reason,
        pending_reason=None,
        status="failed",
    )
    made = world.get("charge", refund["charge"])
    world.save(made, amount_refunded=made["amount_refunded"] - refund["amount"], refunded=False)
    _tell(world, refund, before, "refund.failed")


def _tell(world: World, refund: Body, before: Body, kind: str) -> None:
    """Stripe tells of a changed refund under its new name and under its old one."""
    world.tell(kind, refund, before)
    world.tell("charge.refund.updated", refund, before)


def _charge(world: World, asked: Body) -> Body:
    if "charge" in asked:
        made = world.get("charge", asked["charge"], "charge", in_path=False)
        if not made["captured"]:
            raise StripeError(f"Charge {made['id']} has not been captured; cancel its PaymentIntent instead.")
        return made
    intent = world.get("payment_intent", asked["payment_intent"], "payment_intent", in_path=False)
    made = world.get("charge", intent["latest_charge"]) if intent["latest_charge"] else None
    if made is None or not made["captured"]:
        raise StripeError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", param="payment_intent"
        )
    return made


def _can_be_refunded(world: World, made: Body) -> bool:
    """A dispute that took the money stands in the way of a refund until it is won."""
    found = world.store.page("dispute", where={"charge": made["id"]})
    return all(dispute["is_charge_refundable"] for dispute in found)
