"""Definitions of jobs from the command line: from a file into the next version, each with its event."""

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.core.identity import service as identity
from bursar.faces.cli import job_definitions
from bursar.faces.cli.jobs_commands import jobs_app
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument, UnknownObject

TENANT = "ours"
BODY: dict[str, Any] = {
    "name": "sign_off",
    "steps": [
        {"name": "ask", "role": "initiate", "stage": "asked"},
        {"name": "sign", "role": "approve", "stage": "signed"},
    ],
    "separate": [["initiate", "approve"]],
}


@pytest.fixture
async def place(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A tenant with the operator ann, in the database that commands find configured."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with database.transaction(tenant_id_of(TENANT)) as tx:
        await identity.create_tenant(tx, TENANT)
        await identity.create_principal(tx, "operator", "ann")
    return database


async def test_a_version_goes_in_from_a_file_and_is_listed_and_shown(place: Database, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(BODY))
    first = await job_definitions.added(file, "ann", TENANT, None)
    assert (first["version"], first["separate"]) == (1, [["initiate", "approve"]])
    assert (await job_definitions.added(file, "ann", TENANT, None))["version"] == 2
    assert await job_definitions.shown("sign_off", 1, TENANT, None) == first
    assert (await job_definitions.shown("checkout", None, TENANT, None))["made_by"] is None
    versions = [(d["name"], d["version"]) for d in await job_definitions.listed(TENANT, None)]
    assert versions[-2:] == [("sign_off", 1), ("sign_off", 2)]
    async with place.transaction(tenant_id_of(TENANT), read_only=True) as tx:
        told = await tx.column(str, "SELECT body::jsonb #>> '{payload,by}' FROM event WHERE tenant_id = $1", tx.tenant)
    assert told == ["command line", "command line"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (json.dumps(BODY | {"steps": BODY["steps"][:1]}), "steps"),
        (json.dumps(BODY | {"separate": [["approve", "approve"]]}), "separate.0"),
        ("not JSON", "the file"),
    ],
)
async def test_what_is_no_definition_is_refused(place: Database, tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(InvalidArgument, match=field):
        await job_definitions.added(file, "ann", TENANT, None)
    with pytest.raises(UnknownObject):
        await job_definitions.shown("sign_off", None, TENANT, None)
    file.write_text(json.dumps(BODY))
    with pytest.raises(UnknownObject):
        await job_definitions.added(file, "nobody", TENANT, None)
    with pytest.raises(SystemExit):
        await job_definitions.added(tmp_path / "missing.json", "ann", TENANT, None)
    assert place


def test_the_commands_take_their_options() -> None:
    for line in ("definitions list", "definitions show checkout --version 1", "definitions add f.json --operator ann"):
        command, bound, _ = jobs_app.parse_args(line, exit_on_error=False, print_error=False)
        assert command
        assert json.dumps(bound.arguments, default=str)
