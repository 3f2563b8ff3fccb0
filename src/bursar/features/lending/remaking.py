"""A decision is made again from what is kept of it: the statement and the card its score was made of, and the rules."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from bursar.features.lending.catalog import Product
from bursar.features.lending.evidence import Statement, assess
from bursar.features.lending.policy import even_part, judge
from bursar.features.lending.scorecard import read_card


class Kept(NamedTuple):
    """What is kept of a decision; `statement` and `card` are those that its inputs name, None where they name none."""

    inputs: str
    inputs_hash: bytes
    judgement: str
    terms: str
    statement: Statement | None
    card: str | None


class Remade(NamedTuple):
    """Whether each of the three comes out as it was."""

    inputs_are_those_of_the_hash: bool
    score_is_the_same: bool
    rules_say_the_same: bool


def remake(kept: Kept) -> Remade:
    """Make a decision again. One that was made before there were statements has no score to make."""
    facts: Mapping[str, Any] = orjson.loads(kept.inputs)
    return Remade(
        sha256(kept.inputs.encode()).digest() == kept.inputs_hash,
        "assessment" not in facts or _assessed(kept, facts) == facts["assessment"],
        judge(Product("", 1, kept.terms).facts, kept.inputs).text == kept.judgement,
    )


def _assessed(kept: Kept, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """From the statement's own lines; its hash is made of them again, so that none of another passes."""
    statement = kept.statement
    if statement:
        statement = statement._replace(body_hash=sha256(statement.body.encode()).digest())
    card = read_card(kept.card) if kept.card else None
    is_active = facts["assessment"]["unscored"] != "card_not_active"
    return assess(card, statement, facts["currency"], even_part(facts), is_active=is_active)
