"""Jobs from the command line: what agents do together, as JSON and as text."""

import json

import pytest

from bursar.faces.cli import jobs
from bursar.faces.cli.jobs_commands import jobs_app
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject
from bursar.wire.job_text import report_text
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.crews import Crew, crew_of


@pytest.fixture
async def crew(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Crew:
    """A configured database whose tenant has its agents."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with served(database) as app, client_of(app) as client:
        crew = await crew_of(database, client, await enrol(database, client, "main", tenant_id_of("main")))
        await crew.until("reconciled", reference="order-7")
        await crew.until("reserved", definition="shared_bill")
        return crew


async def test_jobs_are_listed_shown_and_reported(crew: Crew) -> None:
    newest, oldest = await jobs.listed(None, None, None, None)
    assert [newest["stage"], oldest["stage"]] == ["reserved", "reconciled"]
    assert await jobs.listed("done", None, None, None) == [oldest]
    assert await jobs.listed(None, "shared_bill", None, None) == [newest]
    assert await jobs.shown(oldest["id"], None, None) == oldest
    report = await jobs.report(oldest["id"], None, None)
    assert [step.done_by_name for step in report.steps] == ["ann", "ann", "bob", "ann", "ann", "cat"]
    assert "order-7: checkout 1, done, reconciled" in report_text(report)
    with pytest.raises(UnknownObject, match="job"):
        await jobs.shown(f"job_{new_id().hex}", None, None)
    assert crew.tenant.name == "main"


def test_the_commands_take_their_options() -> None:
    for line in ("list --status done --definition checkout", "show job_0", "report job_0 --json"):
        command, bound, _ = jobs_app.parse_args(line, exit_on_error=False, print_error=False)
        assert command
        assert json.dumps(bound.arguments, default=str)
