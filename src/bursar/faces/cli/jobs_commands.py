"""The commands of jobs; what one needs is imported inside it."""

from pathlib import Path
from typing import Literal

from cyclopts import App

from bursar.faces.cli.options import AsJson, Data, Operator, Tenant, run

jobs_app = App(name="jobs", help="Look at what agents are doing together.")
definitions_app = App(name="definitions", help="Versions of what the steps of jobs are: list, show, add.")
jobs_app.command(definitions_app)

Status = Literal["active", "compensating", "done", "failed", "canceled"]


@jobs_app.command(name="list")
def list_(
    *, status: Status | None = None, definition: str | None = None, tenant: Tenant = None, data: Data = None
) -> None:
    """List the newest jobs as JSON."""
    from bursar.faces.cli import jobs, keys

    keys.print_json(run(jobs.listed(status, definition, tenant, data)))


@jobs_app.command
def show(job_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show one job as JSON: the step it is at, who holds it, what became of its shares."""
    from bursar.faces.cli import jobs, keys

    keys.print_json(run(jobs.shown(job_id, tenant, data)))


@jobs_app.command
def report(job_id: str, /, *, tenant: Tenant = None, data: Data = None, json: AsJson = False) -> None:
    """Tell everything about a job: who did which step, what was paid, what happened."""
    from bursar.faces.cli import jobs, keys
    from bursar.wire.job_text import report_text

    found = run(jobs.report(job_id, tenant, data))
    if json:
        keys.print_json(found.model_dump(mode="json"))
    else:
        print(report_text(found), end="")


@definitions_app.command(name="list")
def list_definitions(*, tenant: Tenant = None, data: Data = None) -> None:
    """List every version of every definition as JSON."""
    from bursar.faces.cli import job_definitions, keys

    keys.print_json(run(job_definitions.listed(tenant, data)))


@definitions_app.command(name="show")
def show_definition(name: str, /, *, version: int | None = None, tenant: Tenant = None, data: Data = None) -> None:
    """Show a definition as JSON: the latest version, if none is named."""
    from bursar.faces.cli import job_definitions, keys

    keys.print_json(run(job_definitions.shown(name, version, tenant, data)))


@definitions_app.command
def add(file: Path, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Keep the next version of a definition, which a JSON file holds as POST /v1/job-definitions takes it."""
    from bursar.faces.cli import job_definitions, keys

    keys.print_json(run(job_definitions.added(file, operator, tenant, data)))
