"""One text for one meaning: the canonical JSON that audit rows keep and request hashes are made of (RFC 8785)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Json) -> str:
    """JSON in RFC 8785 form for what we write: text, whole numbers within 2**53, booleans, null; ASCII keys."""
    return _ENCODER.encode(value)


def digest(value: Json) -> bytes:
    """SHA-256 of the canonical form: 32 bytes."""
    return hashlib.sha256(canonical(value).encode()).digest()
