"""The gate that every body passes before anything else reads it.

Strict UTF-8 JSON, bounded in depth, without duplicate keys, without numbers that are none, without characters that
hide or reorder text.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any

from bursar.kernel.refusal import InvalidArgument

MOST_DEPTH = 16
MOST_DIGITS = 40

# Control characters, lone surrogates, code points of no character, and all that reorders or hides text: bidi controls,
# line separators, and what Unicode's DerivedCoreProperties.txt lists as Default_Ignorable_Code_Point (zero
# width, fillers, tags, BOM), but for the two selectors that tell an emoji from a letter.
# The planes beyond the first stand apart: one set of all makes the search fifteen times slower.
_BAD_TEXT = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff]"
    "|[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# A string without an end reaches to the end of the body, and nothing is given back once it was taken: whatever is sent,
# each byte is looked at once.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ALL_BUT_BRACKETS_AND_QUOTES = bytes(set(_ALL_BUT_BRACKETS) - set(b'"'))


def read_json(body: bytes) -> Any:
    """Parse a body; numbers stay exact (int or Decimal). Refuses with `invalid_argument`; never echoes the input."""
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise InvalidArgument("body", "is not UTF-8") from None
    if _is_too_deep(body):
        raise InvalidArgument("body", f"is nested deeper than {MOST_DEPTH}, or has brackets that are not closed")
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise InvalidArgument("body", f"is not JSON (at character {error.pos})") from None
    # A shape without required fields would take a Decimal for an object that has none of them.
    if type(value) not in (dict, NoneType):
        raise InvalidArgument("body", "is not a JSON object")
    # Of bad ASCII the parser leaves only this one in strings.
    if "\\" in text or ("\x7f" in text if text.isascii() else _BAD_TEXT.search(text)):
        _refuse_bad_text(value)
    return value


def refuse_bad_text(text: str, argument: str) -> None:
    """Refuse text with control, bidi or zero-width characters or lone surrogates: it is never stripped."""
    if _BAD_TEXT.search(text):
        raise InvalidArgument(argument, "contains control, invisible or reordering characters")


def _decoded(text: str) -> Any:
    """Without the decoder's search for blanks around the object, where there are none."""
    if text.startswith("{") and text.endswith("}"):
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    return _DECODER.decode(text)


def _is_too_deep(body: bytes) -> bool:
    """Look before parsing, which would recurse: without strings a body is brackets, and each round takes a level."""
    if body.count(b"[") + body.count(b"{") <= MOST_DEPTH:
        return False
    if b"\\" not in body:
        # Then every quote begins or ends a string, and two that meet may go: few strings have a bracket in them.
        body = body.translate(None, _ALL_BUT_BRACKETS_AND_QUOTES).replace(b'""', b"")
    brackets = _STRING.sub(b"", body).translate(_ONE_KIND, _ALL_BUT_BRACKETS)
    for _ in range(MOST_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets


def _whole(token: str) -> int:
    if len(token) > MOST_DIGITS:
        raise InvalidArgument("body", "has a number of too many digits")
    return int(token)


def _exact(token: str) -> Decimal:
    if len(token) > MOST_DIGITS:
        raise InvalidArgument("body", "has a number of too many digits")
    try:
        return Decimal(token)
    except InvalidOperation:
        raise InvalidArgument("body", "has a number whose exponent is out of reach") from None


def _no_constant(token: str) -> Any:
    raise InvalidArgument("body", "has NaN or Infinity, which JSON does not know")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidArgument("body", "names a field twice")
    return found


def _refuse_bad_text(value: Any) -> None:
    for text in _texts(value):
        refuse_bad_text(text, "body")


# Made once: making one takes as long as reading a transfer with it.
_DECODER = json.JSONDecoder(
    parse_int=_whole, parse_float=_exact, parse_constant=_no_constant, object_pairs_hook=_without_duplicates
)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():  # pyright: ignore[reportUnknownVariableType] -- any JSON
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] -- any JSON
            yield from _texts(item)
