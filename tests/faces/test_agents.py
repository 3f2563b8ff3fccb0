"""Teams from the command line: set with a key or apart, in the record either way, and for agents only."""

from collections.abc import Sequence

import pytest

from bursar.core.events import service as events
from bursar.faces.cli import agents, keys
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument, UnknownObject


@pytest.fixture
async def place(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A configured database with the operator ann."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    await keys.create("operator", "ann", None, None, None, None, None)
    return database


async def teams() -> Sequence[tuple[str, str | None]]:
    return [(agent["name"], agent["team"]) for agent in await agents.listed(None, None)]


async def test_a_team_is_set_with_the_key_and_changed_apart(place: Database) -> None:
    await keys.create("agent", "bea", None, None, "buyers", None, None)
    await keys.create("agent", "sam", None, None, None, None, None)
    assert await teams() == [("bea", "buyers"), ("sam", None)]
    await agents.change_team("ann", "sam", "sellers", None, None)
    assert (await agents.change_team("ann", "bea", None, None, None))["team"] is None
    assert await teams() == [("bea", None), ("sam", "sellers")]
    async with place.transaction(tenant_id_of("main"), read_only=True) as tx:
        found = await events.read(tx, events.Filter(action="change_team"), None, 10)
    told = [(e.facts["actor"], e.facts["payload"]) for e in reversed(found)]
    assert [actor.get("name") for actor, _ in told] == [None, "ann", "ann"]
    assert [(facts["name"], facts["was"], facts["team"], facts["by"]) for _, facts in told] == [
        ("bea", None, "buyers", "command line"), ("sam", None, "sellers", "command line"),
        ("bea", "buyers", None, "command line"),
    ]  # fmt: skip


async def test_only_agents_have_teams_and_only_operators_change_them(place: Database) -> None:
    with pytest.raises(InvalidArgument, match="team"):
        await keys.create("operator", "ben", None, None, "buyers", None, None)
    await keys.create("agent", "bea", None, None, None, None, None)
    with pytest.raises(InvalidArgument, match="team"):
        await agents.change_team("ann", "bea", "no name", None, None)
    for operator, agent in (("bea", "bea"), ("nobody", "bea"), ("ann", "ann"), ("ann", "nobody")):
        with pytest.raises(UnknownObject):
            await agents.change_team(operator, agent, "buyers", None, None)
    assert await teams() == [("bea", None)]
