"""Loans of a real bank on the book: applied for, decided, paid out on their day, and paid back as they were.

The rows are from the Berka data set (PKDD'99 Discovery Challenge, financial data of a Czech bank, public): of table
`loan`, and of table `trans` what accounts paid for their loans (`k_symbol` is UVER). All of them in the soak, for which
BURSAR_BERKA names the folder.
"""

import csv
import os
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.features.lending.applying import Lender
from tests.features.lending.borrowing import accepted, balance, in_order

FOLDER = os.environ.get("BURSAR_BERKA")
LOANS = """\
loan_id;account_id;date;amount;duration;payments;status
5316;1801;930711;165960;36;4610.00;A
6863;9188;930728;127080;60;2118.00;A
5314;1787;930705;96396;12;8033.00;B
6554;7637;970129;390096;48;8127.00;C
"""
REPAYMENTS = """\
trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account
2775659;9188;930812;VYDAJ;PREVOD NA UCET;2118.30;20487.40;UVER;GH;22466057
"""


class Past(NamedTuple):
    """A loan of the bank, and what was paid for it, in the order of the days."""

    account: str
    day: date
    amount: str
    months: int
    payment: str
    repayments: list[tuple[date, str]]


def day_of(text: str) -> date:
    return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:]))


def read(loans: Iterable[str], lines: Iterable[str]) -> list[Past]:
    paid: dict[str, list[tuple[date, str]]] = {}
    for row in csv.DictReader(lines, delimiter=";"):
        if row["k_symbol"] == "UVER":
            paid.setdefault(row["account_id"], []).append((day_of(row["date"]), row["amount"]))
    return [
        Past(
            row["account_id"], day_of(row["date"]), row["amount"], int(row["duration"]), row["payments"],
            sorted(paid.get(row["account_id"], [])),
        )
        for row in csv.DictReader(loans, delimiter=";")
    ]  # fmt: skip


async def lend(lender: Lender) -> str:
    """The product of that bank, of whose loans its table knows no interest; and accounts for what is lent and paid."""
    for number in ("bank", "borrowers"):
        body = {"number": number, "name": number, "currency": "CZK", "floor": "none"}
        await lender.ok("operator", "/accounts", body)
    return await lender.product(
        account="bank", currency="CZK", min_amount="1000", max_amount="1000000", min_installments=12, rate_ppm=0
    )


async def book(lender: Lender, product: str, past: Past) -> dict[str, Any]:
    """The loan as it went: its schedule is the bank's, and so is what was repaid."""
    wish: dict[str, Any] = {"product": product, "amount": past.amount, "currency": "CZK", "installments": past.months}
    loan = await accepted(lender, "ann", applicant_name=f"Account {past.account}", **wish)
    path = f"/loans/{loan['id']}"
    await lender.ok("operator", f"{path}/disburse", {"account": "borrowers", "on": str(past.day)})
    rows = (await lender.get(f"{path}/schedule"))["rows"]
    assert [row["total"] for row in rows] == [past.payment] * past.months
    assert sum(Decimal(row["principal"]) for row in rows) == Decimal(past.amount)
    # One a month from the month after.
    months = [12 * due.year + due.month for due in (date.fromisoformat(row["due"]) for row in rows)]
    first = 12 * past.day.year + past.day.month + 1
    assert months == list(range(first, first + past.months))
    for day, amount in past.repayments:
        await lender.ok("operator", f"{path}/repay", {"account": "borrowers", "amount": amount, "on": str(day)})
    return loan


async def compare(lender: Lender, loan: dict[str, Any], past: Past) -> None:
    """What the bank's account paid is what the loan was paid, to the cent, and each time about an installment."""
    listed = (await lender.get(f"/loans/{loan['id']}/repayments?limit=500"))["items"]
    assert [(each["on"], each["amount"]) for each in listed] == [(str(day), amount) for day, amount in past.repayments]
    # The bank's orders are in other tenths of a crown than its loans.
    assert all(abs(Decimal(amount) - Decimal(past.payment)) <= Decimal("0.50") for _, amount in past.repayments)
    paid = sum(Decimal(amount) for _, amount in past.repayments)
    last = past.repayments[-1][0]
    told = await lender.get(f"/loans/{loan['id']}/statement?last={last}&limit=1")
    assert Decimal(told["closing_balance"]) == Decimal(past.amount) - paid


async def booked(lender: Lender, database_url: str, all_of_them: list[Past]) -> None:
    product = await lend(lender)
    made = [(await book(lender, product, past), past) for past in all_of_them]
    for loan, past in made:
        if past.repayments:
            await compare(lender, loan, past)
    lent = sum(int(past.amount) * 100 for past in all_of_them)
    repaid = sum(int(amount.replace(".", "")) for past in all_of_them for _, amount in past.repayments)
    assert await balance(lender, "borrowers") == lent - repaid == -await balance(lender, "bank")
    in_order(database_url)
    # The portfolio says how much was lent in each month, as the bank's table does.
    flows = (await lender.get("/loan-portfolio/cash-flows"))["rows"]
    by_month = groupby(sorted(all_of_them, key=lambda past: past.day), key=lambda past: f"{past.day:%Y-%m}")
    assert {row["month"]: row["disbursed"] for row in flows if row["disbursed"] != "0.00"} == {
        month: f"{sum(int(past.amount) for past in group)}.00" for month, group in by_month
    }
    assert sum(Decimal(row["received"]) for row in flows) == Decimal(repaid) / 100


async def test_real_loans_are_booked_and_their_schedule_is_the_bank_s(lender: Lender, database_url: str) -> None:
    await booked(lender, database_url, read(LOANS.splitlines(), REPAYMENTS.splitlines()))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not FOLDER, reason="BURSAR_BERKA names no folder with the Berka data set")
async def test_all_464_loans_are_booked_and_their_schedule_is_the_bank_s(lender: Lender, database_url: str) -> None:
    assert FOLDER
    with (
        (Path(FOLDER) / "loan.csv").open(encoding="utf-8") as loans,
        (Path(FOLDER) / "transactions_1993_1994.csv").open(encoding="utf-8") as lines,
    ):
        found = read(loans, lines)
    assert (len(found), sum(len(past.repayments) for past in found)) == (464, 94)
    await booked(lender, database_url, found)
