"""The text of an API key: `bk_{live|test}_{keyid}_{secret}{checksum}`.

The key id names the tenant, so that the key is looked up inside its tenant's walls; the checksum lets a typing error
or a scanner be answered without the database.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from bursar.core.identity.model import KeyCredential
from bursar.kernel.ids import made_of

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"(bk_(?:live|test)_([0-9A-Za-z]{33})_([0-9A-Za-z]{43}))([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: `text` is shown once, `secret_hash` is stored."""

    id: int
    text: str
    secret_hash: bytes


def make_key(tenant_id: UUID, *, live: bool) -> NewKey:
    """A key with 256 random bits."""
    key_id = secrets.randbits(63)
    name = _base62(tenant_id.int << 64 | key_id, 33)
    secret = _base62(secrets.randbits(256), 43)
    body = f"bk_{'live' if live else 'test'}_{name}_{secret}"
    return NewKey(key_id, body + _checksum(body), _hash(secret))


@lru_cache(maxsize=1024)
def read_key(text: str) -> KeyCredential | None:
    """What a key's text names; None when it is not one."""
    match = _SHAPE.fullmatch(text)
    if not match or _checksum(match[1]) != match[4]:
        return None
    number = _number(match[2])
    tenant = number >> 64
    if tenant >> 128:
        return None
    return KeyCredential(made_of(tenant.to_bytes(16)), number & (2**63 - 1), _hash(match[3]))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def _base62(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _number(text: str) -> int:
    number = 0
    for character in text:
        number = number * 62 + _DIGITS.index(character)
    return number
