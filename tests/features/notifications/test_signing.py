"""Signatures that others verify: Standard Webhooks' own library, and the example of its specification."""

from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bursar.features.notifications.signing import headers_of, new_secret, signature_of

BODY = b'{"id": "evt_1", "type": "transfer.posted"}'


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def test_the_example_of_the_specification_has_its_signature() -> None:
    """From the test of the reference libraries: secret, id, time and body, and what they sign to."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = signature_of(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reference_library_takes_what_we_sign() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, dict(headers_of([secret], "evt_1", now(), BODY))) == {
        "id": "evt_1", "type": "transfer.posted",
    }  # fmt: skip


def test_with_two_secrets_whoever_knows_either_takes_it_and_nobody_else() -> None:
    older, newer, foreign = new_secret(), new_secret(), new_secret()
    headers = dict(headers_of([newer, older], "evt_1", now(), BODY))
    for known in (older, newer):
        Webhook(known).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(foreign).verify(BODY, headers)


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "body"])
def test_what_was_changed_on_the_way_is_refused(part: str) -> None:
    secret = new_secret()
    headers = dict(headers_of([secret], "evt_1", now(), BODY))
    body = BODY.replace(b"posted", b"voided") if part == "body" else BODY
    if part != "body":
        headers[part] = str(int(headers[part]) + 1) if part.endswith("timestamp") else "evt_2"
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(secret).verify(body, headers)


def test_what_is_older_than_five_minutes_is_refused() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(BODY, dict(headers_of([secret], "evt_1", now() - 301, BODY)))


def test_secrets_differ_and_have_256_bits() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in made)
