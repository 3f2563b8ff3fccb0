"""Freezes from the command line: the same act and the same rule as over the API, in the operator's name."""

import pytest

from bursar.core.authority.mandates import MandateStateConflict
from bursar.core.events import service as events
from bursar.core.ledger.outcomes import StateConflict
from bursar.faces.cli import freezes
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject
from tests.core.authority.offices import Office
from tests.stories import Story


@pytest.fixture
async def office(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A configured database whose only tenant has an office."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    tenant_id = tenant_id_of("main")
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'main')", tenant_id)
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        alice has 1000.00 USD
        bob has 0.00 USD
    """)
    return await Office.open(story)


async def test_a_mandate_is_paused_by_one_and_resumed_by_two(office: Office) -> None:
    mandate = show("mnd", office.mandate.id)
    with pytest.raises(MandateStateConflict, match="active"):
        await freezes.resume_mandate("ann", mandate, None, None)
    made = await freezes.freeze("ann", "mandate", mandate, "It looks odd.", None, None)
    assert (made["object"], made["status"]) == (mandate, "in_force")
    assert f"bursar freeze resume {made['id']} --operator" in made["next"]
    assert await office.pay(500) == "mandate_revoked"
    assert (await freezes.resume_mandate("ann", mandate, None, None))["status"] == "resume_requested"
    with pytest.raises(StateConflict, match="ann has asked to resume already"):
        await freezes.resume_mandate("ann", mandate, None, None)
    with pytest.raises(StateConflict, match="ann has asked to resume already"):
        await freezes.resume("ann", made["id"], None, None)
    assert await office.pay(500) == "mandate_revoked"
    assert (await freezes.resume_mandate("ben", mandate, None, None))["status"] == "resumed"
    assert await office.pay(500) == "done"
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        told = await events.read(tx, events.Filter(object=mandate), None, 10)
    named = [(e.facts["type"], e.facts["actor"]["name"], e.facts["payload"]["by"]) for e in reversed(told)]
    assert named == [
        ("mandate.frozen", "ann", "command line"), ("resume.requested", "ann", "command line"),
        ("mandate.resumed", "ben", "command line"),
    ]  # fmt: skip


async def test_nobody_pauses_or_resumes_what_is_not_there(office: Office) -> None:
    for name in ("clerk", "nobody"):
        with pytest.raises(UnknownObject):
            await freezes.freeze(name, "mandate", show("mnd", office.mandate.id), "It looks odd.", None, None)
    for mandate in ("mnd_" + "0" * 32, "nothing"):
        with pytest.raises(UnknownObject):
            await freezes.freeze("ann", "mandate", mandate, "It looks odd.", None, None)
        with pytest.raises(UnknownObject):
            await freezes.resume_mandate("ann", mandate, None, None)
