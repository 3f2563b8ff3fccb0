"""A transfer upstream is settled from the command line, with its event."""

from pathlib import Path

import pytest

from bursar.core.identity import service as identity
from bursar.faces.cli import upstream_settling
from bursar.faces.cli.place import tenant_id_of
from bursar.faces.cli.upstream_commands import upstream_app
from bursar.features.payments.settling_transfers import Decision
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject

TENANT = "ours"


@pytest.mark.parametrize("decision", ["ask_again", "made", "not_made"])
async def test_nothing_is_settled_that_is_not_there_or_by_nobody(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, decision: Decision
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with database.transaction(tenant_id_of(TENANT)) as tx:
        await identity.create_tenant(tx, TENANT)
        await identity.create_principal(tx, "operator", "ann")
    for operator, name in (("nobody", f"tr_{new_id().hex}"), ("ann", f"tr_{new_id().hex}"), ("ann", "nonsense")):
        with pytest.raises(UnknownObject):
            await upstream_settling.settle(operator, name, decision, "Seen.", TENANT, None)


def test_the_command_takes_its_options(tmp_path: Path) -> None:
    line = f"settle tr_1 --decision made --reason Seen --operator ann --data {tmp_path}"
    command, bound, _ = upstream_app.parse_args(line, exit_on_error=False, print_error=False)
    assert command
    assert bound.arguments["decision"] == "made"
