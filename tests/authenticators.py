"""A security key in software: it makes real registrations and assertions, and wrong ones when told to."""

import json
import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bursar.core.authority.security_keys import Assertion, Attestation, RelyingParty

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def base64url(value: bytes) -> str:
    """Bytes as browsers write them."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass(slots=True)
class Authenticator:
    """One credential on P-256; `count` is how often it says it has signed, None where it does not count."""

    party: RelyingParty
    count: int | None = 0
    flags: int = PRESENT | VERIFIED
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)

    def attest(self, challenge: bytes) -> Attestation:
        """What `navigator.credentials.create` answers."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        said: dict[str, object] = {}
        made = {"fmt": "none", "attStmt": said, "authData": self._data(ATTESTED) + attested}
        return Attestation(self._client_data("webauthn.create", challenge), cbor2.dumps(made))

    def sign(self, challenge: bytes, kind: str = "webauthn.get") -> Assertion:
        """What `navigator.credentials.get` answers."""
        if self.count is not None:
            self.count += 1
        client_data, data = self._client_data(kind, challenge), self._data()
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return Assertion(self.id, client_data, data, signature)

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        facts = {"type": kind, "challenge": base64url(challenge), "origin": self.party.origin, "crossOrigin": False}
        return json.dumps(facts).encode()

    def _data(self, more: int = 0) -> bytes:
        return sha256(self.party.id.encode()).digest() + bytes([self.flags | more]) + (self.count or 0).to_bytes(4)
