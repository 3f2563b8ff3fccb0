"""`bursar reconcile import|run|report|accept`: what is printed in each form, and the code a script can act on."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from bursar.core.identity import service as identity
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.faces.cli import reconciling
from bursar.faces.cli.place import tenant_id_of
from bursar.features.reconciliation.legs import Scope
from bursar.features.reconciliation.model import CannotReadFile
from bursar.kernel.db import Database
from tests.features.reconciliation.bank_files import camt

SCOPE = Scope(date(2026, 3, 1), date(2026, 3, 31), "EUR", "bank", "mybank", "DE02120300000000202051")


@pytest.fixture
async def statement(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A statement of an account in whose ledger nothing is, on a configured database whose operator is Ann."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with database.transaction(tenant_id_of("main")) as tx:
        await identity.create_tenant(tx, "main")
        await identity.create_principal(tx, "operator", "ann")
        await accounts.open_many(tx, [OpenAccount("bank", "Our bank", "EUR", floor_minor=None)])
    path = tmp_path / "march.xml"
    path.write_bytes(camt())
    return path


async def bring(path: Path) -> dict[str, object]:
    return await reconciling.import_statement(path, "mybank", "camt053", None, None, "ann", None, None)


async def test_what_a_run_finds_is_printed_in_each_form(statement: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (await bring(statement))["new"] == 3
    assert (await bring(statement))["new"] == 0
    assert await reconciling.run_all(SCOPE, "ann", "ann", "json", None, None) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["matched"], told["broken"]) == (0, 3)
    assert [(b["kind"], b["difference"], b["owner"], b["age_days"]) for b in told["breaks"]] == [
        ("missing_in_ledger", "-250.10", "ann", 0), ("missing_in_ledger", "20.00", "ann", 0),
        ("missing_in_ledger", "40.00", "ann", 0),
    ]  # fmt: skip
    assert await reconciling.report(told["id"], "csv", None, None) == 1
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(row["difference"], row["state"]) for row in rows] == [
        ("-250.10", "open"), ("20.00", "open"), ("40.00", "open"),
    ]  # fmt: skip
    for found in told["breaks"]:
        accepted = await reconciling.accept("ann", found["id"], "known", "As agreed.", None, None)
        assert accepted["state"] == "accepted"
    assert await reconciling.report(told["id"], "table", None, None) == 0
    printed = capsys.readouterr().out
    assert printed.count("accepted") == 3
    assert "0 matches, 3 breaks; 0 items were settled before, 0 breaks are none any more." in printed
    assert await reconciling.run_all(SCOPE, "ann", None, "table", None, None) == 0
    assert "0 matches, 0 breaks; 3 items were settled before" in capsys.readouterr().out


async def test_a_file_that_is_not_there_is_told(statement: Path) -> None:
    with pytest.raises(CannotReadFile):
        await bring(statement.with_name("april.xml"))
