"""The commands of the upstream; what one needs is imported inside it."""

from cyclopts import App

from bursar.faces.cli.options import Data, Operator, Tenant, run

upstream_app = App(name="upstream", help="Say which accounts' money lives in another service.")


@upstream_app.command
def mark(account: str, number: str, /, *, operator: Operator, tenant: Tenant = None, data: Data = None) -> None:
    """Say that an account's money lives upstream, under this number there, for good."""
    from bursar.faces.cli import keys, upstream

    keys.print_json(run(upstream.mark(account, number, operator, tenant, data)))
