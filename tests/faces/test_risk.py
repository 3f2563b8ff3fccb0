"""Risk rules from the command line: the same steps, each with its event."""

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.core.identity import service as identity
from bursar.faces.cli import risk_rules
from bursar.faces.cli.place import tenant_id_of
from bursar.features.risk.ruleset import DEFAULT_RULES, write_rules
from bursar.features.risk.service import RulesStateConflict
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument, UnknownObject

TENANT = "ours"


@pytest.fixture
async def place(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A tenant with the operator ann, in the database that commands find configured."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with database.transaction(tenant_id_of(TENANT)) as tx:
        await identity.create_tenant(tx, TENANT)
        await identity.create_principal(tx, "operator", "ann")
    return database


def _file(folder: Path, version: int) -> Path:
    file = folder / f"{version}.json"
    file.write_text(write_rules(DEFAULT_RULES).replace('"version":1', f'"version":{version}'))
    return file


async def test_a_version_goes_from_a_file_into_the_shadow_in_force_and_out(place: Database, tmp_path: Path) -> None:
    made = await risk_rules.draft(_file(tmp_path, 2), "ann", TENANT, None)
    assert (made["version"], made["status"], made["rules"]["new_payee"]["points"]) == (2, "draft", 20)
    assert (await risk_rules.become("shadow", 2, "ann", TENANT, None))["status"] == "shadow"
    await risk_rules.become("active", 1, "ann", TENANT, None)
    assert (await risk_rules.become("active", 2, "ann", TENANT, None))["instead_of"] == 1
    assert {v["version"]: v["status"] for v in await risk_rules.listed(TENANT, None)} == {1: "retired", 2: "active"}
    await risk_rules.become("retired", 2, "ann", TENANT, None)
    async with place.transaction(tenant_id_of(TENANT), read_only=True) as tx:
        types = await tx.column(str, "SELECT type FROM event WHERE tenant_id = $1 ORDER BY id", tx.tenant)
    assert types == [f"risk_rules.{status}" for status in ("draft", "shadow", "active", "active", "retired")]


async def test_what_is_no_version_or_no_operator_is_refused(place: Database, tmp_path: Path) -> None:
    assert place
    with pytest.raises(RulesStateConflict):
        await risk_rules.draft(_file(tmp_path, 1), "ann", TENANT, None)
    with pytest.raises(UnknownObject):
        await risk_rules.draft(_file(tmp_path, 2), "nobody", TENANT, None)
    with pytest.raises(UnknownObject):
        await risk_rules.become("active", 2, "ann", TENANT, None)
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(InvalidArgument):
        await risk_rules.draft(broken, "ann", TENANT, None)
    with pytest.raises(SystemExit):
        await risk_rules.draft(tmp_path / "absent.json", "ann", TENANT, None)


async def test_a_comparison_of_nothing_says_so(place: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert place
    await risk_rules.compare(None, None, TENANT, None, as_json=False)
    assert "No rules were on trial." in capsys.readouterr().out
    await risk_rules.compare(None, None, TENANT, None, as_json=True)
    said: Any = json.loads(capsys.readouterr().out)
    assert said == []
