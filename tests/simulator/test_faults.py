"""Every way in which the provider can be made to fail, seen through the official SDK: what happened, what was heard."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from bursar.simulator import faults
from tests.simulated import CARD, KEY, Receiver, Simulated

PAY: Any = {**CARD, "amount": 2000, "payment_method": "pm_card_visa", "metadata": {"order": "7"}}


def pay(simulator: Simulated, key: str = "order-7", timeout: float = 20) -> stripe.PaymentIntent:
    client = stripe.RequestsClient(timeout=timeout)
    sdk = stripe.StripeClient(KEY, base_addresses={"api": simulator.url}, http_client=client, max_network_retries=0)
    return sdk.v1.payment_intents.create(PAY, {"idempotency_key": key})


def effects(simulator: Simulated) -> int:
    """How many payments were really made."""
    return sum(payment["charges"] for payment in simulator.books()["payments"])


# Of each mode that a call meets: the error that is heard, whether the work was done, and what a retry with the same key
# hears: the payment, or the same error again.
HEARD: dict[str, tuple[type[stripe.StripeError] | None, int, str]] = {
    "unavailable": (stripe.APIError, 0, "paid now"),
    "rate_limit": (stripe.RateLimitError, 0, "paid now"),
    "reset_before": (stripe.APIConnectionError, 0, "paid now"),
    "error_before": (stripe.APIError, 0, "the same error"),
    "error_after": (stripe.APIError, 1, "the same error"),
    "timeout_after": (stripe.APIConnectionError, 1, "replayed"),
    "reset_after": (stripe.APIConnectionError, 1, "replayed"),
    "slow": (None, 1, "replayed"),
    "malformed": (stripe.APIError, 1, "replayed"),
    "wrong_amount": (None, 1, "replayed"),
    "wrong_currency": (None, 1, "replayed"),
}


def test_there_are_fourteen_modes_and_each_is_tested() -> None:
    assert len(faults.MODES) == 14
    assert HEARD.keys() | set(faults.WEBHOOK_MODES) == set(faults.MODES)


@pytest.mark.parametrize("mode", HEARD)
def test_a_fault_is_heard_and_a_retry_with_the_same_key_settles_it(simulator: Simulated, mode: str) -> None:
    error, done, then = HEARD[mode]
    waits = {"slow": 0.01, "timeout_after": 600}
    simulator.control("POST", "faults", mode=mode, on="payment_intents.create", times=1, seconds=waits.get(mode, 0))
    if error:
        with pytest.raises(error):
            pay(simulator, timeout=2)
    else:
        pay(simulator)
    assert effects(simulator) == done
    if then == "the same error":
        with pytest.raises(stripe.APIError) as raised:
            pay(simulator)
        assert raised.value.headers
        assert raised.value.headers["idempotent-replayed"] == "true"
        # The key tells nothing any more; the payment is found by one's own reference, if there is one.
        found = simulator.sdk.v1.payment_intents.search({"query": "metadata['order']:'7'"}).data
        assert len(found) == done
    else:
        answer = _once_it_is_free(lambda: pay(simulator))
        assert (answer.status, answer.amount, answer.currency) == ("succeeded", 2000, "usd")
        assert answer.last_response
        assert ("idempotent-replayed" in answer.last_response.headers) == (then == "replayed")
        assert effects(simulator) == 1
    (rule,) = simulator.control("GET", "faults")["data"]
    assert (rule["hits"], rule["mode"]) == (1, mode)
    struck = [one for one in simulator.control("GET", "requests")["data"] if one["fault"]]
    assert [(one["operation"], one["key"], one["fault"]) for one in struck] == [
        ("payment_intents.create", "order-7", mode)
    ]


def _once_it_is_free(call: Callable[[], stripe.PaymentIntent]) -> stripe.PaymentIntent:
    """The simulator sees a moment later that a caller has gone; until then the key is in use."""
    while True:
        try:
            return call()
        except stripe.APIError as error:
            if error.http_status != 409:
                raise


def test_an_answer_may_be_well_formed_and_wrong(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="wrong_amount", times=1)
    simulator.control("POST", "faults", mode="wrong_currency", times=1)
    wrong = pay(simulator)
    assert (wrong.amount, wrong.amount_received, wrong.currency) == (2100, 2100, "usd")
    wrong = pay(simulator, "another")
    assert (wrong.amount, wrong.currency) == (2000, "eur")
    assert [(one["amount"], one["currency"]) for one in simulator.books()["payments"]] == [(2000, "usd")] * 2


def test_half_an_answer_is_no_answer(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="malformed", times=1)
    answer = simulator.wire("GET", "/v1/balance")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_the_sdk_tries_again_by_itself_when_it_is_allowed_to(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="reset_after", times=1)
    intent = simulator.sdk.v1.payment_intents.create(PAY, {"max_network_retries": 2})
    assert intent.status == "succeeded"
    assert effects(simulator) == 1
    first, second = simulator.control("GET", "requests")["data"]
    assert first["key"] == second["key"]
    assert (first["replayed"], second["replayed"]) == (False, True)


def test_rules_look_at_what_they_are_for_and_skip_and_stop(simulator: Simulated) -> None:
    simulator.control("POST", "faults", mode="rate_limit", on="refunds.*", skip=1, times=1)
    intent = simulator.pay()

    def refund() -> str:
        try:
            return str(simulator.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1}).status)
        except stripe.RateLimitError:
            return "limited"

    assert [refund() for _ in range(4)] == ["succeeded", "limited", "succeeded", "succeeded"]
    (rule,) = simulator.control("GET", "faults")["data"]
    assert (rule["seen"], rule["hits"]) == (4, 1)
    assert simulator.control("DELETE", "faults", id=rule["id"]) == {"removed": 1}
    assert simulator.control("GET", "faults")["data"] == []


def test_chance_is_drawn_from_a_seed(simulator: Simulated) -> None:
    def strikes(seed: int) -> list[int]:
        simulator.control("POST", "reset")
        simulator.control("POST", "faults", mode="unavailable", probability=0.5, seed=seed)
        return [simulator.wire("GET", "/v1/balance").status_code for _ in range(20)]

    first = strikes(1)
    assert first == strikes(1) != strikes(2)
    assert set(first) == {200, 503}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"mode": "earthquake"},
        {"mode": "slow", "colour": "red"},
        {"mode": "slow", "seconds": -1},
        {"mode": "slow", "probability": "often"},
        {"mode": "slow", "on": 7},
        {"mode": "slow", "times": -1},
        {"mode": "slow", "skip": True},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(simulator: Simulated, rule: Any) -> None:
    status, answer = simulator.asked("POST", "faults", **rule)
    assert (status, simulator.control("GET", "faults")["data"]) == (400, [])
    assert answer["error"]


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("GET", "nothing", {}),
        ("POST", "clock", {"advance": -1}),
        ("POST", "clock", {"to": 1}),
        ("POST", "clock", {"advance": 1e12}),
        ("POST", "clock", {"advance": "soon"}),
        ("POST", "clock", {"back": 1}),
        ("POST", "settings", {"fee_fixed": -1}),
        ("POST", "settings", {"colour": 1}),
        ("POST", "disputes", {}),
        ("POST", "disputes", {"charge": "ch_unknown"}),
        ("POST", "authenticate", {}),
        ("POST", "fail_refund", {"refund": "re_unknown"}),
        ("POST", "roll_secret", {"webhook_endpoint": "we_unknown"}),
        ("POST", "deliveries", {"event": "evt_unknown"}),
    ],
)
def test_a_control_that_makes_no_sense_says_why(simulator: Simulated, method: str, name: str, body: Any) -> None:
    status, answer = simulator.asked(method, name, **body)
    assert status in (400, 404)
    assert answer["error"]


def test_all_modes_at_once_leave_the_books_in_order_and_each_payment_made_once(
    simulator: Simulated, receiver: Receiver
) -> None:
    simulator.sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    for number, mode in enumerate(faults.MODES):
        if mode not in ("error_before", "error_after", "timeout_after"):
            simulator.control("POST", "faults", mode=mode, probability=0.1, seed=number, seconds=0.01)
    for number in range(60):
        _until_paid(simulator, f"order-{number}")
    simulator.control("DELETE", "faults")
    simulator.advance(3600)
    books = simulator.books()
    assert [payment["charges"] for payment in books["payments"]] == [1] * 60
    assert books["sums"]["usd"]["charge"] == 60 * 2000
    told = [json.loads(payload) for payload, _ in receiver.got]
    paid = {event["data"]["object"]["id"] for event in told if event["type"] == "payment_intent.succeeded"}
    assert paid == {payment["id"] for payment in books["payments"]}
    # Some came twice.
    assert len({event["id"] for event in told}) < len(told)


def _until_paid(simulator: Simulated, key: str) -> None:
    for _ in range(50):
        try:
            intent = pay(simulator, key)
        except stripe.StripeError:
            continue
        if (intent.amount, intent.currency) == (2000, "usd"):
            return
    pytest.fail(f"{key} was never paid")
