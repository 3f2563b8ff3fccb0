"""The commands of applications for loans; what one needs is imported inside it."""

from typing import Literal

from cyclopts import App

from bursar.faces.cli.options import Data, Tenant, run

applications_app = App(name="applications", help="Look at applications for loans and at what was decided.")

Status = Literal["draft", "submitted", "review", "approved", "rejected", "offered", "accepted", "withdrawn", "expired"]


@applications_app.command(name="list")
def list_(*, status: Status | None = None, email: str | None = None, tenant: Tenant = None, data: Data = None) -> None:
    """List applications as JSON, oldest first."""
    from bursar.faces.cli import applications, keys

    keys.print_json(run(applications.listed(status, email, tenant, data)))


@applications_app.command
def show(application_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show one application as JSON: what is known of it, its decisions, its offer."""
    from bursar.faces.cli import applications, keys

    keys.print_json(run(applications.shown(application_id, tenant, data)))


@applications_app.command
def events(application_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show the whole trail of an application as JSON: who said or did what, version by version."""
    from bursar.faces.cli import applications, keys

    keys.print_json(run(applications.events(application_id, tenant, data)))


@applications_app.command
def replay(application_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Make the decisions on an application again from what is kept of them, and say whether the rules say the same."""
    from bursar.faces.cli import applications, keys

    keys.print_json(run(applications.replay(application_id, tenant, data)))
