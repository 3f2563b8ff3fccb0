"""Money that goes back or out: refunds, disputes, payouts, and what they leave on the balance."""

import threading
from typing import Any

import pytest
import stripe

from tests.simulated import Simulated


def net(simulator: Simulated) -> int:
    """All that is on the balance, in cents."""
    both = simulator.books()["balance"]["usd"]
    return both["available"] + both["pending"]


def test_refunds_never_go_above_what_was_captured(simulator: Simulated) -> None:
    intent = simulator.pay(10_000)
    refunds = simulator.sdk.v1.refunds
    first = refunds.create({"payment_intent": intent.id, "amount": 6000, "metadata": {"claim": "1"}})
    assert (first.status, first.amount, first.charge) == ("succeeded", 6000, intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError, match=r"\(6000\) is greater than unrefunded amount .* \(4000\)"):
        refunds.create({"payment_intent": intent.id, "amount": 6000})
    # Without an amount it is the rest.
    assert refunds.create({"charge": str(intent.latest_charge)}).amount == 4000
    with pytest.raises(stripe.InvalidRequestError) as raised:
        refunds.create({"payment_intent": intent.id})
    assert raised.value.code == "charge_already_refunded"
    # The fee is not given back.
    assert net(simulator) == -320
    charge = simulator.sdk.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert charge.refunds
    assert (charge.refunded, charge.amount_refunded, len(charge.refunds.data)) == (True, 10_000, 2)
    assert [one.id for one in refunds.list({"payment_intent": intent.id}).data] == [
        one.id for one in charge.refunds.data
    ]
    claim = refunds.update(first.id, {"metadata": {"claim": "2"}}).metadata
    assert claim
    assert claim["claim"] == "2"


def test_of_two_refunds_of_sixty_at_once_on_a_hundred_one_succeeds(simulator: Simulated) -> None:
    intent = simulator.pay(100)
    outcomes: list[str] = []

    def refund() -> None:
        try:
            outcomes.append(str(simulator.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 60}).status))
        except stripe.InvalidRequestError as error:
            outcomes.append(str(error.param))  # pyright: ignore[reportUnknownArgumentType] The SDK does not say.

    threads = [threading.Thread(target=refund) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["amount", "succeeded"]
    assert simulator.books()["payments"][0]["refunded"] == 60


@pytest.mark.parametrize("params", [{}, {"charge": "ch_1", "payment_intent": "pi_1"}])
def test_a_refund_names_one_payment(simulator: Simulated, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="exactly one"):
        simulator.sdk.v1.refunds.create(params)


def test_what_was_not_captured_cannot_be_refunded(simulator: Simulated) -> None:
    intent = simulator.pay(capture_method="manual")
    for params in ({"payment_intent": intent.id}, {"charge": str(intent.latest_charge)}):
        with pytest.raises(stripe.InvalidRequestError, match=r"successful charge|not been captured"):
            simulator.sdk.v1.refunds.create(params)  # pyright: ignore[reportArgumentType] A dict of either.


def test_a_refund_may_take_its_time(simulator: Simulated) -> None:
    refund = simulator.sdk.v1.refunds.create({"payment_intent": simulator.pay(card="pendingRefund").id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    simulator.advance(3600)
    assert simulator.sdk.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_may_come_back_after_it_looked_well(simulator: Simulated) -> None:
    intent = simulator.pay(10_000, card="refundFail")
    refunds = simulator.sdk.v1.refunds
    refund = refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    assert net(simulator) == -320
    simulator.advance(3600)
    refund = refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    back = refund.failure_balance_transaction
    assert isinstance(back, stripe.BalanceTransaction)
    assert (back.amount, back.type) == (10_000, "refund_failure")
    assert net(simulator) == 9680
    # It can be tried anew, and fails again.
    assert refunds.create({"payment_intent": intent.id}).amount == 10_000
    assert simulator.asked("POST", "fail_refund", refund=refund.id)[0] == 400


def test_a_dispute_takes_the_money_and_a_fee_and_gives_the_money_back_when_it_is_won(simulator: Simulated) -> None:
    intent = simulator.pay(10_000, card="createDispute")
    simulator.advance(1)
    disputes = simulator.sdk.v1.disputes
    (dispute,) = disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 10_000)
    assert dispute.is_charge_refundable is False
    (withdrawal,) = dispute.balance_transactions
    assert (withdrawal.amount, withdrawal.fee, withdrawal.net) == (-10_000, 1500, -11_500)
    assert net(simulator) == 9680 - 11_500
    with pytest.raises(stripe.InvalidRequestError) as raised:
        simulator.sdk.v1.refunds.create({"payment_intent": intent.id})
    assert raised.value.code == "charge_disputed"
    dispute = disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert dispute.status == "under_review"
    simulator.advance(1)
    dispute = disputes.retrieve(dispute.id)
    assert (dispute.status, len(dispute.balance_transactions)) == ("won", 2)
    # The fee stays, as it does at Stripe since 2025.
    assert net(simulator) == 9680 - 1500
    assert simulator.sdk.v1.refunds.create({"payment_intent": intent.id}).amount == 10_000


def test_where_the_fee_comes_back_it_does(simulator: Simulated) -> None:
    simulator.control("POST", "settings", dispute_fee_returned=1)
    dispute = simulator.control("POST", "disputes", payment_intent=simulator.pay(10_000).id)
    simulator.sdk.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})
    simulator.advance(1)
    assert net(simulator) == 9680


@pytest.mark.parametrize("how", ["evidence", "close", "silence"])
def test_a_dispute_is_lost(simulator: Simulated, how: str) -> None:
    disputes = simulator.sdk.v1.disputes
    dispute_id: str = simulator.control("POST", "disputes", payment_intent=simulator.pay(10_000).id)["id"]
    if how == "evidence":
        disputes.update(dispute_id, {"evidence": {"uncategorized_text": "losing_evidence"}, "submit": True})
        simulator.advance(1)
    elif how == "close":
        disputes.close(dispute_id)
    else:
        simulator.advance(9 * 86_400)
    dispute = disputes.retrieve(dispute_id)
    assert (dispute.status, len(dispute.balance_transactions)) == ("lost", 1)
    assert dispute.evidence_details.past_due is (how == "silence")
    assert net(simulator) == 9680 - 11_500
    with pytest.raises(stripe.InvalidRequestError):
        disputes.close(dispute_id)


def test_evidence_that_is_not_submitted_decides_nothing(simulator: Simulated) -> None:
    dispute_id: str = simulator.control("POST", "disputes", payment_intent=simulator.pay().id)["id"]
    draft: Any = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": False}
    simulator.sdk.v1.disputes.update(dispute_id, draft)
    simulator.advance(60)
    assert simulator.sdk.v1.disputes.retrieve(dispute_id).status == "needs_response"


def test_a_dispute_may_be_of_more_than_the_payment(simulator: Simulated) -> None:
    intent = simulator.pay(10_000)
    dispute = simulator.control("POST", "disputes", payment_intent=intent.id, amount=12_000, reason="duplicate")
    assert (dispute["amount"], dispute["reason"]) == (12_000, "duplicate")
    assert net(simulator) == 9680 - 13_500


def test_an_inquiry_moves_nothing_until_it_becomes_a_dispute(simulator: Simulated) -> None:
    intent = simulator.pay(10_000, card="createDisputeInquiry")
    simulator.advance(1)
    disputes = simulator.sdk.v1.disputes
    (dispute,) = disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert dispute.is_charge_refundable is True
    assert net(simulator) == 9680
    disputes.update(dispute.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    simulator.advance(1)
    assert disputes.retrieve(dispute.id).status == "needs_response"
    assert net(simulator) == 9680 - 11_500


def test_a_payout_goes_in_days(simulator: Simulated) -> None:
    simulator.pay(10_000, card="bypassPending")
    payouts = simulator.sdk.v1.payouts
    payout = payouts.create({"amount": 9000, "currency": "usd", "metadata": {"week": "47"}})
    assert (payout.status, payout.amount, payout.arrival_date - payout.created) == ("pending", 9000, 2 * 86_400)
    assert net(simulator) == 680
    simulator.advance(3600)
    assert payouts.retrieve(payout.id).status == "in_transit"
    with pytest.raises(stripe.InvalidRequestError):
        payouts.cancel(payout.id)
    simulator.advance(2 * 86_400)
    assert payouts.retrieve(payout.id).status == "paid"
    assert net(simulator) == 680


def test_a_payout_takes_no_more_than_is_available(simulator: Simulated) -> None:
    simulator.pay(10_000)
    with pytest.raises(stripe.InvalidRequestError) as raised:
        simulator.sdk.v1.payouts.create({"amount": 1, "currency": "usd"})
    assert raised.value.code == "balance_insufficient"
    simulator.advance(2 * 86_400)
    assert simulator.sdk.v1.payouts.create({"amount": 9680, "currency": "usd"}).status == "pending"
    with pytest.raises(stripe.InvalidRequestError):
        simulator.sdk.v1.payouts.create({"amount": 1, "currency": "usd"})


@pytest.mark.parametrize("destination", ["ba_no_account", "ba_account_closed", "ba_declined", "ba_fails_late"])
def test_a_payout_that_fails_is_on_the_balance_again(simulator: Simulated, destination: str) -> None:
    simulator.pay(10_000, card="bypassPending")
    payouts = simulator.sdk.v1.payouts
    payout = payouts.create({"amount": 9680, "currency": "usd", "destination": destination})
    simulator.advance(2 * 86_400)
    late = destination == "ba_fails_late"
    assert payouts.retrieve(payout.id).status == ("paid" if late else "failed")
    simulator.advance(2 * 86_400 if late else 0)
    payout = payouts.retrieve(payout.id)
    assert payout.status == "failed"
    assert payout.failure_code
    assert payout.failure_balance_transaction
    assert net(simulator) == 9680


def test_a_payout_is_canceled_while_it_is_pending(simulator: Simulated) -> None:
    simulator.pay(10_000, card="bypassPending")
    payout = simulator.sdk.v1.payouts.create({"amount": 9680, "currency": "usd"})
    assert simulator.sdk.v1.payouts.cancel(payout.id).status == "canceled"
    assert net(simulator) == 9680
    assert simulator.asked("POST", "fail_payout", payout=payout.id)[0] == 400


def test_somebody_can_have_a_payout_fail(simulator: Simulated) -> None:
    simulator.pay(10_000, card="bypassPending")
    payout = simulator.sdk.v1.payouts.create({"amount": 9680, "currency": "usd"})
    assert simulator.control("POST", "fail_payout", payout=payout.id)["status"] == "failed"
    # What was planned for it finds it failed, and leaves it so.
    simulator.advance(5 * 86_400)
    assert net(simulator) == 9680


def test_balance_transactions_are_the_outside_truth(simulator: Simulated) -> None:
    intent = simulator.pay(10_000, card="bypassPending")
    simulator.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    simulator.control("POST", "disputes", payment_intent=intent.id, amount=500)
    simulator.sdk.v1.payouts.create({"amount": 3000, "currency": "usd"})
    simulator.pay(700, currency="eur")
    moved = list(simulator.sdk.v1.balance_transactions.list({"limit": 2}).auto_paging_iter())
    assert [(one.type, one.reporting_category, one.net) for one in moved] == [
        ("charge", "charge", 650),
        ("payout", "payout", -3000),
        ("adjustment", "dispute", -2000),
        ("refund", "refund", -1000),
        ("charge", "charge", 9680),
    ]
    books = simulator.books()
    assert books["sums"]["usd"]["net"] == 9680 - 1000 - 2000 - 3000
    assert books["sums"]["eur"]["net"] == 650
    assert [one.id for one in moved[::-1]] == [one["id"] for one in books["balance_transactions"]]
