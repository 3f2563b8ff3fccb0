"""`bursar payments`: what the API has taken, seen at the database."""

import pytest

from bursar.faces.cli import payments
from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.refusal import UnknownObject
from tests.api.serving import client_of, served


async def test_payments_are_listed_and_shown_with_their_calls_and_what_is_booked(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    tenant_id = tenant_id_of(sandbox.TENANT)
    async with database.transaction(tenant_id) as tx:
        await sandbox.ensure(tx)
    ids: list[str] = []
    async with served(database, tenant_id) as app, client_of(app) as client:
        for method in ("pm_card", "sandbox_declined"):
            asked = {"customer_id": "cus_1", "amount": "100.00", "currency": "USD", "payment_method_id": method}
            ids.append((await client.post("/payments", json=asked)).json()["payment_id"])
    paid, failed = ids
    assert [p["id"] for p in await payments.listed(None, sandbox.TENANT, None)] == [failed, paid]
    assert [p["failure"] for p in await payments.listed("failed", sandbox.TENANT, None)] == ["card_declined"]
    shown = await payments.shown(paid, sandbox.TENANT, None)
    assert shown["account"] == "revenue:USD"
    assert [(call["kind"], call["status"]) for call in shown["calls"]] == [("charge", "succeeded")]
    assert [(each["effect"], each["amount"], each["fee"]) for each in shown["booked"]] == [
        ("capture", "100.00", "3.20")
    ]
    with pytest.raises(UnknownObject):
        await payments.shown("pay_nobody", sandbox.TENANT, None)
