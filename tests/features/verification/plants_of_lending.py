"""Applications at their ends, decided by an agent and by people, offered and accepted; and broken."""

from tests.features.lending.applying import Lender
from tests.features.lending.statements import carded, handed_in

AN_AGENT = "(SELECT id FROM principal WHERE kind = 'agent' LIMIT 1)"

PLANTS: list[tuple[str, str]] = [
    ("I70", "UPDATE loan_application SET version = version + 1"),
    ("I70", "DELETE FROM loan_application_event WHERE version = 1"),
    ("I70", "UPDATE loan_application_event SET version = 900 WHERE version = 1"),
    ("I70", "UPDATE loan_application_event SET status = 'draft'"),
    ("I71", "UPDATE loan_decision SET inputs = '{}'"),
    ("I71", "UPDATE loan_offer SET terms = '{}'"),
    ("I71", "UPDATE loan_product SET terms_hash = sha256('')"),
    ("I71", "UPDATE loan_scorecard SET card = '{}'"),
    ("I71", "UPDATE loan_statement SET body = '{}'"),
    ("I72", "UPDATE loan_decision SET outcome = 'review'"),
    ("I72", "UPDATE loan_decision SET outcome = 'approved' WHERE outcome = 'rejected'"),
    ("I72", "DELETE FROM loan_decision"),
    ("I72", "DELETE FROM loan_offer"),
    ("I73", "UPDATE loan_decision SET event_id = gen_random_uuid()"),
    ("I73", "UPDATE decision SET outcome = 'deny' WHERE action = 'decide_application'"),
    ("I73", "UPDATE decision SET action = 'create_transfer'"),
    ("I73", "UPDATE decision SET amount_minor = amount_minor - 1"),
    ("I74", 'UPDATE loan_decision SET judgement = \'{"reasons": [], "says": "review"}\''),
    ("I74", f"/* of what people overrode */ UPDATE loan_decision SET decided_by = {AN_AGENT}"),
]


async def play(lender: Lender) -> None:
    """Play them all."""
    accepted = await lender.submitted("ann")
    approved = await lender.decide("ann", accepted, "approved")
    assert approved.status_code == 200
    path = f"/applications/{accepted['id']}"
    offered = await lender.ok("ann", f"{path}/offer", {"version": 3})
    await lender.ok("ann", f"{path}/accept", {"version": 4, "terms_hash": offered["offer"]["terms_hash"]})
    assert (await lender.decide("ann", await lender.submitted("ann"), "rejected", reason="No.")).status_code == 200
    poor = await lender.submitted("ann", await lender.product(policy={"min_points": 1}))
    assert (await lender.decide("operator", poor, "approved", reason="He inherits.")).status_code == 200
    await lender.ok("ann", "/applications", await lender.wish())
    scored = await lender.submitted("ann", await lender.product(policy={"scorecard": await carded(lender)}))
    assert (await lender.decide("ann", await handed_in(lender, "ann", scored), "approved")).status_code == 200
