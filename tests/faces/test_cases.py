"""`bursar cases`: the same verbs as over the API, in the operator's name."""

import pytest

from bursar.core.events import service as events
from bursar.core.identity import service as identity
from bursar.faces.cli import cases
from bursar.faces.cli.place import tenant_id_of
from bursar.features.cases.model import CaseConflict, Subject
from bursar.kernel.db import Database
from bursar.kernel.refusal import UnknownObject


@pytest.fixture
async def main(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A configured database whose only tenant has the operator Ann."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with database.transaction(tenant_id_of("main")) as tx:
        await identity.create_tenant(tx, "main")
        await identity.create_principal(tx, "operator", "ann")
    return database


async def test_a_case_from_its_opening_to_its_end(main: Database) -> None:
    made = await cases.open_case("ann", "unclear", Subject("account", "ACC1"), None, "Who?", None, None)
    assert (made["state"], made["owner"], made["age_days"]) == ("open", None, 0)
    assert (await cases.assign("ann", made["id"], "ann", None, None))["owner"] == "ann"
    noted = await cases.note("ann", made["id"], "It is the baker.", None, None)
    assert [(n["author"], n["text"]) for n in noted["notes"]] == [("ann", "Who?"), ("ann", "It is the baker.")]
    assert [case["id"] for case in await cases.listed("open", "unclear", "ann", None, None)] == [made["id"]]
    assert (await cases.bring("ann", made["id"], "closed", "Known.", None, None))["state"] == "closed"
    assert await cases.listed("open", None, None, None, None) == []
    async with main.transaction(tenant_id_of("main"), read_only=True) as tx:
        told = await events.read(tx, events.Filter(object=made["id"]), None, 50)
    assert [(e.facts["type"], e.facts["payload"]["by"]) for e in told] == [
        ("case.closed", "command line"), ("case.noted", "command line"), ("case.assigned", "command line"),
        ("case.opened", "command line"),
    ]  # fmt: skip


async def test_only_operators_settle_and_what_is_closed_stays_so(main: Database) -> None:
    made = await cases.open_case("ann", "unclear", Subject("account", "ACC1"), None, None, None, None)
    with pytest.raises(UnknownObject, match="operator"):
        await cases.bring("bob", made["id"], "closed", None, None, None)
    await cases.bring("ann", made["id"], "closed", None, None, None)
    with pytest.raises(CaseConflict, match="is closed"):
        await cases.bring("ann", made["id"], "in_progress", None, None, None)
