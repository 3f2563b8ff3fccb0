"""What a call may be asked with: every parameter has a reader, and a parameter without one is refused."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from bursar.simulator.errors import Body, bad_parameter

Reader = Callable[[str, Any], Any]
Fields = Mapping[str, Reader]

# Parameters that every call takes.
_ALWAYS = ("expand",)
_LARGEST = 99_999_999


def read(given: Body, fields: Fields, required: tuple[str, ...] = ()) -> Body:
    """Read the parameters of a call; what was not given is not in the result.

    Raises:
        StripeError: a parameter is unknown, missing or no value of its kind.
    """
    for name in given:
        if name not in fields and name not in _ALWAYS:
            raise bad_parameter(f"Received unknown parameter: {name}", name, "parameter_unknown")
    for name in required:
        if name not in given:
            raise bad_parameter(f"Missing required param: {name}.", name, "parameter_missing")
    return {name: fields[name](name, value) for name, value in given.items() if name in fields}


def text(param: str, value: Any) -> str:
    """Text that is not empty, of at most 5,000 characters."""
    if not isinstance(value, str):
        raise bad_parameter(f"Invalid string: {value}", param)
    if not value:
        raise bad_parameter(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a field; "
            f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty "
            "value.",
            param,
            "parameter_invalid_empty",
        )
    if len(value) > 5000:
        raise bad_parameter(f"Invalid string: {value[:5]}…; must be at most 5000 characters", param)
    return value


def clearable(param: str, value: Any) -> str | None:
    """Text, or nothing: the empty text unsets."""
    return None if value == "" else text(param, value)


def integer(param: str, value: Any) -> int:
    """A whole number."""
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise bad_parameter(f"Invalid integer: {value}", param, "parameter_invalid_integer")
    return int(value)


def amount(param: str, value: Any) -> int:
    """Minor units: at least 1, at most 99,999,999."""
    number = integer(param, value)
    if number < 1:
        raise bad_parameter("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    if number > _LARGEST:
        raise bad_parameter("Amount must be no more than $999,999.99", param, "amount_too_large")
    return number


def flag(param: str, value: Any) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise bad_parameter(f"Invalid boolean: {value}", param)
    return value == "true"


def choice(*names: str) -> Reader:
    """One of these words."""

    def reader(param: str, value: Any) -> str:
        if value not in names:
            raise bad_parameter(f"Invalid {param}: must be one of {', '.join(names)}", param)
        return cast("str", value)

    return reader


def nested(fields: Fields) -> Reader:
    """An object with parameters of its own."""

    def reader(param: str, value: Any) -> Body:
        if not isinstance(value, dict):
            raise bad_parameter("Invalid object", param)
        given = cast("Body", value)
        for name in given:
            if name not in fields:
                raise bad_parameter(
                    f"Received unknown parameter: {param}[{name}]", f"{param}[{name}]", "parameter_unknown"
                )
        return {name: fields[name](f"{param}[{name}]", below) for name, below in given.items()}

    return reader


def texts(param: str, value: Any) -> list[str]:
    """A list of texts."""
    if not isinstance(value, list):
        raise bad_parameter("Invalid array", param)
    return [text(param, item) for item in cast("list[Any]", value)]


def metadata(param: str, value: Any) -> dict[str, str] | None:
    """At most 50 names of 40 characters, values of 500; an empty value unsets its name, an empty text all of them."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise bad_parameter("Invalid metadata: must be an object", param)
    given = cast("Body", value)
    for name, item in given.items():
        if not isinstance(item, str):
            raise bad_parameter("Metadata values must be strings, but one is not", param)
        if len(name) > 40 or len(item) > 500 or len(given) > 50:
            raise bad_parameter(
                "Metadata has at most 50 keys, of at most 40 characters, with values of at most 500.", param
            )
    return {name: str(item) for name, item in given.items()}


def merged(old: Mapping[str, str], given: Body) -> dict[str, str]:
    """Metadata after a call that may bring some."""
    if "metadata" not in given:
        return dict(old)
    new: dict[str, str] | None = given["metadata"]
    return {} if new is None else {name: value for name, value in {**old, **new}.items() if value}


def times(param: str, value: Any) -> Body:
    """A time, or a range of times by `gt`, `gte`, `lt` and `lte`, in Unix seconds."""
    if isinstance(value, str):
        moment = integer(param, value)
        return {"gte": moment, "lte": moment}
    return nested({"gt": integer, "gte": integer, "lt": integer, "lte": integer})(param, value)


def currency(param: str, value: Any) -> str:
    """A currency's code, in lower case."""
    word = text(param, value).lower()
    if word not in _CURRENCIES:
        raise bad_parameter(f"Invalid currency: {word}. Stripe currently supports these currencies: usd, eur, …", param)
    return word


_CURRENCIES = frozenset(
    ["aed", "aud", "bgn", "brl", "cad", "chf", "clp", "cny", "czk", "dkk", "eur", "gbp", "hkd", "huf", "idr", "ils",
     "inr", "isk", "jpy", "krw", "mxn", "myr", "nok", "nzd", "php", "pln", "ron", "sek", "sgd", "thb", "try", "twd",
     "usd", "vnd", "zar"]
)  # fmt: skip
