"""`bursar import statement` and `bursar reconcile` say what they did, and end with a code that a script can act on."""

import json
from pathlib import Path

import pytest

from bursar.faces.cli.statements import import_statement_command, reconcile_command
from bursar.features.reconciliation.model import CannotReadFile, UnknownMapping
from bursar.kernel.refusal import InvalidArgument
from tests.statements import HEADER, SAMPLE, line


@pytest.fixture(autouse=True)
def configured(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configured database without any tenant."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One good line, one that is none, and a balance that is wrong."""
    path = tmp_path / "[red]statement.csv"
    lines = [HEADER, line("1"), line("2", amount="1.005"), line("3", date="930102", balance="150.00")]
    path.write_text("\n".join(lines))
    return path


async def bring(path: Path, *, as_json: bool = False) -> int:
    return await import_statement_command(path, "berka", "acme", None, as_json=as_json)


async def compare(path: Path, tolerance: str = "1.00", tenant: str = "acme", *, as_json: bool = False) -> int:
    return await reconcile_command(path, "berka", tolerance, tenant, None, as_json=as_json)


async def test_an_import_is_told_and_its_progress_is_not_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert await bring(SAMPLE) == 0
    first = capsys.readouterr()
    assert "772 new, 0 already there, 0 left out" in first.out
    assert "3195033.30 CZK" in first.out
    assert "Importing berka.csv" in first.err
    assert await bring(SAMPLE) == 0
    assert "0 new, 772 already there, 0 left out" in capsys.readouterr().out


async def test_left_out_lines_are_told_and_change_the_code(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await bring(file) == 2
    assert "Line 3 was left out: amount: CZK has 2 decimals." in capsys.readouterr().out


async def test_json_of_an_import_is_all_there_is_on_standard_output(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await bring(file, as_json=True) == 2
    said = json.loads(capsys.readouterr().out)
    assert said.pop("milliseconds") >= 0
    assert said == {
        "lines": 3,
        "new": 2,
        "already_there": 0,
        "accounts_opened": 2,
        "currency": "CZK",
        "credits": "200.00",
        "debits": "0.00",
        "bad_lines": [{"line": 3, "reason": "amount: CZK has 2 decimals"}],
    }


async def test_a_comparison_lists_the_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    await bring(SAMPLE)
    capsys.readouterr()
    assert await compare(SAMPLE) == 1
    said = capsys.readouterr().out
    assert "130.30" in said
    assert "772 movements on 20 accounts" in said
    assert "2 of 651 account-days do not agree." in said


async def test_json_of_a_comparison_has_the_totals_of_the_ledger_and_the_breaks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await bring(SAMPLE)
    capsys.readouterr()
    assert await compare(SAMPLE, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert [said[name] for name in ("movements", "accounts", "credits", "debits", "account_days")] == [
        772, 20, "3195033.30", "2524290.70", 651,
    ]  # fmt: skip
    assert said["breaks"][0] == {
        "account": "11065",
        "date": "1994-03-31",
        "bank": "33897.00",
        "ledger": "33766.70",
        "difference": "130.30",
    }
    assert len(said["breaks"]) == 2
    assert set(said) == {"movements", "accounts", "credits", "debits", "account_days", "breaks"}


async def test_codes_tell_agreement_breaks_and_lines_that_could_not_be_read(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await bring(file)
    assert await compare(file) == 1
    assert await compare(file, "50.00") == 2
    assert "Line 3 was left out" in capsys.readouterr().err
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join([HEADER, line("1")]))
    assert await compare(whole) == 0


async def test_a_tenant_without_the_statement_has_a_break_on_every_day() -> None:
    await bring(SAMPLE)
    assert await compare(SAMPLE, tenant="other") == 1


async def test_what_cannot_be_done_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UnknownMapping):
        await import_statement_command(SAMPLE, "barclays", None, None, as_json=False)
    with pytest.raises(InvalidArgument):
        await compare(SAMPLE, "a bit")
    with pytest.raises(CannotReadFile):
        await bring(tmp_path / "missing.csv")
