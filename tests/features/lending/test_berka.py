"""Loans of a real bank: their schedules are the payments it recorded.

The rows are from the Berka data set (PKDD'99 Discovery Challenge, financial data of a Czech bank, table `loan`): the
amount in CZK, the months and the monthly payment, which bears no interest.
"""

from datetime import date

import pytest

from bursar.features.lending.product import Product, Terms
from bursar.features.lending.schedule import schedule_of

LOANS = """
5314 930705 96396 12 8033.00
5316 930711 165960 36 4610.00
6863 930728 127080 60 2118.00
6736 940614 288360 60 4806.00
6960 950111 76416 24 3184.00
7176 951028 260028 36 7223.00
5725 960723 444864 48 9268.00
6011 961128 179328 48 3736.00
6819 970503 50112 24 2088.00
7147 980102 267600 48 5575.00
5265 981007 165780 60 2763.00
"""
PRODUCT = Product("CZK", amount=(1_000_00, 1_000_000_00), installments=(12, 60), rate_ppm=0)


@pytest.mark.parametrize(
    "loan", [line.split() for line in LOANS.strip().splitlines()], ids=lambda loan: f"loan {loan[0]}"
)
def test_a_schedule_is_the_payments_of_the_bank(loan: list[str]) -> None:
    _, day, amount, months, payment = loan
    paid_out = date(1900 + int(day[:2]), int(day[2:4]), int(day[4:]))
    rows = schedule_of(Terms(PRODUCT, int(amount) * 100, int(months), paid_out))
    assert [row.total for row in rows] == [int(payment.replace(".", ""))] * int(months)
    assert sum(row.principal for row in rows) == int(amount) * 100
