"""The commands of cases; what one needs is imported inside it."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.options import Data, Operator, Tenant, run

cases_app = App(name="cases", help="See what a person must look at, note, assign, settle.")

State = Literal["open", "in_progress", "resolved", "closed"]
Owner = Annotated[str | None, Parameter(help="A principal's name or id.")]


@cases_app.command(name="list")
def list_(
    *,
    state: State | None = None,
    kind: str | None = None,
    owner: Owner = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """List cases as JSON, oldest first."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.listed(state, kind, owner, tenant, data)))


@cases_app.command
def show(case_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show a case with its notes."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.shown(case_id, tenant, data)))


@cases_app.command(name="open")
def open_(
    kind: str,
    subject_kind: str,
    subject_id: str,
    /,
    *,
    operator: Operator,
    owner: Owner = None,
    note: str | None = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Open a case of a kind about a subject, say `cases open unclear account ACC10001`."""
    from bursar.faces.cli import cases, keys
    from bursar.features.cases.model import Subject

    subject = Subject(subject_kind, subject_id)
    keys.print_json(run(cases.open_case(operator, kind, subject, owner, note, tenant, data)))


@cases_app.command
def note(case_id: str, text: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Append a note."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.note(operator, case_id, text, tenant, data)))


@cases_app.command
def assign(
    case_id: str, owner: str | None = None, /, *, operator: Operator, tenant: Tenant = None, data: Data = None
) -> None:
    """Have somebody own it, or nobody if you name nobody."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.assign(operator, case_id, owner, tenant, data)))


@cases_app.command
def state(
    case_id: str,
    state: State,
    /,
    *,
    operator: Operator,
    note: str | None = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Begin it, put it back or resolve it."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.bring(operator, case_id, state, note, tenant, data)))


@cases_app.command
def close(
    case_id: str, /, *, operator: Operator, note: str | None = None, tenant: Tenant = None, data: Data = None
) -> None:
    """Close it for good."""
    from bursar.faces.cli import cases, keys

    keys.print_json(run(cases.bring(operator, case_id, "closed", note, tenant, data)))
