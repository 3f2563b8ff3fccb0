"""Scorecards from the command line, and the one that is there when a sandbox begins."""

from pathlib import Path

import pytest

from bursar.faces.cli import scorecards
from bursar.faces.cli.place import opened, tenant_id_of
from bursar.features.lending import scorecards as rooms
from bursar.features.lending.scorecard import find_card
from bursar.kernel.db import Database
from bursar.kernel.refusal import Conflict
from tests.people import enrol


async def test_a_card_is_drafted_activated_and_retired(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    main = tenant_id_of("main")
    async with database.transaction(main) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'main')", main)
    await enrol(database, main, "operator", "olivia")
    made = await scorecards.draft(None, "olivia", None, None)
    assert (made["scorecard"], made["status"], made["card_sha256"]) == ("berka-1", "draft", find_card(None).digest)
    assert (await scorecards.become("active", "berka-1", "olivia", None, None))["status"] == "active"
    with pytest.raises(Conflict):
        await scorecards.draft(None, "olivia", None, None)
    retired = await scorecards.become("retired", "berka-1", "olivia", None, None)
    assert await scorecards.listed(None, None) == [retired]


async def test_the_sandbox_begins_with_the_card_that_comes_with_bursar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BURSAR_DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for _ in range(2):
        async with opened(tmp_path) as place, place.database.transaction(place.tenant_id) as tx:
            card, is_active = await rooms.named(tx, "berka-1")
            assert (card, is_active) == (find_card(None), True)
