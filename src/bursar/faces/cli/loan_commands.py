"""The commands of loans and of the portfolio; what one needs is imported inside it."""

import sys
from datetime import date
from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.lending_scoring import lending_app
from bursar.faces.cli.options import AsJson, Data, Tenant, run

loans_app = App(name="loans", help="Look at loans, their schedules and their statements; pay one back.")

Status = Literal["pending", "active", "settled", "charged_off", "written_off"]
Bucket = Literal["current", "1-30", "31-60", "61-90", "90+"]
Which = Literal["outstanding", "vintages", "cash-flows"]
AsCsv = Annotated[bool, Parameter(name="--csv", negative="", help="Print CSV and nothing else.")]
Day = Annotated[date | None, Parameter(help="As YYYY-MM-DD.")]


@loans_app.command(name="list")
def list_(
    *,
    status: Status | None = None,
    bucket: Bucket | None = None,
    tenant: Tenant = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """List loans, oldest first."""
    from bursar.faces.cli import loans, tables

    tables.print_rows(run(loans.listed(status, bucket, tenant, data)), tables.form_of(json=json))


@loans_app.command
def show(loan_id: str, /, *, tenant: Tenant = None, data: Data = None, json: AsJson = False) -> None:
    """Show a loan as it stands."""
    from bursar.faces.cli import loans, tables

    tables.print_one(run(loans.shown(loan_id, tenant, data)), tables.form_of(json=json))


@loans_app.command
def schedule(loan_id: str, /, *, tenant: Tenant = None, data: Data = None, json: AsJson = False) -> None:
    """Show what was due, is due and will be."""
    from bursar.faces.cli import loans, tables

    tables.print_list(run(loans.schedule(loan_id, tenant, data)), "rows", tables.form_of(json=json))


@loans_app.command
def statement(
    loan_id: str,
    /,
    *,
    first: Day = None,
    last: Day = None,
    tenant: Tenant = None,
    data: Data = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Show what was owed, what each fact and the days between did to it, what is owed."""
    from bursar.faces.cli import loans, tables

    form = tables.form_of(json=json, csv=csv)
    tables.print_list(run(loans.statement(loan_id, first, last, tenant, data)), "lines", form)


@loans_app.command
def repay(
    loan_id: str,
    /,
    *,
    account: Annotated[str, Parameter(help="The account that pays, by number or id.")],
    amount: str,
    once: Annotated[str, Parameter(help="Your own key of this repayment: the same again changes nothing.")],
    key: Annotated[str, Parameter(env_var="BURSAR_KEY", help="The API key of whoever pays. Better in BURSAR_KEY.")],
    keeps: Annotated[
        Literal["installment", "term"] | None, Parameter(help="More than is due pays principal, and keeps this.")
    ] = None,
    on: Day = None,
    data: Data = None,
) -> None:
    """Pay a loan back, by the desk that the API has; exit code 1 when it was refused, 2 when people must approve."""
    from bursar.faces.cli import loans

    sys.exit(run(loans.repay(loan_id, account, amount, keeps, on, once, key, data)))


@lending_app.command
def products(*, tenant: Tenant = None, data: Data = None, json: AsJson = False) -> None:
    """List every version of every product."""
    from bursar.faces.cli import loans, tables

    tables.print_rows(run(loans.products(tenant, data)), tables.form_of(json=json))


@lending_app.command
def portfolio(
    which: Which = "outstanding",
    /,
    *,
    day: Annotated[date | None, Parameter(help="A past day, as YYYY-MM-DD; cash flows are of all days.")] = None,
    tenant: Tenant = None,
    data: Data = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Report what is owed by days past due, what became of each month's loans, or what money comes and when."""
    from bursar.faces.cli import loans, tables

    form = tables.form_of(json=json, csv=csv)
    tables.print_list(run(loans.portfolio(which, day, tenant, data)), "rows", form)
