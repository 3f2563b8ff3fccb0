"""`bursar lending fit` and `score` on real applicants; the whole data set where BURSAR_BERKA says where it is."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bursar.faces.cli.scoring import fit, score
from bursar.features.lending.scorecard import find_card
from bursar.features.lending.statements import read_loans
from bursar.kernel.refusal import InvalidArgument
from tests.features.lending.banking import BERKA, LOANS, SAMPLE, line, of_sample, write

FOLDER = os.environ.get("BURSAR_BERKA")
DECISIONS = {"approve", "review", "reject"}


def scored(file: Path, capsys: pytest.CaptureFixture[str], card: Path | None = None) -> dict[str, dict[str, Any]]:
    """What the command says of each account."""
    score(file, "berka", card, as_json=True)
    return {one["account"]: one for one in json.loads(capsys.readouterr().out)}


def fitted(folder: Path, capsys: pytest.CaptureFixture[str], statements: Path, loans: Path) -> dict[str, Any]:
    """The report of a fit; the card and its picture are in the folder."""
    capsys.readouterr()
    fit(statements, loans, "berka", folder / "card.json", folder / "fit.svg", 1, "5000.00", 1, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_the_command_needs_neither_a_database_nor_a_place_to_write(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found = subprocess.run(
        [sys.executable, "-m", "bursar", "lending", "score", str(SAMPLE), "--mapping", "berka", "--json"],
        env={"HOME": str(home), "PATH": "", "BURSAR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        cwd=home,
        capture_output=True,
        check=True,
        text=True,
    )
    assert found.stderr == ""
    assert len(json.loads(found.stdout)) == 32
    assert list(home.iterdir()) == []


def test_every_applicant_gets_a_decision_with_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    found = scored(SAMPLE, capsys)
    assert list(found) == list(dict.fromkeys(text.split(";")[1] for text in SAMPLE.read_text().splitlines()[1:]))
    for one in found.values():
        assert one["proposal"] in DECISIONS
        assert one["reasons"]
        assert 0 < one["probability"] < 1
        assert (one["card"], one["card_version"], one["lines_left_out"]) == ("berka", 1, 0)
    bad = {account for account, loan in read_loans(LOANS, BERKA).items() if loan.is_bad}
    outcomes = Counter((one["proposal"], account in bad) for account, one in found.items())
    assert outcomes == {
        ("approve", False): 14,
        ("review", False): 8,
        ("review", True): 3,
        ("reject", False): 1,
        ("reject", True): 6,
    }


def test_an_account_gets_the_same_score_whatever_else_is_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = scored(SAMPLE, capsys)
    for account in list(whole)[:5]:
        turned = write(tmp_path, *reversed(of_sample([account])), end="\r\n")
        assert scored(turned, capsys) == {account: whole[account]}


def test_a_file_without_accounts_gets_an_empty_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored(write(tmp_path), capsys) == {}


def test_the_table_shows_an_account_whose_name_would_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(write(tmp_path, "1;\x1b[2Jgone;970101;credit;;1.00;1.00;;;"), "berka", None, as_json=False)
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown
    assert "review" in shown


def test_a_fitted_card_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = fitted(tmp_path, capsys, SAMPLE, LOANS)
    assert (report["loans"], report["bad"]) == (32, 9)
    assert report["auc"]["low"] < 0.85 < report["auc"]["high"]
    card = (tmp_path / "card.json").read_bytes()
    assert fitted(tmp_path, capsys, SAMPLE, LOANS) == report
    assert (tmp_path / "card.json").read_bytes() == card
    assert (tmp_path / "fit.svg").read_text().startswith("<svg")
    assert len(scored(SAMPLE, capsys, tmp_path / "card.json")) == 32


def test_the_report_is_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(SAMPLE, LOANS, "berka", tmp_path / "card.json", None, 2, "3000", 1, as_json=False)
    shown = capsys.readouterr().out
    assert "Card berka version 2 of 32 loans, 9 of them bad" in shown
    assert "AUC 0." in shown
    assert find_card(tmp_path / "card.json").under_minor == 300_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card.json"]


def test_what_cannot_be_fitted_or_scored_is_refused_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(tmp_path, *of_sample(["97"]))
    for why, statements, loans, out, under in (
        ("0 of 1 with a statement are bad", good, LOANS, tmp_path / "card.json", "5000"),
        ("lacks the columns", LOANS, LOANS, tmp_path / "card.json", "5000"),
        ("lacks the columns", SAMPLE, SAMPLE, tmp_path / "card.json", "5000"),
        ("cannot be written", SAMPLE, LOANS, tmp_path / "none" / "card.json", "5000"),
        ("under", SAMPLE, LOANS, tmp_path / "card.json", "-1"),
    ):
        with pytest.raises(InvalidArgument, match=why):
            fit(statements, loans, "berka", out, None, 1, under, 1, as_json=True)
    foreign = tmp_path / "foreign.json"
    foreign.write_text(find_card(None).model_copy(update={"currency": "EUR"}).model_dump_json())
    for why, card in (("is in EUR", foreign), ("cannot be read", tmp_path / "none.json"), ("card", SAMPLE)):
        with pytest.raises(InvalidArgument, match=why):
            scored(SAMPLE, capsys, card)


def test_loans_that_nothing_tells_apart_make_no_card(tmp_path: Path) -> None:
    same = write(tmp_path, *(line("1", str(n)) for n in range(12)))
    loans = tmp_path / "loans.csv"
    loans.write_text("account_id;date;status\n" + "".join(f"{n};980101;{'AB'[n % 2]}\n" for n in range(12)))
    with pytest.raises(InvalidArgument, match="nothing in the statements tells"):
        fit(same, loans, "berka", tmp_path / "card.json", None, 1, "5000", 1, as_json=True)
    assert not (tmp_path / "card.json").exists()


@pytest.mark.soak
@pytest.mark.skipif(not FOLDER, reason="BURSAR_BERKA names no folder with the Berka data set")
def test_the_card_that_comes_with_bursar_is_made_again_from_the_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statements, loans = (Path(FOLDER or "") / name for name in ("loan_applicant_transactions.csv", "loan.csv"))
    report = fitted(tmp_path, capsys, statements, loans)
    assert (report["loans"], report["bad"]) == (235, 20)
    assert report["auc"]["low"] > 0.82
    made, ours = find_card(tmp_path / "card.json"), find_card(None)
    assert made.model_copy(update={"fitted": None}) == ours.model_copy(update={"fitted": None})
    found = scored(statements, capsys)
    assert len(found) == 235
    assert all(one["proposal"] in DECISIONS and one["reasons"] for one in found.values())
