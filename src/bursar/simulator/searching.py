"""Stripe's search language: clauses such as `metadata['order']:'7'`, joined by AND or by OR."""

import re
from collections.abc import Callable
from typing import Any

from bursar.simulator.errors import Body, StripeError

_CLAUSE = re.compile(
    r"""\s*(?P<minus>-?)(?P<field>[a-z_]+)(?:\[(?P<quote>['"])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\])?"""
    r"""\s*(?P<op>:|~|>=|<=|>|<)\s*(?:(?P<mark>['"])(?P<text>(?:\\.|(?!(?P=mark)).)*)(?P=mark)|(?P<number>-?\d+)|(?P<null>null))"""
)
_JOIN = re.compile(r"\s+(AND|OR)\s+|\s+", re.IGNORECASE)
_FIELDS = {"amount", "created", "currency", "customer", "metadata", "status"}
_NUMBERS = {"amount", "created"}
_MOST_CLAUSES = 10

Test = Callable[[Body], bool]


def query(text: str) -> Test:
    """Read a query.

    Raises:
        StripeError: it is not in the language, names an unknown field, or mixes AND with OR.
    """
    tests: list[Test] = []
    joins: set[str] = set()
    at = 0
    while True:
        match = _CLAUSE.match(text, at)
        if match is None or len(tests) == _MOST_CLAUSES:
            raise _bad(text)
        tests.append(_test(match, text))
        at = match.end()
        if not text[at:].strip():
            break
        join = _JOIN.match(text, at)
        if join is None:
            raise _bad(text)
        joins.add((join[1] or "AND").upper())
        at = join.end()
    if len(joins) > 1:
        raise _bad(text)
    every = all if joins != {"OR"} else any
    return lambda body: every(test(body) for test in tests)


def _test(match: re.Match[str], text: str) -> Test:
    field, key, operator = match["field"], match["key"], match["op"]
    if field not in _FIELDS or (key is not None) != (field == "metadata"):
        raise _bad(text)
    if (field in _NUMBERS) != (match["number"] is not None) or (operator in ("<", ">", "<=", ">=")) > (
        field in _NUMBERS
    ):
        raise _bad(text)
    if operator == "~" and field != "metadata":
        raise _bad(text)
    wanted = int(match["number"]) if match["number"] else None if match["null"] else _plain(match["text"])

    def agrees(body: Body) -> bool:
        have: Any = body["metadata"].get(_plain(key)) if key is not None else body[field]
        return _compare(operator, have, wanted) != bool(match["minus"])

    return agrees


def _compare(operator: str, have: Any, wanted: Any) -> bool:
    match operator:
        case ":":
            return have == wanted
        case "~":
            return have is not None and wanted is not None and wanted in have
        case ">" | "<":
            return have != wanted and (have > wanted) == (operator == ">")
        case _:
            return have == wanted or (have > wanted) == (operator == ">=")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _bad(text: str) -> StripeError:
    return StripeError(
        f"We were unable to parse your search query: {text!r}. See https://stripe.com/docs/search for its language.",
        param="query",
        saved=False,
    )
