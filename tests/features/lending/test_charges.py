"""What a product charges beside interest reaches the loan and the book: fees, penalties, what is set aside."""

from datetime import timedelta
from typing import Any

import pytest

from bursar import worker
from bursar.features.lending.booking import number_of
from bursar.kernel.db import Database
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import balance, borrowed, in_order, rich, today

CHARGES = {
    "charges": {
        "disbursement_fee": {"fixed": "10", "ppm": 10_000}, "installment_fee": {"fixed": "1.50"}, "grace_days": 5,
        "late_fee": {"fixed": "5"}, "penalty_rate_ppm": 240_000,
    },
    "provisions": {
        "current": 10_000, "days_1_30": 50_000, "days_31_60": 250_000, "days_61_90": 500_000, "days_over_90": 1_000_000,
    },
    "rhythm": {"business_day": "following", "calendar": "US"},
}  # fmt: skip


async def test_fees_penalties_and_provisions_are_on_the_book(
    lender: Lender, workers: Database, database_url: str
) -> None:
    product = await lender.product(**CHARGES)
    theirs = await balance(lender, lender.tenant.side)
    loan = await borrowed(lender, today() - timedelta(days=100), product=product)
    offer = (await lender.get(f"/applications/{loan['application_id']}"))["offer"]
    assert (offer["disbursement_fee"], offer["installments"][0]["fee"]) == ("22.00", "1.50")
    # 1,200 less 10 and 1 %.
    assert await balance(lender, lender.tenant.side) - theirs == 120_000 - 2_200
    await worker.pass_nights(workers)
    seen = await lender.get(f"/loans/{loan['id']}")
    assert seen["bucket"] == "61-90"
    # Three installments with a late fee each, and some of the rate.
    assert float(seen["penalties"]) > 15
    assert await balance(lender, number_of(product, "USD", "allowance")) == 60_000
    assert await balance(lender, number_of(product, "USD", "fee_income")) == 2_200 + 450
    waived: Any = {"part": "penalty", "amount": "5", "reason": "A friendly word."}
    after = await lender.ok("operator", f"/loans/{loan['id']}/waive", waived)
    assert float(seen["penalties"]) - float(after["penalties"]) == 5
    await rich(lender)
    await lender.ok("ann", f"/loans/{loan['id']}/repay", {"account": lender.tenant.side, "amount": "500"})
    assert await balance(lender, number_of(product, "USD", "allowance")) < 1_200
    in_order(database_url)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "balloon"}, {"balloon_ppm": 50_000}, {"rhythm": {"calendar": "XX"}},
        {"rhythm": {"principal_grace": 6}}, {"rhythm": {"interest_grace": 1}},
        {"allocation": ["fee", "fee", "interest", "principal"]}, {"charges": {"late_fee": {"fixed": "0.001"}}},
        {"charges": {"late_fee": {"ppm": 1_000_001}}},
    ],
    ids=str,
)  # fmt: skip
async def test_terms_that_make_no_loan_are_no_product(lender: Lender, change: dict[str, Any]) -> None:
    code = await lender.product()
    body = {
        "code": code, "account": lender.tenant.main, "currency": "USD", "min_amount": "100", "max_amount": "10000",
        "min_installments": 6, "max_installments": 60, "rate_ppm": 99_000, **change,
    }  # fmt: skip
    refused(await lender.post("operator", "/loan-products", body), 422, "invalid_argument")
