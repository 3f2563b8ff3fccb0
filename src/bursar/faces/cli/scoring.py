"""What `bursar lending fit` and `score` print and write."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bursar.features.lending import scoring_files
from bursar.features.lending.mapping import find_mapping
from bursar.features.lending.picture import draw
from bursar.features.lending.scorecard import Card, find_card, write_card
from bursar.features.lending.scoring_files import Scored
from bursar.features.lending.validation import Validation
from bursar.kernel.money import read_amount
from bursar.kernel.refusal import InvalidArgument


def fit(
    statements: Path,
    loans: Path,
    mapping: str,
    out: Path,
    plot: Path | None,
    version: int,
    under: str,
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Fit a card, write it, draw the picture if it is asked for, and print the report."""
    known = find_mapping(mapping)
    under_minor = read_amount(under, known.currency, "under").minor
    command = (
        f"bursar lending fit {statements.name} {loans.name} --mapping {known.name}"
        f" --card-version {version} --under {under} --out {out.name}"
    )
    card, found = scoring_files.fit_files(statements, loans, known, version, under_minor, command, seed)
    _write(out, write_card(card), "out")
    if plot:
        _write(plot, draw(found), "plot")
    if as_json:
        _print_json(asdict(found))
    else:
        _print_report(card, found, out)


def score(statements: Path, mapping: str, card: Path | None, *, as_json: bool) -> None:
    """Print the score of every account."""
    scored = scoring_files.score_file(statements, find_mapping(mapping), find_card(card))
    if as_json:
        _print_lines([_facts(one) for one in scored])
    else:
        _print_scores(scored)


def _write(file: Path, text: str, argument: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidArgument(argument, f"cannot be written: {error}") from error


def _facts(one: Scored) -> dict[str, Any]:
    return {
        "account": one.account,
        **asdict(one.score),
        "probability": float(one.score.probability),
        "features": asdict(one.features),
        "lines": one.lines,
        "lines_left_out": one.lines_left_out,
    }


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _print_lines(values: list[dict[str, Any]]) -> None:
    """A JSON array with a line for each account."""
    sys.stdout.write("[\n" + ",\n".join(orjson.dumps(value).decode() for value in values) + "\n]\n")


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, markup=False)


def _print_scores(scored: list[Scored]) -> None:
    table = Table("account", "probability", "points", "band", "proposal", "reasons")
    for one in scored:
        found = one.score
        account = one.account if one.account.isprintable() else ascii(one.account)
        reasons = "\n".join(reason.text for reason in found.reasons)
        table.add_row(account, str(found.probability), str(found.points), found.band, found.proposal, reasons)
    _console().print(table)


def _print_report(card: Card, found: Validation, out: Path) -> None:
    console = _console()
    console.print(f"Card {card.name} version {card.version} of {found.loans} loans, {found.bad} of them bad: {out}")
    console.print(
        f"On loans it had not seen ({found.folds} folds, {found.repeats} times, seed {found.seed}):"
        f" AUC {found.auc.value:.3f}, 95 % interval {found.auc.low:.3f} to {found.auc.high:.3f}; KS {found.ks:.3f}"
    )
    weights = _table("feature", "all points", "at", "none at", "AUC alone")
    for w in found.weights:
        weights.add_row(w.feature, str(w.most_points), str(w.best), str(w.worst), f"{w.auc_alone:.3f}")
    console.print(weights)
    bands = _table("band", "proposal", "loans", "expected bad", "bad")
    for b in found.bands:
        bands.add_row(b.band, b.proposal, f"{b.loans:.1f}", f"{b.expected_bad:.1f}", f"{b.bad:.1f}")
    console.print(bands)


def _table(first: str, *titles: str) -> Table:
    table = Table(first)
    for title in titles:
        table.add_column(title, justify="right")
    return table
