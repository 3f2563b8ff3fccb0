"""How arguments are written into a request: nothing is judged here but what could not be written exactly."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import quote

from bursar.wire.fields import show_time

# Decimal text or a Decimal, in major units. A float is not an amount: 0.1 + 0.2 is 0.30000000000000004.
Amount: TypeAlias = str | Decimal


def given(**arguments: Any) -> Mapping[str, Any] | None:
    """The arguments that were given, as a body or a query; None when there are none."""
    return {name: _written(value) for name, value in arguments.items() if value is not None} or None


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time must name its zone, such as datetime.now(UTC)")
        return show_time(value)
    return value


def exact(amount: Amount | None) -> str | None:
    """An amount as its text; a float (or anything else that is no text or Decimal) is a TypeError."""
    if amount is None or isinstance(amount, str):
        return amount
    if not isinstance(amount, Decimal):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers need not check types
        raise TypeError(f'an amount must be str or Decimal, such as "125.50", not {type(amount).__name__}')
    if not amount.is_finite():
        raise ValueError("an amount must be a finite number")
    return format(amount, "f")


def segment(name: str) -> str:
    """A name as one segment of a path, whatever is in it: never a way to another endpoint."""
    if not name:
        raise ValueError("a name or an id must not be empty")
    return quote(name, safe="").replace(".", "%2E")


def header_text(text: str, argument: str) -> str:
    """What can stand in a header as it is; the error names the argument and never shows it, for it may be a secret."""
    if not (text and text.isascii() and text.isprintable()):
        raise ValueError(f"{argument} must be ASCII text without line ends")
    return text
