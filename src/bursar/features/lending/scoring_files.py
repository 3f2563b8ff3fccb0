"""Scoring and fitting from files: what the command line asks for, without a database or a network."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bursar.features.lending.features import Features, measure
from bursar.features.lending.fitting import Example, Terms, fit
from bursar.features.lending.mapping import Mapping
from bursar.features.lending.scorecard import Card, Fitted
from bursar.features.lending.scoring import Score, score
from bursar.features.lending.statements import before, read_loans, read_statements
from bursar.features.lending.summary import summarise
from bursar.features.lending.validation import Validation, validate
from bursar.kernel.refusal import InvalidArgument

_FOLDS, _REPEATS = 5, 10


@dataclass(frozen=True, slots=True)
class Scored:
    """An account of a file; `lines_left_out` of it could not be read or came twice."""

    account: str
    lines: int
    lines_left_out: int
    features: Features
    score: Score


def score_file(statements: Path, mapping: Mapping, card: Card) -> list[Scored]:
    """A score for every account that the file names, in its order; refuses a file that is not of the mapping's form."""
    if mapping.currency != card.currency:
        raise InvalidArgument("card", f"is in {card.currency}, and the mapping's statements are in {mapping.currency}")
    scored: list[Scored] = []
    for account, statement in read_statements(statements, mapping).items():
        features = measure(summarise(statement.movements, card.currency, card.under_minor))
        lines = len(statement.movements) + statement.left_out
        scored.append(Scored(account, lines, statement.left_out, features, score(card, features)))
    return scored


def fit_files(
    statements: Path, loans: Path, mapping: Mapping, version: int, under_minor: int, command: str, seed: int
) -> tuple[Card, Validation]:
    """A card from the loans whose accounts have a statement, and how well such cards do on loans they have not seen."""
    terms = Terms(mapping.name, version, mapping.currency, under_minor)
    examples = read_examples(statements, loans, mapping, terms)
    bad = sum(e.is_bad for e in examples)
    if min(bad, len(examples) - bad) < _FOLDS:
        raise InvalidArgument(
            "loans",
            f"{bad} of {len(examples)} with a statement are bad; {_FOLDS} good and {_FOLDS} bad ones are needed",
        )
    fitted = Fitted(
        command=command,
        statements_sha256=_sha256(statements),
        loans_sha256=_sha256(loans),
        loans=len(examples),
        bad=bad,
    )
    card = fit(examples, terms, fitted)
    if not card.ramps:
        raise InvalidArgument("loans", "teach no card: nothing in the statements tells the good ones from the bad ones")
    return card, validate(examples, terms, card, _FOLDS, _REPEATS, seed)


def read_examples(statements: Path, loans: Path, mapping: Mapping, terms: Terms) -> list[Example]:
    """The accounts that have both a loan of known outcome and movements before its day, in the order of their names."""
    granted = read_loans(loans, mapping)
    return [
        Example(account, measure(summarise(known, terms.currency, terms.under_minor)), granted[account].is_bad)
        for account, statement in sorted(read_statements(statements, mapping).items(), key=lambda named: named[0])
        if account in granted and (known := before(statement, granted[account].day))
    ]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
