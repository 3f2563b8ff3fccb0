"""Webhooks: signed as Stripe signs them, tried again, and in whatever order was asked for."""

import json
import socket
from typing import Any

import pytest
import stripe

from tests.simulated import Receiver, Simulated


def endpoint(simulator: Simulated, receiver: Receiver, *kinds: str) -> stripe.WebhookEndpoint:
    events: Any = list(kinds) or ["*"]
    return simulator.sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": events})


def secret_of(made: stripe.WebhookEndpoint) -> str:
    assert made.secret
    return made.secret


def sent(simulator: Simulated) -> int:
    """Have everything that is due sent; how many deliveries that were."""
    return simulator.control("POST", "deliveries")["deliveries"]


def test_events_are_signed_so_that_the_sdk_verifies_them(simulator: Simulated, receiver: Receiver) -> None:
    secret = secret_of(endpoint(simulator, receiver))
    intent = simulator.pay(metadata={"order": "7"})
    simulator.sdk.v1.refunds.create({"payment_intent": intent.id}, {"idempotency_key": "claim-1"})
    sent(simulator)
    events = receiver.events(secret)
    assert [event.type for event in events] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ]
    succeeded = events[2]
    assert succeeded.data.object["metadata"]["order"] == "7"
    assert succeeded.api_version == "2026-10-28.endive"
    assert events[3].request
    assert events[3].request.idempotency_key == "claim-1"
    assert events[4].data.previous_attributes
    assert events[4].data.previous_attributes["amount_refunded"] == 0
    assert simulator.sdk.v1.events.retrieve(succeeded.id).pending_webhooks == 0
    payload, header = receiver.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload + b" ", header, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload, header, "whsec_another")


def test_only_what_was_asked_for_is_sent(simulator: Simulated, receiver: Receiver) -> None:
    made = endpoint(simulator, receiver, "payment_intent.succeeded")
    simulator.pay()
    sent(simulator)
    assert receiver.types() == ["payment_intent.succeeded"]
    endpoints = simulator.sdk.v1.webhook_endpoints
    assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
    simulator.pay()
    assert sent(simulator) == 0
    # The secret is shown once.
    assert not hasattr(endpoints.retrieve(made.id), "secret")
    assert endpoints.delete(made.id).deleted
    assert endpoints.list().data == []


def test_what_was_not_taken_is_tried_again_for_three_days(simulator: Simulated, receiver: Receiver) -> None:
    endpoint(simulator, receiver, "payment_intent.succeeded")
    receiver.status = 500
    simulator.pay()
    sent(simulator)
    assert len(receiver.got) == 1
    simulator.advance(59)
    assert len(receiver.got) == 1
    simulator.advance(1)
    assert len(receiver.got) == 2
    simulator.advance(3 * 86_400)
    tries = len(receiver.got)
    assert tries == 12
    assert len({payload for payload, _ in receiver.got}) == 1
    (delivery,) = simulator.control("GET", "deliveries")["data"]
    assert (delivery["state"], delivery["tries"], delivery["status"]) == ("given_up", tries, 500)
    simulator.advance(30 * 86_400)
    assert len(receiver.got) == tries


def test_what_is_taken_in_the_end_is_not_sent_any_more(simulator: Simulated, receiver: Receiver) -> None:
    secret = secret_of(endpoint(simulator, receiver, "payment_intent.succeeded"))
    receiver.status = 302
    simulator.pay()
    sent(simulator)
    receiver.status = 200
    simulator.advance(3 * 86_400)
    assert [event.type for event in receiver.events(secret)] == ["payment_intent.succeeded"] * 2


def test_nobody_listening_is_a_failed_try(simulator: Simulated) -> None:
    # A port that is taken and not listened on.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        endpoint(simulator, Receiver(f"http://127.0.0.1:{silent.getsockname()[1]}/"), "customer.created")
        simulator.sdk.v1.customers.create({})
        sent(simulator)
    (delivery,) = simulator.control("GET", "deliveries")["data"]
    assert (delivery["state"], delivery["tries"], delivery["status"]) == ("waiting", 1, None)


def test_while_a_secret_is_rolled_both_sign(simulator: Simulated, receiver: Receiver) -> None:
    made = endpoint(simulator, receiver, "customer.created")
    old = secret_of(made)
    new: str = simulator.control("POST", "roll_secret", webhook_endpoint=made.id, seconds=3600)["secret"]
    simulator.sdk.v1.customers.create({})
    sent(simulator)
    assert receiver.got[0][1].count("v1=") == 2
    assert receiver.events(old)[0].id == receiver.events(new)[0].id
    simulator.advance(3600)
    simulator.sdk.v1.customers.create({})
    sent(simulator)
    payload, header = receiver.got[1]
    assert stripe.Webhook.construct_event(payload, header, new)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload, header, old)


def test_an_event_comes_twice(simulator: Simulated, receiver: Receiver) -> None:
    endpoint(simulator, receiver)
    simulator.control("POST", "faults", mode="webhook_duplicate", on="payment_intent.succeeded", copies=2)
    simulator.pay()
    sent(simulator)
    assert receiver.types().count("payment_intent.succeeded") == 3
    assert receiver.types().count("charge.succeeded") == 1
    same = [json.loads(payload)["id"] for payload, _ in receiver.got if b"payment_intent.succeeded" in payload]
    assert len(set(same)) == 1


def test_an_event_comes_late(simulator: Simulated, receiver: Receiver) -> None:
    endpoint(simulator, receiver)
    simulator.control("POST", "faults", mode="webhook_late", on="payment_intent.succeeded", seconds=600)
    simulator.pay()
    simulator.advance(599)
    assert receiver.types() == ["payment_intent.created", "charge.succeeded"]
    simulator.advance(1)
    assert receiver.types()[-1] == "payment_intent.succeeded"


def test_events_come_in_another_order(simulator: Simulated, receiver: Receiver) -> None:
    endpoint(simulator, receiver)
    simulator.control("POST", "faults", mode="webhook_reorder", on="payment_intent.created", seconds=60)
    simulator.pay()
    sent(simulator)
    assert receiver.types() == ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]
    # Where nothing comes after it, it comes by itself in the end.
    simulator.control("DELETE", "faults")
    simulator.control("POST", "faults", mode="webhook_reorder", on="customer.created", seconds=60)
    simulator.sdk.v1.customers.create({})
    sent(simulator)
    assert receiver.types()[-1] != "customer.created"
    simulator.advance(60)
    assert receiver.types()[-1] == "customer.created"


def test_an_event_is_sent_once_more_on_demand(simulator: Simulated, receiver: Receiver) -> None:
    endpoint(simulator, receiver)
    simulator.sdk.v1.customers.create({})
    sent(simulator)
    event_id = json.loads(receiver.got[0][0])["id"]
    simulator.control("POST", "deliveries", event=event_id)
    assert [json.loads(payload)["id"] for payload, _ in receiver.got] == [event_id] * 2


@pytest.mark.parametrize(
    "url", ["http://shop.example/hooks", "http://10.0.0.1/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "hooks"]
)
def test_nothing_is_sent_beyond_this_machine(simulator: Simulated, url: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="this machine"):
        simulator.sdk.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})


def test_what_time_brings_is_told_too(simulator: Simulated, receiver: Receiver) -> None:
    secret = secret_of(endpoint(simulator, receiver))
    simulator.pay(10_000, card="createDispute")
    simulator.advance(1)
    (dispute,) = simulator.sdk.v1.disputes.list().data
    simulator.sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    simulator.advance(2 * 86_400)
    simulator.sdk.v1.payouts.create({"amount": 5000, "currency": "usd"})
    simulator.advance(2 * 86_400)
    kinds = [event.type for event in receiver.events(secret)][3:]
    assert kinds == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
        "payout.created",
        "payout.updated",
        "payout.paid",
    ]
