"""Statements of banks as they come: every account is found, and what cannot be read spoils nothing else."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from bursar.features.lending.features import measure
from bursar.features.lending.fitting import Terms
from bursar.features.lending.mapping import find_mapping, read_mapping
from bursar.features.lending.scoring_files import read_examples, score_file
from bursar.features.lending.statements import Loan, read_loans, read_statements
from bursar.features.lending.summary import summarise
from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument
from tests.features.lending.banking import BERKA, CARD, HEADER, LOANS, SAMPLE, line, moved, write


def test_a_line_says_what_moved_and_what_kind_it_is(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        line("1", amount="900.00", balance="900.00"),
        line("2", date_="970131", type_="VYDAJ", amount="250.50", balance="649.50", symbol="UVER"),
        line("3", date_="970131", type_="withdrawal", balance="-10.00", symbol="sanction interest if negative balance"),
    )
    assert read_statements(file, BERKA)["1787"].movements == [
        moved(date(1997, 1, 1), 90_000, 90_000),
        moved(date(1997, 1, 31), -25_050, 64_950, "debt_service"),
        moved(date(1997, 1, 31), -10_000, -1_000, "penalty_interest"),
    ]


def test_line_ends_a_byte_order_mark_and_the_order_of_columns_do_not_matter(tmp_path: Path) -> None:
    plain = read_statements(write(tmp_path, line("1"), line("2", "9")), BERKA)
    assert read_statements(write(tmp_path, line("1"), line("2", "9"), end="\r\n"), BERKA) == plain
    assert read_statements(write(tmp_path, line("1"), line("2", "9"), header=f"\ufeff{HEADER}"), BERKA) == plain
    turned = [";".join(reversed(text.split(";"))) for text in (HEADER, line("1"), line("2", "9"))]
    assert read_statements(write(tmp_path, *turned[1:], header=turned[0]), BERKA) == plain


@pytest.mark.parametrize(
    "spoilt",
    [
        line("2", date_="971301"),
        line("2", date_=""),
        line("2", amount="many", balance=""),
        line("2", amount="1" * 19, balance="NaN"),
        line("2", amount="1e3", balance="1e3"),
        line("2", amount="--1", balance="٣"),
        "2;1787",
        line("2", symbol='"never closed', amount="x", balance=""),
        line("1"),
    ],
)
def test_a_line_that_cannot_be_read_or_comes_twice_is_left_out_and_counted(tmp_path: Path, spoilt: str) -> None:
    statement = read_statements(write(tmp_path, line("1"), spoilt, line("3", date_="970102")), BERKA)["1787"]
    assert (len(statement.movements), statement.left_out) == (2, 1)


def test_a_line_of_unknown_type_still_says_the_balance_of_its_day(tmp_path: Path) -> None:
    file = write(tmp_path, line("1"), line("2", date_="970103", type_="???", amount="5.00", balance="105.00"))
    summary = summarise(read_statements(file, BERKA)["1787"].movements, "CZK", 10_500)
    (month,) = summary.months
    assert (month.days, month.days_under, month.income_minor) == (3, 2, 10_000)


def test_every_account_gets_an_answer_even_one_whose_lines_say_nothing(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        line("1"),
        line("2", "empty", date_="?"),
        ";;;",
        line("3", "odd\x1b[2J"),
        "no quote is closed;x;" + '"' + "x" * 200_000,
    )
    found = {one.account: one for one in score_file(file, BERKA, CARD)}
    assert list(found) == ["1787", "empty", "odd\x1b[2J"]
    assert (found["empty"].lines, found["empty"].lines_left_out) == (1, 1)
    assert found["empty"].score.proposal == "review"
    assert found["empty"].score.reasons[0].text == "the history covers 0 whole months; below 2 a person decides"


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="lacks the columns balance, k_symbol"):
        read_statements(write(tmp_path, header="trans_id;account_id;date;type;amount"), BERKA)
    with pytest.raises(InvalidArgument, match="cannot be read"):
        read_statements(tmp_path / "none.csv", BERKA)


def test_a_mapping_is_checked(tmp_path: Path) -> None:
    text = (files("bursar.features.lending") / "mappings" / "berka.toml").read_text(encoding="utf-8")
    with pytest.raises(InvalidArgument, match="built in \\(berka\\)"):
        find_mapping(str(tmp_path / "mine.toml"))
    for old, new, why in (
        ('"CZK"', '"XYZ"', "ISO 4217"),
        ('"VYDAJ"', '"credit"', "both credit and debit"),
        ('bad = ["B"', 'bad = ["A"', "both good and bad"),
        ('name = "interest"', 'name = "gift"', "kinds.1.name"),
        ("[columns]", "[columns", "TOML"),
    ):
        with pytest.raises(InvalidArgument, match=why):
            read_mapping(text.replace(old, new, 1))


def test_the_first_loan_of_known_outcome_counts(tmp_path: Path) -> None:
    file = tmp_path / "loans.csv"
    file.write_text("account_id;date;status\n1;970203;A\n1;970101;B\n1;980101;A\n1;960101;?\n2;nodate;A\n3;970101;C\n")
    day = date(1997, 1, 1)
    assert read_loans(file, BERKA) == {"1": Loan(day, is_bad=True), "3": Loan(day, is_bad=False)}


def test_what_came_after_the_loan_teaches_nothing(tmp_path: Path) -> None:
    """Else the score would know the outcome: who pays back late is charged penalty interest then."""
    terms = Terms("berka", 1, "CZK", 500_000)
    days = {row.split(";")[1]: row.split(";")[2] for row in LOANS.read_text().splitlines()[1:]}
    later = [
        line(f"L{account}", account, day, "withdrawal", balance="-9000.00", symbol="SANKC. UROK")
        for account, day in days.items()
    ]
    known = SAMPLE.read_text(encoding="utf-8").splitlines()
    with_later = write(tmp_path, *known[1:], *later, line("alone", "4711"))
    assert read_examples(with_later, LOANS, BERKA, terms) == read_examples(SAMPLE, LOANS, BERKA, terms)


def test_the_order_of_the_lines_teaches_nothing(tmp_path: Path) -> None:
    terms = Terms("berka", 1, "CZK", 500_000)
    turned = write(tmp_path, *reversed(SAMPLE.read_text(encoding="utf-8").splitlines()[1:]))
    assert read_examples(turned, LOANS, BERKA, terms) == read_examples(SAMPLE, LOANS, BERKA, terms)


def test_sums_beyond_this_world_are_cut(tmp_path: Path) -> None:
    huge = f"{MAX_MINOR // 100}.00"
    lines = [line(str(n), date_=f"97{1 + n // 20:02}{1 + n % 20:02}", amount=huge, balance="") for n in range(100)]
    (found,) = score_file(write(tmp_path, *lines), BERKA, CARD)
    features = found.features
    assert (features.income_minor, features.average_minor) <= (MAX_MINOR, MAX_MINOR)
    assert measure(summarise([], "CZK", 0)) == measure(summarise([], "CZK", 1))
