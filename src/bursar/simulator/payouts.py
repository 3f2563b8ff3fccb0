"""Payouts: from the balance to a bank account, in days, and not always to the end."""

from bursar.simulator import fields
from bursar.simulator.balances import move, totals
from bursar.simulator.errors import Body, StripeError
from bursar.simulator.world import World

# Bank accounts and what becomes of a payout to them. Stripe's ids stand for account numbers: its documented test
# numbers are named beside them.
DESTINATIONS = {
    "ba_paid": None,  # 000123456789
    "ba_no_account": ("no_account", "No account was found for the number given."),  # 000111111116
    "ba_account_closed": ("account_closed", "The bank account has been closed."),  # 000111111113
    "ba_declined": ("declined", "The bank has declined this transfer."),  # 000222222227
    "ba_fails_late": ("account_closed", "The bank account has been closed."),
}
_SECONDS_UNTIL_LATE = 2 * 86_400


def create(world: World, given: Body) -> Body:
    """POST /v1/payouts."""
    asked = fields.read(
        given,
        {
            "amount": fields.amount,
            "currency": fields.currency,
            "description": fields.clearable,
            "destination": fields.text,
            "metadata": fields.metadata,
            "method": fields.choice("standard"),
            "statement_descriptor": fields.text,
        },
        ("amount", "currency"),
    )
    destination = asked.get("destination", "ba_paid")
    if destination not in DESTINATIONS:
        raise StripeError(f"No such external account: '{destination}'", code="resource_missing", param="destination")
    available, _ = totals(world).get(asked["currency"], (0, 0))
    if asked["amount"] > available:
        raise StripeError(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.  You "
            "can use the the /v1/balance endpoint to view your Stripe balance.",
            code="balance_insufficient",
            param="amount",
        )
    arrives = world.now + world.setting("seconds_until_payout_arrives")
    payout = world.make(
        "po",
        "payout",
        amount=asked["amount"],
        application_fee=None,
        application_fee_amount=None,
        arrival_date=arrives,
        automatic=False,
        balance_transaction=None,
        currency=asked["currency"],
        description=asked.get("description"),
        destination=destination,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        metadata=fields.merged({}, asked),
        method="standard",
        original_payout=None,
        reconciliation_status="not_applicable",
        reversed_by=None,
        source_type="card",
        statement_descriptor=asked.get("statement_descriptor"),
        status="pending",
        type="bank_account",
    )
    moved = move(world, "payout", -payout["amount"], payout, description="STRIPE PAYOUT")
    world.save(payout, balance_transaction=moved["id"])
    world.store.plan(world.now + world.setting("seconds_until_payout_in_transit"), "send_payout", payout["id"])
    world.store.plan(arrives, "arrive_payout", payout["id"])
    world.tell("payout.created", payout)
    return payout


def update(world: World, given: Body, payout_id: str) -> Body:
    """POST /v1/payouts/{id}: its metadata."""
    asked = fields.read(given, {"metadata": fields.metadata})
    payout = world.get("payout", payout_id, "payout")
    before = dict(payout)
    world.save(payout, metadata=fields.merged(payout["metadata"], asked))
    world.tell("payout.updated", payout, before)
    return payout


def cancel(world: World, given: Body, payout_id: str) -> Body:
    """POST /v1/payouts/{id}/cancel: while it has not gone to the bank."""
    fields.read(given, {})
    payout = world.get("payout", payout_id, "payout")
    if payout["status"] != "pending":
        raise StripeError("Payouts can only be canceled while they are pending.", code="payout_not_cancelable")
    _back(world, payout, "payout_cancel", "canceled")
    world.tell("payout.canceled", payout)
    return payout


def send(world: World, payout_id: str) -> None:
    """The payout goes to the bank."""
    payout = world.get("payout", payout_id)
    if payout["status"] == "pending":
        before = dict(payout)
        world.save(payout, status="in_transit")
        world.tell("payout.updated", payout, before)


def arrive(world: World, payout_id: str) -> None:
    """The payout reaches the bank account, or does not."""
    payout = world.get("payout", payout_id)
    if payout["status"] not in ("pending", "in_transit"):
        return
    if DESTINATIONS[payout["destination"]] and payout["destination"] != "ba_fails_late":
        fail(world, payout_id)
        return
    world.save(payout, status="paid")
    if payout["destination"] == "ba_fails_late":
        world.store.plan(world.now + _SECONDS_UNTIL_LATE, "fail_payout", payout_id)
    world.tell("payout.paid", payout)


def fail(world: World, payout_id: str) -> None:
    """The money is back on the balance."""
    payout = world.get("payout", payout_id)
    if payout["status"] in ("failed", "canceled"):
        raise StripeError(f"Payout {payout_id} cannot fail any more.")
    code, message = DESTINATIONS[payout["destination"]] or ("could_not_process", "The bank could not process it.")
    payout.update(failure_code=code, failure_message=message)
    _back(world, payout, "payout_failure", "failed")
    world.tell("payout.failed", payout)


def _back(world: World, payout: Body, kind: str, status: str) -> None:
    moved = move(
        world, kind, payout["amount"], payout, category="payout_reversal", description="STRIPE PAYOUT REVERSAL"
    )
    world.save(payout, failure_balance_transaction=moved["id"], status=status)
