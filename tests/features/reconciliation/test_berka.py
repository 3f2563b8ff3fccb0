"""The whole Berka data set: its known totals, exactly its known breaks, and the rate at which it comes in."""

import csv
import os
import time
from datetime import date
from pathlib import Path

import pytest

from tests.statements import Office

FOLDER = os.environ.get("BURSAR_BERKA")

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not FOLDER, reason="BURSAR_BERKA names no folder with the Berka data set"),
]

# Slower than this is a defect even on a busy machine; the rate that is promised is measured on a quiet one.
LEAST_A_SECOND = 3_000


@pytest.fixture
def transactions() -> Path:
    return Path(FOLDER or "") / "transactions_1993_1994.csv"


def cut(transactions: Path, part: Path, third: int) -> Path:
    """Those accounts whose number leaves `third` when divided by 3."""
    header, *lines = transactions.read_bytes().splitlines(keepends=True)
    part.write_bytes(header + b"".join(text for text in lines if int(text.split(b";")[1]) % 3 == third))
    return part


async def test_all_of_it_goes_in_and_its_twenty_breaks_come_out(office: Office, transactions: Path) -> None:
    began = time.perf_counter()
    report = await office.bring(transactions)
    rate = report.new / (time.perf_counter() - began)
    assert (report.new, report.bad_lines) == (32_869, [])
    assert (str(report.credits), str(report.debits)) == ("119324917.60", "93915767.90")
    compared = await office.compare(transactions)
    assert (compared.movements, compared.accounts, compared.account_days) == (32_869, 800, 26_678)
    assert (str(compared.credits), str(compared.debits)) == ("119324917.60", "93915767.90")
    assert len(compared.breaks) == 20
    assert {b.day for b in compared.breaks} == {date(1994, 3, 31)}
    assert max(abs(b.difference.minor) for b in compared.breaks) == 33_220
    again = await office.bring(transactions)
    assert (again.new, again.already_there) == (0, 32_869)
    assert rate > LEAST_A_SECOND


async def test_the_ledger_ends_where_the_bank_does(office: Office, transactions: Path) -> None:
    await office.bring(transactions)
    last: dict[str, str] = {}
    with transactions.open(newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            last[row["account_id"]] = row["date"]
    ends = [b for b in (await office.compare(transactions, 0)).breaks if b.day.strftime("%y%m%d") == last[b.account]]
    assert sum(abs(b.difference.minor) > 100 for b in ends) == 20
    assert len(last) - len(ends) >= 376


@pytest.mark.parametrize("third", [0, 1, 2])
async def test_a_third_of_the_accounts_breaks_as_its_part_of_the_whole(
    office: Office, transactions: Path, third: int
) -> None:
    part = cut(transactions, office.folder / "third.csv", third)
    await office.bring(part)
    in_part = (await office.compare(part)).breaks
    in_whole = (await office.compare(transactions)).breaks
    assert in_part == [b for b in in_whole if int(b.account) % 3 == third]
    assert {b.ledger.minor for b in in_whole if int(b.account) % 3 != third} == {0}
    assert {b.day for b in in_part} <= {date(1994, 3, 31)}


async def test_the_statements_of_loan_applicants_agree_on_every_day(office: Office) -> None:
    statements = Path(FOLDER or "") / "loan_applicant_transactions.csv"
    report = await office.bring(statements)
    assert (report.new, report.bad_lines) == (19_984, [])
    compared = await office.compare(statements)
    assert (compared.account_days, compared.breaks) == (15_517, [])
