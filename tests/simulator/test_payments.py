"""The life of a payment at the simulator, driven by the official SDK as it is."""

import pytest
import stripe

from bursar.simulator.cards import CARDS
from tests.simulated import Simulated


def test_a_payment_is_charged_and_its_money_is_on_the_balance_less_the_fee(simulator: Simulated) -> None:
    intent = simulator.pay(10_000, expand=["latest_charge.balance_transaction"], metadata={"order": "7"})
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 10_000, "7")
    assert isinstance(intent, stripe.PaymentIntent)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    moved = charge.balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    # 2.9 % and 30.
    assert (moved.amount, moved.fee, moved.net, moved.status) == (10_000, 320, 9680, "pending")
    balance = simulator.sdk.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9680)
    simulator.advance(2 * 86_400)
    balance = simulator.sdk.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (9680, 0)


@pytest.mark.parametrize(("amount", "fee"), [(50, 31), (1000, 59), (1017, 59), (1018, 60), (99_999_999, 2_900_030)])
def test_fees_are_whole_and_rounded_half_up(simulator: Simulated, amount: int, fee: int) -> None:
    simulator.pay(amount)
    (moved,) = simulator.sdk.v1.balance_transactions.list().data
    assert (moved.fee, moved.net) == (fee, amount - fee)


def test_making_and_confirming_are_two_steps(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    intent = intents.create({"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"]})
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", None)
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        intents.confirm(intent.id)
    assert intents.update(intent.id, {"payment_method": "pm_card_visa"}).status == "requires_confirmation"
    assert intents.confirm(intent.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as raised:
        intents.confirm(intent.id)
    assert raised.value.code == "payment_intent_unexpected_state"


def test_by_default_the_capture_settles_a_little_later(simulator: Simulated) -> None:
    intent = simulator.pay(capture_method="automatic_async", expand=["latest_charge"])
    assert intent.status == "succeeded"
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert intent.latest_charge.balance_transaction is None
    simulator.advance(2)
    charge = simulator.sdk.v1.charges.retrieve(intent.latest_charge.id)
    assert charge.balance_transaction


def test_without_a_return_url_the_default_payment_methods_cannot_be_confirmed(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    intent = intents.create({"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        intents.confirm(intent.id)
    assert intents.confirm(intent.id, {"return_url": "https://shop.example/done"}).status == "succeeded"


def test_the_types_of_payment_methods_are_no_longer_given(simulator: Simulated) -> None:
    answer = simulator.wire(
        "POST", "/v1/payment_intents", "amount=2000&currency=usd&payment_method_types[]=card", Idempotency_Key="types"
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "payment_method_types_no_longer_supported"
    # It was turned away before any work, so the key is free.
    again = simulator.wire("POST", "/v1/payment_intents", "amount=2000&currency=usd", Idempotency_Key="types")
    assert again.status_code == 200


def test_a_capture_takes_part_and_lets_go_of_the_rest(simulator: Simulated) -> None:
    intent = simulator.pay(2000, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2000)
    assert simulator.books()["sums"] == {}
    intents = simulator.sdk.v1.payment_intents
    with pytest.raises(stripe.InvalidRequestError) as raised:
        intents.capture(intent.id, {"amount_to_capture": 2001})
    assert raised.value.code == "amount_too_large"
    intent = intents.capture(intent.id, {"amount_to_capture": 1500, "expand": ["latest_charge.refunds"]})
    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 1500, 0)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.refunds
    # What is let go of counts as refunded at Stripe, and moves nothing on the balance.
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1500, 500, False)
    assert [(one.amount, one.balance_transaction) for one in charge.refunds.data] == [(500, None)]
    assert simulator.books()["sums"]["usd"]["net"] == 1500 - 74
    with pytest.raises(stripe.InvalidRequestError, match="requires_capture"):
        intents.capture(intent.id)


def test_a_payment_is_captured_several_times_where_that_was_asked_for(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    multi = {"card": {"request_multicapture": "if_available"}}
    intent = simulator.pay(10_000, capture_method="manual", payment_method_options=multi)
    for amount, left in ((3000, 7000), (2000, 5000)):
        intent = intents.capture(intent.id, {"amount_to_capture": amount, "final_capture": False})
        assert (intent.status, intent.amount_capturable) == ("requires_capture", left)
    with pytest.raises(stripe.InvalidRequestError):
        intents.capture(intent.id, {"amount_to_capture": 5001, "final_capture": False})
    # Only what was captured can be refunded, though more is authorized.
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        simulator.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 5001})
    intent = intents.capture(intent.id, {"amount_to_capture": 4000})
    assert (intent.status, intent.amount_received) == ("succeeded", 9000)
    moved = simulator.sdk.v1.balance_transactions.list({"source": str(intent.latest_charge)}).data
    assert [(one.amount, one.fee) for one in moved] == [(4000, 146), (2000, 88), (3000, 117)]


def test_several_captures_need_to_have_been_asked_for(simulator: Simulated) -> None:
    intent = simulator.pay(capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError) as raised:
        simulator.sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": 5, "final_capture": False})
    error = raised.value.error
    assert error
    assert error.param == "final_capture"
    assert simulator.sdk.v1.payment_intents.retrieve(intent.id).amount_capturable == 2000


def test_a_canceled_authorization_moves_nothing(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    intent = simulator.pay(capture_method="manual")
    canceled = intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert simulator.books()["sums"] == {}
    for again in (lambda: intents.cancel(intent.id), lambda: intents.capture(intent.id)):
        with pytest.raises(stripe.InvalidRequestError, match="a status of canceled"):
            again()
    with pytest.raises(stripe.InvalidRequestError, match="a status of succeeded"):
        intents.cancel(simulator.pay().id)


def test_an_authorization_ends_after_seven_days(simulator: Simulated) -> None:
    intent = simulator.pay(capture_method="manual")
    simulator.advance(7 * 86_400 - 1)
    intents = simulator.sdk.v1.payment_intents
    assert intents.retrieve(intent.id).status == "requires_capture"
    simulator.advance(1)
    ended = intents.retrieve(intent.id)
    assert (ended.status, ended.cancellation_reason) == ("canceled", "automatic")


def test_a_capture_of_a_part_survives_the_end_of_the_rest(simulator: Simulated) -> None:
    multi = {"card": {"request_multicapture": "if_available"}}
    intent = simulator.pay(capture_method="manual", payment_method_options=multi)
    intents = simulator.sdk.v1.payment_intents
    intents.capture(intent.id, {"amount_to_capture": 700, "final_capture": False})
    simulator.advance(7 * 86_400)
    ended = intents.retrieve(intent.id)
    assert (ended.status, ended.amount_received, ended.amount_capturable) == ("succeeded", 700, 0)


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.decline and not card.authenticate])
def test_a_declined_card_is_a_card_error_and_leaves_a_failed_charge(simulator: Simulated, name: str) -> None:
    with pytest.raises(stripe.CardError) as raised:
        simulator.pay(card=name)
    decline = CARDS[name].decline
    assert decline
    error = raised.value.error
    assert error
    assert (raised.value.http_status, raised.value.code, error.decline_code) == (402, *decline[:2])
    assert error.payment_intent
    intent = simulator.sdk.v1.payment_intents.retrieve(error.payment_intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error
    assert intent.last_payment_error.code == decline[0]
    (payment,) = simulator.books()["payments"]
    assert (payment["charges"], payment["declines"]) == (0, 1)
    # Another card may do.
    again = simulator.sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_a_customer_authenticates_or_does_not(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    back = "https://shop.example/back"
    asked = simulator.pay(card="authenticationRequired", return_url=back)
    assert asked.status == "requires_action"
    assert asked.next_action
    assert asked.next_action.redirect_to_url
    assert asked.next_action.redirect_to_url.return_url == back
    assert simulator.books()["sums"] == {}
    simulator.control("POST", "authenticate", payment_intent=asked.id)
    assert intents.retrieve(asked.id).status == "succeeded"

    refused = simulator.pay(card="authenticationRequired")
    simulator.control("POST", "authenticate", payment_intent=refused.id, succeeds=False)
    refused = intents.retrieve(refused.id)
    assert refused.status == "requires_payment_method"
    assert refused.last_payment_error
    assert refused.last_payment_error.code == "payment_intent_authentication_failure"
    assert simulator.asked("POST", "authenticate", payment_intent=refused.id)[0] == 400

    poor = simulator.pay(card="authenticationRequiredChargeDeclinedInsufficientFunds")
    simulator.control("POST", "authenticate", payment_intent=poor.id)
    assert intents.retrieve(poor.id).status == "requires_payment_method"


@pytest.mark.parametrize("how", ["off_session", "error_on_requires_action"])
def test_where_nobody_can_authenticate_the_payment_is_declined(simulator: Simulated, how: str) -> None:
    with pytest.raises(stripe.CardError) as raised:
        simulator.pay(card="authenticationRequired", **{how: True})
    assert raised.value.code == "authentication_required"
    assert simulator.pay(card="visa", **{how: True}).status == "succeeded"


def test_customers_and_payment_methods_are_references(simulator: Simulated) -> None:
    v1 = simulator.sdk.v1
    customer = v1.customers.create({"email": "ada@shop.example", "metadata": {"id": "7"}})
    method = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert method.card
    assert method.card.last4 == "4242"
    assert v1.payment_methods.attach(method.id, {"customer": customer.id}).customer == customer.id
    assert [one.id for one in v1.payment_methods.list({"customer": customer.id}).data] == [method.id]
    intent = simulator.pay(payment_method=method.id, customer=customer.id, expand=["customer"])
    assert isinstance(intent.customer, stripe.Customer)
    assert intent.customer.email == "ada@shop.example"
    assert v1.payment_methods.detach(method.id).customer is None
    assert v1.customers.update(customer.id, {"name": "Ada"}).name == "Ada"
    assert v1.customers.delete(customer.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as raised:
        v1.customers.retrieve(customer.id)
    assert (raised.value.http_status, raised.value.code) == (404, "resource_missing")


def test_a_card_number_is_refused(simulator: Simulated) -> None:
    body = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034"
    answer = simulator.wire("POST", "/v1/payment_methods", body)
    assert answer.status_code == 402
    assert "unsafe" in answer.json()["error"]["message"]
