"""The signature that providers put on what they tell us, in the scheme of Stripe: HMAC-SHA256 over time and raw bytes.

`Stripe-Signature: t=1492774577,v1=5257a8…`: over `1492774577.` and the body; see https://docs.stripe.com/webhooks/signature.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from bursar.features.payments.ports import SignatureInvalid

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300
# What is longer was not written by a provider; nobody shall make us compare for ever.
_MOST_CHARACTERS = 2_000


def signature_of(body: bytes, secret: str, at: datetime) -> str:
    """The value of the header for a body that is signed at a time."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_hmac(seconds, body, secret)}"


def _hmac(seconds: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(body: bytes, header: str | None, secrets: Sequence[str], now: datetime) -> None:
    """Refuse what none of the secrets has signed over these very bytes, within five minutes of now."""
    if not header or len(header) > _MOST_CHARACTERS:
        raise SignatureInvalid("there is no signature")
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise SignatureInvalid("the signature has no time")
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise SignatureInvalid("the signature is too old or too new")
    expected = [_hmac(times[0], body, secret) for secret in secrets]
    given = [signature.encode("utf-8", "replace") for signature in signatures]
    # All are compared, so that the time it takes tells nothing.
    matches = [hmac.compare_digest(one.encode(), other) for one in expected for other in given]
    if not any(matches):
        raise SignatureInvalid("no secret has signed this")
