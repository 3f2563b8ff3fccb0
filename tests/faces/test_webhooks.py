"""Webhooks from the command line: the same rules as over the API, in the operator's name."""

from uuid import UUID

import pytest

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.identity import service as identity
from bursar.faces.cli import webhooks
from bursar.faces.cli.place import tenant_id_of
from bursar.features.notifications import service
from bursar.features.notifications.model import EndpointStateConflict
from bursar.kernel.db import Database
from bursar.kernel.ids import read, show
from bursar.kernel.refusal import InvalidArgument, UnknownObject


@pytest.fixture
async def main(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A configured database whose only tenant has an operator."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    tenant_id = tenant_id_of("main")
    async with database.transaction(tenant_id) as tx:
        await identity.create_tenant(tx, "main")
        await identity.create_principal(tx, "operator", "olivia")
    return tenant_id


async def test_an_endpoint_is_added_listed_disabled_and_its_deliveries_are_replayed(
    main: UUID, database: Database
) -> None:
    made = await webhooks.add("https://93.184.216.34/hook", ["transfer.posted"], "Books", "olivia", None, None)
    assert made["secret"].startswith("whsec_")
    (listed,) = await webhooks.listed(None, None)
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    async with database.transaction(main) as tx:
        tested = await service.test(tx, read("whe", made["id"]))
    again = await webhooks.replay(show("whd", tested.id), "olivia", None, None)
    found = await webhooks.deliveries(made["id"], "pending", 10, None, None)
    assert [delivery["id"] for delivery in found] == [again["id"], show("whd", tested.id)]
    assert (await webhooks.disable(made["id"], "olivia", None, None))["status"] == "disabled"
    with pytest.raises(EndpointStateConflict):
        await webhooks.disable(made["id"], "olivia", None, None)
    async with database.transaction(main, read_only=True) as tx:
        told = await events.read(tx, events.Filter(object=made["id"]), None, 10)
        assert told
    assert [(e.facts["type"], e.facts["actor"]["name"], e.facts["payload"]["by"]) for e in reversed(told)] == [
        ("webhook_endpoint.created", "olivia", "command line"),
        ("webhook_delivery.replayed", "olivia", "command line"),
        ("webhook_endpoint.disabled", "olivia", "command line"),
    ]


async def test_a_url_inside_and_a_stranger_are_refused(main: UUID, database: Database) -> None:
    for url in ("https://10.0.0.1/", "http://127.0.0.1:9000/", "https://localhost/"):
        with pytest.raises(InvalidArgument):
            await webhooks.add(url, [], "", "olivia", None, None)
    with pytest.raises(UnknownObject):
        await webhooks.add("https://93.184.216.34/", [], "", "nobody", None, None)
    assert await webhooks.listed(None, None) == []
    async with database.transaction(main) as tx:
        assert await approvals.acting(tx, "olivia")
