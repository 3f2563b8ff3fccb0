"""The commands of authority: agents, mandates, approvals, freezes; what one needs is imported inside it."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.options import AsJson, Data, Operator, Tenant, run

agent_app = App(name="agent", help="List agents, and say which team one belongs to.")
mandate_app = App(name="mandate", help="Say what agents may do: draft, activate, pause, revoke, list, try on the past.")
approvals_app = App(name="approvals", help="Decide what waits for a person.")
freeze_app = App(name="freeze", help="Stop an agent, a mandate, an account or the tenant, and resume.")

Scope = Literal["tenant", "agent", "mandate", "account"]
Status = Literal["pending", "approved", "rejected", "expired", "cancelled", "superseded"]


@agent_app.command(name="list")
def list_agents(*, tenant: Tenant = None, data: Data = None) -> None:
    """List agents with their teams as JSON."""
    from bursar.faces.cli import agents, keys

    keys.print_json(run(agents.listed(tenant, data)))


@agent_app.command(name="team")
def change_team(
    agent: str, team: str | None = None, /, *, operator: Operator, tenant: Tenant = None, data: Data = None
) -> None:
    """Have an agent (name or id) belong to a team, or to none if you name none, and act under its mandates."""
    from bursar.faces.cli import agents, keys

    keys.print_json(run(agents.change_team(operator, agent, team, tenant, data)))


@mandate_app.command
def draft(file: Path, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Write the mandate that a JSON file describes (as POST /v1/mandates takes it); it allows nothing yet."""
    from bursar.faces.cli import keys, mandates

    keys.print_json(run(mandates.draft(file, operator, tenant, data)))


@mandate_app.command
def activate(mandate_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Put a draft in force."""
    from bursar.faces.cli import keys, mandates

    keys.print_json(run(mandates.become("activate", mandate_id, operator, tenant, data)))


@mandate_app.command
def pause(
    mandate_id: str,
    /,
    *,
    operator: Operator,
    reason: Annotated[str | None, Parameter(help="Why. Default: that the operator paused it.")] = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Take a mandate and those below it out of force: a freeze, which two operators lift."""
    from bursar.faces.cli import freezes, keys

    why = reason or f"{operator} paused the mandate."
    keys.print_json(run(freezes.freeze(operator, "mandate", mandate_id, why, tenant, data)))


@mandate_app.command(name="resume")
def resume_mandate(mandate_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Ask to put a paused mandate in force again; it is when a second operator has asked."""
    from bursar.faces.cli import freezes, keys

    keys.print_json(run(freezes.resume_mandate(operator, mandate_id, tenant, data)))


@mandate_app.command(name="revoke")
def revoke_mandate(mandate_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """End a mandate for good: nothing that commits after this was allowed by it."""
    from bursar.faces.cli import keys, mandates

    keys.print_json(run(mandates.become("revoke", mandate_id, operator, tenant, data)))


@mandate_app.command(name="list")
def list_mandates(*, agent: str | None = None, tenant: Tenant = None, data: Data = None) -> None:
    """List mandates as JSON, of one agent if named."""
    from bursar.faces.cli import keys, mandates

    keys.print_json(run(mandates.listed(agent, tenant, data)))


@mandate_app.command(name="backtest")
def backtest_(file: Path, /, *, agent: str, tenant: Tenant = None, data: Data = None, json: AsJson = False) -> None:
    """Try the mandate that a JSON file describes on an agent's past decisions; nothing is changed."""
    from bursar.faces.cli import mandates

    sys.exit(run(mandates.tried(file, agent, tenant, data, as_json=json)))


@approvals_app.command(name="list")
def list_approvals(
    *, operator: Operator, status: Status | None = "pending", tenant: Tenant = None, data: Data = None
) -> None:
    """List what waits, as JSON: the payment or change of a mandate, why, and the payload hash to approve it by."""
    from bursar.faces.cli import approvals, keys

    keys.print_json(run(approvals.listed(operator, status, tenant, data)))


@approvals_app.command
def approve(
    approval_id: str,
    /,
    *,
    operator: Operator,
    payload_hash: Annotated[str, Parameter(help="As the list shows it: what is approved is what you looked at.")],
    code: Annotated[str | None, Parameter(help="Your one-time code, where it asks for a step-up.")] = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Vote for a payment or a change of a mandate; when enough have, the running service carries it out."""
    from bursar.faces.cli import approvals, keys

    keys.print_json(run(approvals.approve(operator, approval_id, payload_hash, code, tenant, data)))


@approvals_app.command
def reject(approval_id: str, /, *, operator: Operator, reason: str, tenant: Tenant = None, data: Data = None) -> None:
    """End what waits by a no."""
    from bursar.faces.cli import approvals, keys

    keys.print_json(run(approvals.reject(operator, approval_id, reason, tenant, data)))


@approvals_app.command
def totp(*, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Enrol an operator's authenticator for one-time codes; its otpauth URI is shown this once."""
    from bursar.faces.cli import approvals

    print(run(approvals.totp(operator, tenant, data)))


@freeze_app.command(name="set")
def set_(
    scope: Scope,
    ref: str | None = None,
    /,
    *,
    operator: Operator,
    reason: str,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Freeze an agent (name or id), a mandate (id), an account (number or id), or the whole tenant."""
    from bursar.faces.cli import freezes, keys

    keys.print_json(run(freezes.freeze(operator, scope, ref, reason, tenant, data)))


@freeze_app.command
def resume(freeze_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Ask to lift a freeze; the second operator who asks lifts it."""
    from bursar.faces.cli import freezes, keys

    keys.print_json(run(freezes.resume(operator, freeze_id, tenant, data)))


@freeze_app.command(name="list")
def list_freezes(*, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """List what is frozen now, as JSON."""
    from bursar.faces.cli import freezes, keys

    keys.print_json(run(freezes.listed(operator, tenant, data)))
