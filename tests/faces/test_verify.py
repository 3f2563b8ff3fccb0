"""`bursar verify` tells what is wrong and ends with a code that a script can act on."""

import json
from uuid import UUID

import pytest

from bursar.faces.cli.verify import REPLAYS, verify
from bursar.features.verification import service as verification
from bursar.kernel.db import Database, connect
from bursar.kernel.db import database as databases
from tests.stories import Story


@pytest.fixture
async def url(unverified_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configured database in which something has happened."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", unverified_database_url)
    tenant_id = UUID(int=1)
    database = await Database.open(unverified_database_url)
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'one')", tenant_id)
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        [alice] has 100.00 USD
        bob has 0.00 USD
        [alice] -> bob 30.00 USD
    """)
    await database.close()
    return unverified_database_url


async def _break(url: str) -> None:
    connection = await connect(url)
    await connection.execute("UPDATE bursar.account SET version = 9 WHERE number = '[alice]'")
    await connection.close()


async def test_books_in_order_are_said_to_be_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert url
    assert await verify(None, as_json=False) == 0
    said = capsys.readouterr().out
    assert "All is in order." in said
    assert "2 entries" in " ".join(said.split())
    assert all(invariant.name in said for invariant in verification.invariants())


async def test_a_broken_book_is_named_row_by_row(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await _break(url)
    assert await verify(None, as_json=False) == 1
    said = capsys.readouterr().out
    assert '"number": "[alice]"' in said
    assert f"1 of {len(verification.invariants()) + len(REPLAYS)} invariants are broken." in said


async def test_json_holds_the_same_and_nothing_else(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await _break(url)
    assert await verify(None, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert said["looked_at"]["accounts"] == 3
    broken = [i for i in said["invariants"] if i["violations"]]
    assert [(i["name"], [v["number"] for v in i["violations"]]) for i in broken] == [("I03", ["[alice]"])]


async def test_a_question_may_take_longer_than_any_request(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert url
    monkeypatch.setattr(databases, "_SECONDS_TO_ANSWER", 1e-9)
    monkeypatch.setattr(databases, "_SECONDS_OF_A_STATEMENT", 0.001)
    assert await verify(None, as_json=True) == 0


async def test_whoever_waits_at_a_terminal_is_told_how_far_it_is(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    await verify(None, as_json=True)
    assert not capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    await verify(None, as_json=True)
    told = capsys.readouterr()
    assert json.loads(told.out)["ok"]
    assert all(invariant.claim in told.err for invariant in verification.invariants())
