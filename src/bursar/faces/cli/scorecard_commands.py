"""The commands of scorecards; what one needs is imported inside it."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from bursar.faces.cli.options import Data, Operator, Tenant, run

scorecards_app = App(name="scorecards", help="Versions of scorecards: draft, activate, retire, list.")

Card = Annotated[Path | None, Parameter(help="A card that `fit` wrote. Default: the one that comes with Bursar.")]


@scorecards_app.command(name="list")
def list_(*, tenant: Tenant = None, data: Data = None) -> None:
    """List the versions and where they stand, as JSON."""
    from bursar.faces.cli import keys, scorecards

    keys.print_json(run(scorecards.listed(tenant, data)))


@scorecards_app.command
def draft(card: Card = None, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Keep the version that a JSON file holds; it scores nobody yet."""
    from bursar.faces.cli import keys, scorecards

    keys.print_json(run(scorecards.draft(card, operator, tenant, data)))


@scorecards_app.command
def activate(scorecard: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Have a version, such as berka-1, score what its products are asked for."""
    from bursar.faces.cli import keys, scorecards

    keys.print_json(run(scorecards.become("active", scorecard, operator, tenant, data)))


@scorecards_app.command
def retire(scorecard: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Have a version score nobody any more: people review what it would have scored."""
    from bursar.faces.cli import keys, scorecards

    keys.print_json(run(scorecards.become("retired", scorecard, operator, tenant, data)))
