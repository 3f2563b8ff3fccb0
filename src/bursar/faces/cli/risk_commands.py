"""The commands of risk: versions of the rules, trials, the evaluation; what one needs is imported inside it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from bursar.faces.cli.options import AsJson, Data, Operator, Tenant, run

risk_app = App(name="risk", help="Look at what the risk rules say, try others, put them in force.")
rules_app = App(name="rules", help="Versions of the rules: draft, shadow, activate, retire, list.")
risk_app.command(rules_app)

Moment = Annotated[datetime | None, Parameter(help="UTC if it names no zone.")]


@risk_app.command
def evaluate(*, file: Path | None = None, seed: int = 1, json: AsJson = False) -> None:
    """Plant frauds in real bank histories and count what the default rules catch, and what they raise for nothing."""
    from bursar.faces.cli import risk

    risk.evaluate(file, seed, as_json=json)


@risk_app.command
def compare(
    *, start: Moment = None, end: Moment = None, tenant: Tenant = None, data: Data = None, json: AsJson = False
) -> None:
    """Tell what rules on trial said beside those in force, payment by payment; the last seven days if not told else."""
    from bursar.faces.cli import risk_rules

    run(risk_rules.compare(start, end, tenant, data, as_json=json))


@rules_app.command(name="list")
def list_(*, tenant: Tenant = None, data: Data = None) -> None:
    """List the versions and where they stand, as JSON; version 1 comes with Bursar."""
    from bursar.faces.cli import keys, risk_rules

    keys.print_json(run(risk_rules.listed(tenant, data)))


@rules_app.command
def draft(file: Path, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Keep the version that a JSON file holds (as POST /v1/risk/rules takes it); it decides nothing yet."""
    from bursar.faces.cli import keys, risk_rules

    keys.print_json(run(risk_rules.draft(file, operator, tenant, data)))


@rules_app.command
def shadow(version: int, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Try a version: it assesses every payment too, and changes nothing."""
    from bursar.faces.cli import keys, risk_rules

    keys.print_json(run(risk_rules.become("shadow", version, operator, tenant, data)))


@rules_app.command
def activate(version: int, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Put a version in force, in place of the one that is."""
    from bursar.faces.cli import keys, risk_rules

    keys.print_json(run(risk_rules.become("active", version, operator, tenant, data)))


@rules_app.command
def retire(version: int, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Take a version out of force or off trial."""
    from bursar.faces.cli import keys, risk_rules

    keys.print_json(run(risk_rules.become("retired", version, operator, tenant, data)))
