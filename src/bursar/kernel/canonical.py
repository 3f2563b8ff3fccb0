"""One text for one meaning: the canonical JSON that audit rows keep and request hashes are made of (RFC 8785)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

_HOW = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME


def canonical(value: Json) -> str:
    """JSON in RFC 8785 form for what we write: text, whole numbers within 2**53, booleans, null; ASCII keys.

    TypeError on anything else but a float, which the type alone keeps out.
    """
    return _bytes(value).decode()


def digest(value: Json) -> bytes:
    """SHA-256 of the canonical form: 32 bytes."""
    return hashlib.sha256(_bytes(value)).digest()


def _bytes(value: Json) -> bytes:
    return orjson.dumps(value, option=_HOW)
