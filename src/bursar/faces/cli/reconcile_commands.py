"""The commands of reconciliation; what one needs is imported inside it."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.options import AsJson, Data, Mapping, Operator, Tenant, run

reconcile_app = App(
    name="reconcile", help="Hold the ledger against what the outside says: a bank's balances, or every line three ways."
)

Form = Annotated[Literal["table", "csv", "json"], Parameter(help="How the breaks are printed.")]
Source = Annotated[str, Parameter(help="What you call where it comes from, such as mybank.")]
LineMapping = Annotated[
    str | None,
    Parameter(help="For CSV: a built-in mapping of lines, such as berka, or the path of a TOML or JSON file."),
]
Day = Annotated[date, Parameter(help="As YYYY-MM-DD.")]


@reconcile_app.default
def balances(
    file: Path,
    /,
    *,
    mapping: Mapping,
    tolerance: Annotated[str, Parameter(help="How far a day's balances may lie apart.")] = "0.00",
    tenant: Tenant = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Compare the ledger's day-end balances with the bank's own; exit code 1 when there are breaks."""
    from bursar.faces.cli.statements import reconcile_command

    sys.exit(run(reconcile_command(file, mapping, tolerance, tenant, data, as_json=json)))


@reconcile_app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    source: Source,
    operator: Operator,
    format: Annotated[Literal["csv", "camt053", "mt940"], Parameter(help="What the file is.")] = "csv",
    mapping: LineMapping = None,
    account: Annotated[str | None, Parameter(help="What the bank calls the account, where no column says it.")] = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """File the lines of a bank's statement; the same file twice adds nothing."""
    from bursar.faces.cli import keys, reconciling

    keys.print_json(
        run(reconciling.import_statement(file, source, format, mapping, account, operator, tenant, data))
    )  # fmt: skip


@reconcile_app.command
def import_provider(
    file: Path, /, *, provider: Source, operator: Operator, tenant: Tenant = None, data: Data = None
) -> None:
    """Keep a provider's balance transactions (CSV: id,kind,day,currency,amount,fee,reference)."""
    from bursar.faces.cli import keys, reconciling

    keys.print_json(run(reconciling.import_provider(file, provider, operator, tenant, data)))


@reconcile_app.command
def fetch(
    *, provider: Source, first: Day, last: Day, operator: Operator, tenant: Tenant = None, data: Data = None
) -> None:
    """Ask a provider of payments for its balance transactions of at most 31 days, and keep them."""
    from bursar.faces.cli import keys, reconciling

    keys.print_json(run(reconciling.fetch_provider(provider, first, last, operator, tenant, data)))


@reconcile_app.command(name="run")
def run_(
    *,
    first: Day,
    last: Day,
    currency: str,
    operator: Operator,
    account: Annotated[str | None, Parameter(help="The ledger's own account of the bank account.")] = None,
    source: Annotated[str | None, Parameter(help="The source of its statements.")] = None,
    bank_account: Annotated[str | None, Parameter(help="What the statements call it.")] = None,
    provider: Annotated[str | None, Parameter(help="A provider whose balance transactions are compared.")] = None,
    clearing: Annotated[str | None, Parameter(help="The ledger's own account of what the provider holds.")] = None,
    tolerance: Annotated[int, Parameter(help="In minor units.")] = 0,
    days: Annotated[int, Parameter(help="How far two days may lie apart and still be one.")] = 3,
    far_days: Annotated[int, Parameter(help="Up to here a day differs; beyond, an item is missing.")] = 14,
    counterparty_decides: Annotated[
        bool, Parameter(negative="", help="Counterparties that differ keep equal amounts apart.")
    ] = False,
    owner: Annotated[str | None, Parameter(help="Who owns the cases of new breaks.")] = None,
    form: Form = "table",
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Compare line by line: ledger, provider and bank, each with each; exit code 1 when a break is open."""
    from bursar.faces.cli import reconciling
    from bursar.features.reconciliation.items import Rules
    from bursar.features.reconciliation.legs import Scope

    rules = Rules(tolerance, days, counterparty_decides, far_days)
    scope = Scope(first, last, currency, account, source, bank_account, provider, clearing, rules)
    sys.exit(run(reconciling.run_all(scope, operator, owner, form, tenant, data)))


@reconcile_app.command
def report(run_id: str, /, *, form: Form = "table", tenant: Tenant = None, data: Data = None) -> None:
    """Print the breaks of a run as they stand now; exit code 1 when one is open."""
    from bursar.faces.cli import reconciling

    sys.exit(run(reconciling.report(run_id, form, tenant, data)))


@reconcile_app.command
def accept(
    break_id: str,
    /,
    *,
    operator: Operator,
    reason: Annotated[str, Parameter(help="Your own code for why, such as too_small.")],
    note: str,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Leave the books as they are about a break."""
    from bursar.faces.cli import keys, reconciling

    keys.print_json(run(reconciling.accept(operator, break_id, reason, note, tenant, data)))
