"""The commands of payments; what one needs is imported inside it."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.options import Data, Operator, Tenant, run

payments_app = App(name="payments", help="See payments through providers, their calls, and what is booked of them.")

Status = Literal[
    "requires_confirmation", "requires_action", "processing", "requires_capture", "succeeded", "canceled", "failed",
    "unknown",
]  # fmt: skip


@payments_app.command(name="list")
def list_(*, status: Status | None = None, tenant: Tenant = None, data: Data = None) -> None:
    """List payments as JSON, newest first."""
    from bursar.faces.cli import keys, payments

    keys.print_json(run(payments.listed(status, tenant, data)))


@payments_app.command
def show(payment_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """Show a payment with every call to its provider and everything that was booked of it."""
    from bursar.faces.cli import keys, payments

    keys.print_json(run(payments.shown(payment_id, tenant, data)))


@payments_app.command
def disputes(
    *,
    status: Literal["needs_response", "under_review", "won", "lost"] | None = None,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """List disputes as JSON, those that began last first."""
    from bursar.faces.cli import keys, payments

    keys.print_json(run(payments.disputes(status, tenant, data)))


@payments_app.command
def lift(
    payment_id: str,
    /,
    *,
    decision: Annotated[
        Literal["ask_again", "to_suspense"],
        Parameter(help="Believe the provider if it agrees by now, or book all that it says against suspense."),
    ],
    reason: str,
    operator: Operator,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Lift the quarantine of a payment or payout whose provider contradicted what was asked."""
    from bursar.faces.cli import keys, payments

    keys.print_json(run(payments.lift(operator, payment_id, decision, reason, tenant, data)))
