"""The commands of collections; what one needs is imported inside it."""

from typing import Literal

from cyclopts import App

from bursar.faces.cli.options import Data, Operator, Tenant, run

collections_app = App(name="collections", help="Look at loans that are late, and remind borrowers.")


@collections_app.command(name="list")
def list_(*, is_open: bool | None = None, tenant: Tenant = None, data: Data = None) -> None:
    """List loans that are or were late as JSON, oldest first."""
    from bursar.faces.cli import collections, keys

    keys.print_json(run(collections.listed(is_open, tenant, data)))


@collections_app.command
def show(loan_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show what was done about one loan as JSON: its collections, promises and reminders."""
    from bursar.faces.cli import collections, keys

    keys.print_json(run(collections.shown(loan_id, tenant, data)))


@collections_app.command
def remind(
    loan_id: str,
    /,
    *,
    template: str,
    channel: Literal["webhook", "email"],
    operator: Operator,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Remind the borrower of a loan that is late, as the rules of contact allow."""
    from bursar.faces.cli import collections, keys

    keys.print_json(run(collections.remind(operator, loan_id, template, channel, tenant, data)))
