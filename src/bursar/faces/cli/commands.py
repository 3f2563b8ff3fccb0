"""The commands and their options; what a command needs is imported inside it, so that `--help` is quick."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from bursar import __version__
from bursar.faces.cli.application_commands import applications_app
from bursar.faces.cli.authority import agent_app, approvals_app, freeze_app, mandate_app
from bursar.faces.cli.case_commands import cases_app
from bursar.faces.cli.collection_commands import collections_app
from bursar.faces.cli.jobs_commands import jobs_app
from bursar.faces.cli.lending_scoring import lending_app
from bursar.faces.cli.loan_commands import loans_app
from bursar.faces.cli.options import AsJson, Data, Mapping, Port, Tenant, run
from bursar.faces.cli.payment_commands import payments_app
from bursar.faces.cli.reconcile_commands import reconcile_app
from bursar.faces.cli.risk_commands import risk_app
from bursar.faces.cli.scorecard_commands import scorecards_app
from bursar.faces.cli.upstream_commands import upstream_app
from bursar.faces.cli.webhook_commands import webhooks_app
from bursar.kernel.refusal import Refusal

app = App(name="bursar", help="The system of record that AI agents go through to move money.", version=__version__)
key_app = App(name="key", help="Hand out, list and revoke API keys.")
import_app = App(name="import", help="Bring data in.")
lending_app.command(applications_app)
lending_app.command(loans_app)
lending_app.command(scorecards_app)
lending_app.command(collections_app)
app.command(key_app)
app.command(risk_app)
app.command(jobs_app)
app.command(lending_app)
app.command(agent_app)
app.command(mandate_app)
app.command(approvals_app)
app.command(freeze_app)
app.command(cases_app)
app.command(webhooks_app)
app.command(reconcile_app)
app.command(payments_app)
app.command(upstream_app)
app.command(import_app)


def main() -> None:
    """Run the command line."""
    from bursar.faces.cli.place import CannotServe
    from bursar.kernel.db import CannotConnect, NotDurable
    from bursar.kernel.embedded import PostgresUnavailable
    from bursar.kernel.migrate import CannotMigrate

    # What is imported and read is no garbage, and to look at it as often as usual is a good part of the time to start.
    gc.set_threshold(50_000, 20, 20)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it, as `head` does, has read enough; Python is to flush to nowhere when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (CannotConnect, CannotServe, CannotMigrate, NotDurable, PostgresUnavailable) as error:
        sys.exit(f"bursar: {error}")
    except Refusal as refusal:
        sys.exit(f"bursar: {refusal.detail} {refusal.next}")


@app.command
def serve(
    *,
    host: str = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, Parameter(help="How many processes answer.", validator=Number(gte=1, lte=64))] = 1,
    data: Data = None,
) -> None:
    """Serve the API. Without a configured database: the sandbox, on an embedded PostgreSQL, for this machine only."""
    from bursar.faces.cli.serve import serve

    run(serve(host, port, data, workers))


@app.command(show=False)
def answer(descriptor: int, /, *, data: Data = None) -> None:
    """Answer at a socket that is handed over. `bursar serve --workers` starts it; by itself it serves nobody."""
    from bursar.faces.cli.serve import answer

    run(answer(descriptor, data))


@app.command
def simulator(
    *,
    port: Port = 12_111,
    data: Annotated[
        Path | None, Parameter(help="The simulator's own directory. Default: `simulator` in Bursar's data directory.")
    ] = None,
) -> None:
    """Serve a payment provider for tests that speaks Stripe's wire format, for this machine only."""
    from bursar.faces.cli.simulator import simulate

    run(simulate(port, data))


@app.command
def migrate(*, data: Data = None) -> None:
    """Bring the database's schema up to date."""
    from bursar.faces.cli.place import reached
    from bursar.kernel.migrate import migrate

    async def work() -> list[str]:
        async with reached(data) as (url, _):
            return await migrate(url)

    done = run(work())
    print("\n".join(f"applied {name}" for name in done) or "The schema is up to date.")


@app.command
def verify(*, data: Data = None, json: AsJson = False) -> None:
    """Ask the books every question that has only one good answer; exit code 1 when one has another."""
    from bursar.faces.cli.verify import verify

    sys.exit(run(verify(data, as_json=json)))


@import_app.command
def statement(
    file: Path, /, *, mapping: Mapping, tenant: Tenant = None, data: Data = None, json: AsJson = False
) -> None:
    """Import a bank's CSV. The same file twice changes nothing; exit code 2 when lines were left out."""
    from bursar.faces.cli.statements import import_statement_command

    sys.exit(run(import_statement_command(file, mapping, tenant, data, as_json=json)))


@app.command
def demo(
    *,
    data: Annotated[
        Path | None, Parameter(help="The demo's own directory. Default: `demo` in Bursar's data directory.")
    ] = None,
    port: Annotated[int, Parameter(help="Where the service listens; 0 picks a free port.")] = 0,
    keep: Annotated[bool, Parameter(negative="", help="Leave the service running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Play the main job on real bank data in a sandbox and check every step; exit code 0 only if all of it held."""
    from bursar.faces.demo import demo
    from bursar.kernel.settings import Settings

    sys.exit(run(demo(data or Settings().data / "demo", port, keep=keep)))


@app.command
def version() -> None:
    """Print the version."""
    print(__version__)


@key_app.command
def create(
    *,
    operator: str | None = None,
    agent: str | None = None,
    service: str | None = None,
    scopes: Annotated[str | None, Parameter(help="Comma-separated. Default: all that this kind may have.")] = None,
    roles: Annotated[str | None, Parameter(help="Comma-separated: what an operator may decide, say treasurer.")] = None,
    team: Annotated[str | None, Parameter(help="The team an agent belongs to from now on.")] = None,
    tenant: Tenant = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Make a key for an operator, an agent or a service of this name; its text is shown this once."""
    from bursar.core.identity.model import PrincipalKind
    from bursar.faces.cli import keys

    named: dict[PrincipalKind, str | None] = {"operator": operator, "agent": agent, "service": service}
    given: list[tuple[PrincipalKind, str]] = [(kind, name) for kind, name in named.items() if name]
    if len(given) != 1:
        sys.exit("bursar: name exactly one of --operator, --agent and --service.")
    made = run(keys.create(*given[0], _names(scopes), _names(roles), team, tenant, data))
    if json:
        keys.print_json(made)
    else:
        print(made["key"])
        print(f"This is the only time it is shown: {made['id']} of {made['kind']} {made['name']}.", file=sys.stderr)


@key_app.command(name="list")
def list_(name: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """List the keys of a principal as JSON, without secrets."""
    from bursar.faces.cli import keys

    keys.print_json(run(keys.listed(name, tenant, data)))


@key_app.command
def revoke(key_id: str, /, *, tenant: Tenant = None, data: Data = None) -> None:
    """End a key: nothing that commits after this was done with it."""
    from bursar.faces.cli import keys

    keys.print_json(run(keys.revoke(key_id, tenant, data)))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name for name in text.split(",") if name]
