"""Disputes: the money goes at once, a fee with it, and comes back if the dispute is won."""

from bursar.simulator import fields
from bursar.simulator.balances import move
from bursar.simulator.cards import CARDS
from bursar.simulator.errors import Body, StripeError
from bursar.simulator.world import World

_OPEN = ("needs_response", "warning_needs_response")
_CLOSED = ("won", "lost", "warning_closed")


def open_by_card(world: World, charge_id: str) -> None:
    """The holder of one of the test cards that dispute."""
    made = world.get("charge", charge_id)
    card = CARDS[world.get("payment_method", made["payment_method"])["_card"]]
    assert card.dispute
    inquiry = card.dispute == "inquiry"
    open_dispute(world, made, made["amount_captured"], "fraudulent" if inquiry else card.dispute, inquiry=inquiry)


def open_dispute(world: World, made: Body, amount: int, reason: str, *, inquiry: bool = False) -> Body:
    """Dispute an amount of a charge, which may be more than was captured; an inquiry moves no money."""
    due_by = world.now + world.setting("seconds_to_answer_a_dispute")
    dispute = world.make(
        "dp",
        "dispute",
        amount=amount,
        balance_transactions=[],
        charge=made["id"],
        currency=made["currency"],
        enhanced_eligibility_types=[],
        evidence={"uncategorized_text": None},
        evidence_details={"due_by": due_by, "has_evidence": False, "past_due": False, "submission_count": 0},
        is_charge_refundable=inquiry,
        metadata={},
        network_reason_code="10.4",
        payment_intent=made["payment_intent"],
        payment_method_details={
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        _moved=[],
    )
    world.save(made, disputed=True)
    world.store.plan(due_by, "close_dispute", dispute["id"])
    world.tell("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def _withdraw(world: World, dispute: Body) -> None:
    before = world.shown(dispute)
    moved = move(
        world,
        "adjustment",
        -dispute["amount"],
        dispute,
        fee=world.setting("dispute_fee"),
        category="dispute",
        description=f"Chargeback withdrawal for {dispute['charge']}",
    )
    world.save(dispute, _moved=[*dispute["_moved"], moved["id"]], is_charge_refundable=False)
    world.tell("charge.dispute.funds_withdrawn", dispute, before)


def update(world: World, given: Body, dispute_id: str) -> Body:
    """POST /v1/disputes/{id}: hand in evidence."""
    asked = fields.read(
        given,
        {
            "evidence": fields.nested({"uncategorized_text": fields.text}),
            "metadata": fields.metadata,
            "submit": fields.flag,
        },
    )
    dispute = world.get("dispute", dispute_id, "dispute")
    if dispute["status"] not in _OPEN and ("evidence" in asked or "submit" in asked):
        raise StripeError("This dispute is already closed or under review.", code="dispute_not_open")
    before = world.shown(dispute)
    dispute["evidence"].update(asked.get("evidence", {}))
    dispute["metadata"] = fields.merged(dispute["metadata"], asked)
    details = dispute["evidence_details"]
    details["has_evidence"] = dispute["evidence"]["uncategorized_text"] is not None
    if asked.get("submit", "evidence" in asked):
        details["submission_count"] += 1
        inquiry = dispute["status"].startswith("warning")
        dispute["status"] = "warning_under_review" if inquiry else "under_review"
        world.store.plan(world.now + world.setting("seconds_until_dispute_decided"), "decide_dispute", dispute_id)
    world.save(dispute)
    world.tell("charge.dispute.updated", dispute, before)
    return dispute


def close(world: World, given: Body, dispute_id: str) -> Body:
    """POST /v1/disputes/{id}/close: give in."""
    fields.read(given, {})
    dispute = world.get("dispute", dispute_id, "dispute")
    if dispute["status"] not in _OPEN:
        raise StripeError("This dispute is already closed.", code="dispute_not_open")
    return end(world, dispute, won=False)


def decide(world: World, dispute_id: str) -> None:
    """The bank has read the evidence; Stripe's test texts say how it decides, any other text loses nothing yet."""
    dispute = world.get("dispute", dispute_id)
    words = dispute["evidence"]["uncategorized_text"]
    if dispute["status"] in _CLOSED:
        return
    if words == "escalate_inquiry_evidence" and dispute["status"] == "warning_under_review":
        before = world.shown(dispute)
        world.save(dispute, status="needs_response")
        world.tell("charge.dispute.updated", dispute, before)
        _withdraw(world, dispute)
    elif words in ("winning_evidence", "losing_evidence"):
        end(world, dispute, won=words == "winning_evidence")


def lapse(world: World, dispute_id: str) -> None:
    """Nobody answered in time."""
    dispute = world.get("dispute", dispute_id)
    if dispute["status"] in _OPEN:
        dispute["evidence_details"]["past_due"] = True
        end(world, dispute, won=False)


def end(world: World, dispute: Body, *, won: bool) -> Body:
    """Close a dispute; if it is won the money comes back, and the fee where it is returned."""
    if dispute["status"] in _CLOSED:
        raise StripeError("This dispute is already closed.", code="dispute_not_open")
    before = world.shown(dispute)
    inquiry = dispute["status"].startswith("warning")
    status = "warning_closed" if inquiry else "won" if won else "lost"
    world.save(dispute, status=status, is_charge_refundable=inquiry or won)
    if status == "won":
        moved = move(
            world,
            "adjustment",
            dispute["amount"],
            dispute,
            fee=-world.setting("dispute_fee") if world.setting("dispute_fee_returned") else 0,
            category="dispute_reversal",
            description=f"Chargeback reversal for {dispute['charge']}",
        )
        world.save(dispute, _moved=[*dispute["_moved"], moved["id"]])
        world.tell("charge.dispute.funds_reinstated", dispute, before)
    world.tell("charge.dispute.closed", dispute, before)
    return dispute
