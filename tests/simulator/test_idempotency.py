"""Idempotency keys as Stripe keeps them: what is replayed, what is refused, what leaves the key free."""

import threading
from typing import Any

import pytest
import stripe

from tests.simulated import CARD, Simulated

PAY: Any = {**CARD, "amount": 2000, "payment_method": "pm_card_visa"}
FORM = "amount=2000&currency=usd"


def test_the_same_key_gets_the_same_answer_and_nothing_happens(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    first = intents.create(PAY, {"idempotency_key": "order-7"})
    again = intents.create(PAY, {"idempotency_key": "order-7"})
    assert again.id == first.id
    assert len(simulator.books()["payments"]) == 1
    one, other = first.last_response, again.last_response
    assert one
    assert other
    assert one.body == other.body
    assert "idempotent-replayed" not in one.headers
    assert other.headers["idempotent-replayed"] == "true"
    assert other.headers["original-request"] == one.headers["request-id"] != other.headers["request-id"]
    assert other.headers["idempotency-key"] == "order-7"


def test_the_order_of_parameters_does_not_matter(simulator: Simulated) -> None:
    first = simulator.wire("POST", "/v1/payment_intents", "amount=2000&currency=usd", Idempotency_Key="k")
    again = simulator.wire("POST", "/v1/payment_intents", "currency=usd&amount=2000", Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, first.content)


def test_the_same_key_for_something_else_is_refused(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    intents.create(PAY, {"idempotency_key": "order-7"})
    other: Any = {**PAY, "amount": 2001}
    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with") as raised:
        intents.create(other, {"idempotency_key": "order-7"})
    assert raised.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        simulator.sdk.v1.customers.create({}, {"idempotency_key": "order-7"})
    assert len(simulator.books()["payments"]) == 1
    # Being refused took nothing away.
    assert intents.create(PAY, {"idempotency_key": "order-7"}).amount == 2000


def test_a_decline_is_replayed(simulator: Simulated) -> None:
    declined: Any = {**PAY, "payment_method": "pm_card_chargeDeclined"}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            simulator.sdk.v1.payment_intents.create(declined, {"idempotency_key": "order-7"})
    (payment,) = simulator.books()["payments"]
    assert payment["declines"] == 1


def test_a_refusal_in_the_course_of_the_work_is_replayed(simulator: Simulated) -> None:
    intent = simulator.pay(capture_method="manual")
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
            simulator.sdk.v1.refunds.create({"payment_intent": intent.id}, {"idempotency_key": "refund"})
        simulator.sdk.v1.payment_intents.retrieve(intent.id)
        if simulator.sdk.v1.payment_intents.retrieve(intent.id).status == "requires_capture":
            simulator.sdk.v1.payment_intents.capture(intent.id)
    assert simulator.books()["payments"][0]["refunded"] == 0


@pytest.mark.parametrize(
    "bad", ["amount=twelve&currency=usd", "amount=2000", f"{FORM}&colour=red", f"{FORM}&expand[]=x"]
)
def test_what_does_not_validate_leaves_the_key_free(simulator: Simulated, bad: str) -> None:
    assert simulator.wire("POST", "/v1/payment_intents", bad, Idempotency_Key="k").status_code == 400
    answer = simulator.wire("POST", "/v1/payment_intents", FORM, Idempotency_Key="k")
    assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (200, None)


def test_an_error_of_the_provider_is_replayed_though_it_has_passed(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="error_before", times=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            simulator.sdk.v1.payment_intents.create(PAY, {"idempotency_key": "order-7"})
        assert raised.value.http_status == 500
    assert simulator.books()["payments"] == []


def test_a_key_that_is_in_use_is_told_so(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="slow", times=1, seconds=600)
    slow = threading.Thread(target=_until_cut, args=(simulator,))
    slow.start()
    while not simulator.books()["payments"]:
        pass
    answer = simulator.wire("POST", "/v1/payment_intents", FORM, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    # Another key is free, and so is this one once nobody waits for its answer any more.
    assert simulator.wire("POST", "/v1/payment_intents", FORM, Idempotency_Key="other").status_code == 200
    slow.join()
    while simulator.wire("POST", "/v1/payment_intents", FORM, Idempotency_Key="k").status_code == 409:
        pass
    answer = simulator.wire("POST", "/v1/payment_intents", FORM, Idempotency_Key="k")
    assert answer.headers["idempotent-replayed"] == "true"
    assert len(simulator.books()["payments"]) == 2


def _until_cut(simulator: Simulated) -> None:
    """Somebody who gives up waiting."""
    client = stripe.RequestsClient(timeout=3)
    sdk = stripe.StripeClient("sk_test_slow", base_addresses={"api": simulator.url}, http_client=client)
    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd"}, {"idempotency_key": "k", "max_network_retries": 0}
        )


def test_keys_are_forgotten_after_a_day(simulator: Simulated) -> None:
    intents = simulator.sdk.v1.payment_intents
    first = intents.create(PAY, {"idempotency_key": "order-7"})
    simulator.advance(86_399)
    assert intents.create(PAY, {"idempotency_key": "order-7"}).id == first.id
    simulator.advance(1)
    # Whoever trusts a key for longer pays twice.
    assert intents.create(PAY, {"idempotency_key": "order-7"}).id != first.id


def test_a_key_means_nothing_to_a_read(simulator: Simulated) -> None:
    for _ in range(2):
        answer = simulator.wire("GET", "/v1/balance", Idempotency_Key="k")
        assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (200, None)


@pytest.mark.parametrize("length", [0, 256])
def test_a_key_has_a_length(simulator: Simulated, length: int) -> None:
    assert simulator.wire("POST", "/v1/customers", Idempotency_Key="k" * length).status_code == 400
    assert simulator.wire("POST", "/v1/customers", Idempotency_Key="k" * 255).status_code == 200
