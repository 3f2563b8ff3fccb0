"""`bursar lending fit` and `score`: a scorecard from past loans, and what it says of every account of a file."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from bursar.faces.cli.options import AsJson, Mapping

lending_app = App(
    name="lending", help="Loans: who asks for one and what is decided; score statements, fit a scorecard."
)

Statements = Annotated[Path, Parameter(help="The movements of all accounts, as CSV.")]
CardFile = Annotated[Path | None, Parameter(help="A card that `fit` wrote. Default: the one that comes with Bursar.")]


@lending_app.command
def fit(
    statements: Statements,
    loans: Annotated[Path, Parameter(help="Past loans with their outcome, as CSV.")],
    /,
    *,
    mapping: Mapping,
    out: Annotated[Path, Parameter(help="Where the card is written, as JSON.")],
    plot: Annotated[Path | None, Parameter(help="Where a picture of the report is drawn, as SVG.")] = None,
    card_version: Annotated[int, Parameter(help="The number of this version of the card.")] = 1,
    under: Annotated[str, Parameter(help="Days with a balance below this amount count as low.")] = "5000.00",
    seed: Annotated[int, Parameter(help="Decides which loans are held back together.")] = 1,
    json: AsJson = False,
) -> None:
    """Fit a scorecard from past loans, and report how well such a card tells bad ones apart that it has not seen."""
    from bursar.faces.cli import scoring

    scoring.fit(statements, loans, mapping, out, plot, card_version, under, seed, as_json=json)


@lending_app.command
def score(
    statements: Statements,
    /,
    *,
    mapping: Mapping,
    card: CardFile = None,
    json: AsJson = False,
) -> None:
    """Propose a decision with reasons for every account of a file; needs no database and no network."""
    from bursar.faces.cli import scoring

    scoring.score(statements, mapping, card, as_json=json)
