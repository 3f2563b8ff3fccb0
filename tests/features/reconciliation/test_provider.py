"""What a provider booked is brought in once."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from bursar.features.reconciliation import filing, line_store
from bursar.features.reconciliation.provider import ProviderTransaction, read_transactions
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument

FIRST = date(2026, 3, 1)
HEADER = "id,kind,day,currency,amount,fee,reference"


async def test_what_is_there_already_is_not_filed_again(database: Database, tenant_id: UUID) -> None:
    rows = [
        ProviderTransaction(f"txn_{n:05}", "charge", FIRST + timedelta(days=n % 20), "USD", 1_000, 30, f"pay_{n}")
        for n in range(2_350)
    ]
    for found, new in ((rows[:2_345], 2_345), (rows, 5)):
        async with database.transaction(tenant_id) as tx:
            filed, _ = await filing.file_transactions(tx, "acme", found)
            assert (filed.lines, filed.new) == (len(found), new)
    async with database.transaction(tenant_id, read_only=True) as tx:
        found = await line_store.list_provider_items(tx, "acme", "USD", FIRST, FIRST + timedelta(days=30), 10_000)
    assert len(found) == 2_350
    assert {(kind, item.change_minor) for kind, item in found} == {("charge", 970)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("txn_1,charge,2026-03-02,USD,1.005,0,", "line 2: an amount has more decimals"),
        ("txn_1,charge,2026-13-02,USD,1.00,0,", "line 2: the day is not written as YYYY-MM-DD"),
        ("txn_1,charge,2026-03-02,XXQ,1.00,0,", "line 2: the currency is not an ISO 4217 code"),
        ("txn_1,charge,2026-03-02,USD,NaN,0,", "line 2: an amount is not a number"),
        (",charge,2026-03-02,USD,1.00,0,", "line 2: id and kind must be"),
        ("txn_1,charge,2026-03-02,USD,1.00", "line 2: has 5 columns"),
    ],
)
def test_a_row_that_is_none_is_refused(row: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        read_transactions(f"{HEADER}\n{row}\n".encode())
    assert reason in refusal.value.detail
