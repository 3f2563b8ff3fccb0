"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, one for each secret that is valid."""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme".
_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A new secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_of(secret: str, message_id: str, at_seconds: int, body: bytes) -> str:
    """One signature: `v1,` and base64 of the HMAC over `id.seconds.body`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = b".".join((message_id.encode(), str(at_seconds).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers_of(valid: Sequence[str], message_id: str, at_seconds: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message; a receiver accepts it if one of the signatures is right."""
    signatures = [signature_of(secret, message_id, at_seconds, body) for secret in valid]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(signatures),
    }
