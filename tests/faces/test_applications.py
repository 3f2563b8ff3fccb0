"""Applications from the command line: as JSON, with their trail, and their decisions made again."""

import pytest

from bursar.faces.cli import applications
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.lending.applying import lender_of


async def test_applications_are_listed_shown_and_decided_again(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with served(database) as app, client_of(app) as client:
        lender = await lender_of(database, client, await enrol(database, client, "main", tenant_id_of("main")))
        first = await lender.submitted("ann", email="Avery@example.com")
        assert (await lender.decide("ann", first, "approved")).status_code == 200
        await lender.submitted("bob")
    assert len(await applications.listed(None, None, None, None)) == 2
    (found,) = await applications.listed("approved", None, None, None)
    assert await applications.listed(None, "avery@EXAMPLE.com", None, None) == [found]
    assert await applications.shown(first["id"], None, None) == found
    trail = await applications.events(first["id"], None, None)
    assert [(event["type"], event["actor"]) for event in trail] == [
        ("created", "ann"), ("submitted", "ann"), ("decided", "ann"),
    ]  # fmt: skip
    (again,) = await applications.replay(first["id"], None, None)
    assert again == {
        "id": found["decisions"][0]["id"], "outcome": "approved", "inputs_are_those_of_the_hash": True,
        "score_is_the_same": True, "rules_say_the_same": True,
    }  # fmt: skip
    with pytest.raises(UnknownObject, match="application"):
        await applications.shown(f"app_{new_id().hex}", None, None)
