"""An applicant's bank statement, kept as it was handed in, and what a card and the rules see in it. No I/O."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson

from bursar.features.lending.features import measure
from bursar.features.lending.scorecard import Card
from bursar.features.lending.scoring import Score, score
from bursar.features.lending.summary import Movement, Summary, read_summary, summarise
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import InvalidArgument

Origin = Literal["stated", "document", "inferred"]
# Why there is no score: the product names no card or one that is not active, nobody handed a statement in, or an agent
# made it of something.
Unscored = Literal["no_card", "card_not_active", "no_statement", "inferred"]

_LONGEST = timedelta(days=3_660)


class Statement(NamedTuple):
    """A statement; the columns of `loan_statement`. `body` is canonical JSON, `document` one of the application's."""

    application_version: int
    origin: Origin
    document: str | None
    body: str
    body_hash: bytes

    @property
    def told(self) -> dict[str, Json]:
        """What the trail says of it."""
        facts: Any = orjson.loads(self.body)
        of = {kind: len(facts[kind] if kind == "lines" else facts[kind]["months"]) for kind in facts}
        return {"document": self.document, "of": of, "origin": self.origin, "sha256": self.body_hash.hex()}


def statement_of(version: int, origin: Origin, document: str | None, content: Mapping[str, Json]) -> Statement:
    """A statement of `lines`, each `[day, change, balance, kind]` in minor units, or of a `summary` by months."""
    body = canonical(content)
    return Statement(version, origin, document, body, sha256(body.encode()).digest())


def refuse_unfit(statement: Statement, currency: str, card: Card | None, today: date) -> None:
    """Refuse what no card could score, and a summary that the product's own could not."""
    facts: Any = orjson.loads(statement.body)
    if "lines" in facts:
        days = sorted(day for day, *_ in facts["lines"])
        _refuse_days(date.fromisoformat(days[0]), date.fromisoformat(days[-1]), today)
        return
    summary = _read(facts["summary"])
    _refuse_days(summary.months[0].start, summary.months[-1].start, today)
    if summary.currency != currency:
        raise InvalidArgument("summary.currency", f"the application is in {currency}")
    if card and summary.under_minor != card.under_minor:
        under = f"{show_minor(card.under_minor, currency)} {currency}"
        raise InvalidArgument("summary.under_minor", f"must count days under {under}, as {card.scorecard} does")


def _refuse_days(first: date, last: date, today: date) -> None:
    # Where it is tomorrow already, a bank may write so.
    if last > today + timedelta(days=1):
        raise InvalidArgument("day", "lies in the future")
    if last - first > _LONGEST:
        raise InvalidArgument("day", "lies more than ten years from another of the statement")


def _read(summary: Json) -> Summary:
    return read_summary(orjson.dumps(summary).decode())


def assess(
    card: Card | None, statement: Statement | None, currency: str, installment_minor: int, *, is_active: bool
) -> Mapping[str, Json]:
    """What is known of an applicant from their bank, as it is kept with a decision: the same again at any time.

    What an agent inferred counts for nothing. Debt service is measured with the installment that is asked for.
    """
    unscored = _unscored(card, statement, is_active=is_active)
    usable = statement if statement and statement.origin != "inferred" else None
    summary = _summary(usable, currency, card.under_minor if card else 0) if usable else None
    owed = measure(summary, installment_minor) if summary else None
    found = score(card, measure(summary)) if card and summary and not unscored else None
    return {
        "card": [card.scorecard, card.digest] if card else None,
        "measured": {"debt_service_bps": owed.debt_service_bps, "income_minor": owed.income_minor} if owed else None,
        "score": _kept(found) if found else None,
        "statement": [statement.application_version, statement.body_hash.hex()] if statement else None,
        "unscored": unscored,
    }


def _unscored(card: Card | None, statement: Statement | None, *, is_active: bool) -> Unscored | None:
    if card is None:
        return "no_card"
    if not is_active:
        return "card_not_active"
    if statement is None:
        return "no_statement"
    return "inferred" if statement.origin == "inferred" else None


def _summary(statement: Statement, currency: str, under_minor: int) -> Summary:
    facts: Any = orjson.loads(statement.body)
    if "summary" in facts:
        return _read(facts["summary"])
    lines = (Movement(date.fromisoformat(day), *rest) for day, *rest in facts["lines"])
    return summarise(lines, currency, under_minor)


def _kept(found: Score) -> Mapping[str, Json]:
    return {
        "band": found.band,
        "inputs_sha256": found.inputs_sha256,
        "points": found.points,
        "probability": str(found.probability),
        "proposal": found.proposal,
        "reasons": [asdict(reason) for reason in found.reasons],
    }
