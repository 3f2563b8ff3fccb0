"""The commands of webhooks; what one needs is imported inside it."""

from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from bursar.faces.cli.options import Data, Operator, Tenant, run

webhooks_app = App(name="webhooks", help="Say where events are sent, see what became of them, send them again.")


@webhooks_app.command(name="list")
def list_(*, tenant: Tenant = None, data: Data = None) -> None:
    """List the endpoints and how they stand, as JSON."""
    from bursar.faces.cli import keys, webhooks

    keys.print_json(run(webhooks.listed(tenant, data)))


@webhooks_app.command
def add(
    url: str,
    /,
    *,
    operator: Operator,
    events: Annotated[str, Parameter(help="Comma-separated types, such as transfer.posted. Default: all.")] = "",
    description: str = "",
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """Have events sent to a URL from now on. The secret that signs them is shown this once."""
    from bursar.faces.cli import keys, webhooks

    names = [name for name in events.split(",") if name]
    keys.print_json(run(webhooks.add(url, names, description, operator, tenant, data)))


@webhooks_app.command
def disable(endpoint_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Send an endpoint nothing more."""
    from bursar.faces.cli import keys, webhooks

    keys.print_json(run(webhooks.disable(endpoint_id, operator, tenant, data)))


@webhooks_app.command
def deliveries(
    *,
    endpoint: str | None = None,
    status: Literal["pending", "delivered", "failed"] | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 100,
    tenant: Tenant = None,
    data: Data = None,
) -> None:
    """List the newest deliveries, as JSON."""
    from bursar.faces.cli import keys, webhooks

    keys.print_json(run(webhooks.deliveries(endpoint, status, limit, tenant, data)))


@webhooks_app.command
def replay(delivery_id: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Send what a delivery is about once more."""
    from bursar.faces.cli import keys, webhooks

    keys.print_json(run(webhooks.replay(delivery_id, operator, tenant, data)))
