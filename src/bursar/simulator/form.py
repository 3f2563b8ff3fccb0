"""How parameters arrive: form fields whose names nest with brackets, as `metadata[order]=7` and `expand[]=customer`."""

import re
from typing import Any, cast
from urllib.parse import parse_qsl

from bursar.simulator.errors import Body, bad_parameter

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_DEEPEST = 6


def parse(text: str) -> Body:
    """Read `a=1&b[c]=2&d[]=3` into nested dicts and lists of text.

    Raises:
        StripeError: the text is no form, or a name is used in two ways.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=1000)
    except ValueError:
        raise bad_parameter(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded).", ""
        ) from None
    tree: Body = {}
    for name, value in pairs:
        _put(tree, name, value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _put(tree: Body, name: str, value: str) -> None:
    match = _NAME.fullmatch(name)
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else []
    if not steps or len(steps) > _DEEPEST:
        raise bad_parameter(f"Invalid parameter name: {name}", name, "parameter_unknown")
    at = tree
    for step in steps[:-1]:
        below = at.setdefault(step, {})
        if not isinstance(below, dict):
            raise bad_parameter(f"Invalid object: {below}", steps[0])
        at = cast("Body", below)
    last = steps[-1] or str(len(at)) if len(steps) > 1 else steps[-1]
    if isinstance(at.get(last), dict):
        raise bad_parameter(f"Invalid string: {at[last]}", steps[0])
    at[last] = value


def _with_lists(value: Any) -> Any:
    """A level whose names are 0, 1, 2 … is a list."""
    if not isinstance(value, dict):
        return value
    tree = cast("Body", value)
    inner = {name: _with_lists(below) for name, below in tree.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
