"""The commands of the upstream; what one needs is imported inside it."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from bursar.faces.cli.options import Data, Operator, Tenant, run

upstream_app = App(
    name="upstream", help="Say which accounts' money lives in another service, and settle transfers there."
)


@upstream_app.command
def mark(account: str, number: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Say that an account's money lives upstream, under this number there, for good."""
    from bursar.faces.cli import keys, upstream

    keys.print_json(run(upstream.mark(account, number, operator, tenant, data)))


@upstream_app.command
def settle(
    transfer_id: str,
    /,
    *,
    decision: Annotated[
        Literal["ask_again", "made", "not_made"],
        Parameter(help="Make the same call again; or, once that was in vain, say what you have found out there."),
    ],
    reason: str,
    operator: Operator,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Settle a transfer upstream of which nobody knows what became."""
    from bursar.faces.cli import keys, upstream_settling

    keys.print_json(run(upstream_settling.settle(operator, transfer_id, decision, reason, tenant, data)))
