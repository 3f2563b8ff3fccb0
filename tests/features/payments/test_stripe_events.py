"""Events of Stripe are believed by their signature, over raw bytes, and name the effects that asking would."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bursar.features.payments import signing
from bursar.features.payments.ports import (
    EventMalformed,
    Follow,
    Payout,
    Report,
    SignatureInvalid,
)
from bursar.features.payments.providers.stripe import StripeProvider
from tests.features.payments.stripes import KEY_1, KEY_2, KEY_3, order, question
from tests.simulated import Receiver, Simulated, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


async def test_events_are_verified_over_raw_bytes_and_name_the_same_effects(
    stripe: StripeProvider, simulator: Simulated, receiver: Receiver
) -> None:
    made = simulator.sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    assert made.secret
    charged = await stripe.charge(order(card="bypassPending"))
    await stripe.follow(Follow(KEY_2, "refund", charged.reference, 1000, "USD"))
    dispute = simulator.control("POST", "disputes", payment_intent=charged.reference, amount=500)
    simulator.sdk.v1.disputes.close(dispute["id"])
    await stripe.pay_out(Payout(KEY_3, 2000, "USD"))
    simulator.advance(2 * 86_400)
    told: dict[str, Report] = {}
    for body, header in receiver.got:
        headers = {"stripe-signature": header}
        event = stripe.read_event(body, headers, ["whsec_new", made.secret], datetime.now(UTC))
        assert stripe.parse_event(body) == event
        if event.report:
            told[event.type] = event.report
    asked = await stripe.ask(question(KEY_1, "charge", charged.reference))
    paid = await stripe.ask(question(KEY_3, "payout", minor=2000))
    assert asked
    assert paid
    known = {one.reference for one in (*asked.effects, *paid.effects)}
    heard = {one.reference for report in told.values() for one in report.effects}
    # The capture is not told with its fee, so it is asked for.
    assert known - heard == {one.reference for one in asked.effects if one.kind == "capture"}
    assert heard <= known
    assert told["payment_intent.succeeded"].key == KEY_1
    assert told["payment_intent.succeeded"].complete is False
    assert (told["refund.created"].key, told["refund.created"].payment) == (KEY_2, charged.reference)
    assert told["payout.paid"].standing == "succeeded"
    assert {kind for kind in told if kind.startswith("charge.dispute")} >= {"charge.dispute.funds_withdrawn"}


def signed(body: bytes, secret: str = "whsec_1", at: datetime | None = None) -> dict[str, str]:
    return {"stripe-signature": signing.signature_of(body, secret, at or datetime.now(UTC))}


EVENT = json.dumps(
    {"id": "evt_1", "object": "event", "type": "customer.created", "created": 1, "data": {"object": {}}}
).encode()


async def test_what_is_not_signed_is_not_read(stripe: StripeProvider) -> None:
    now = datetime.now(UTC)
    assert stripe.read_event(EVENT, signed(EVENT), ["whsec_1"], now).report is None
    for body, headers, secrets in (
        (EVENT + b" ", signed(EVENT), ["whsec_1"]),
        (EVENT, signed(EVENT), ["whsec_2"]),
        (EVENT, signed(EVENT), []),
        (EVENT, {}, ["whsec_1"]),
        (EVENT, signed(EVENT, at=now - timedelta(minutes=6)), ["whsec_1"]),
        (EVENT, signed(EVENT, at=now + timedelta(minutes=6)), ["whsec_1"]),
    ):
        with pytest.raises(SignatureInvalid):
            stripe.read_event(body, headers, secrets, now)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b'{"object": "event"}',
        EVENT.replace(b"customer.created", b"payment_intent.succeeded"),
        EVENT.replace(b"customer.created", b"refund.updated"),
        EVENT.replace(b"customer.created", b"payout.paid"),
        EVENT.replace(b"customer.created", b"charge.dispute.created"),
        EVENT.replace(b'"created": 1', b'"created": 1e30'),
        EVENT.replace(b"evt_1", b"e" * 201),
    ],
)
async def test_what_is_signed_and_cannot_be_read_says_so(stripe: StripeProvider, body: bytes) -> None:
    with pytest.raises(EventMalformed):
        stripe.read_event(body, signed(body), ["whsec_1"], datetime.now(UTC))
