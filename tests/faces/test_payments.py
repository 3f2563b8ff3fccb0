"""`bursar payments`: what the API has taken, seen at the database."""

import json

import pytest

from bursar.core.events import service as events
from bursar.core.ledger.outcomes import StateConflict
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


async def test_an_operator_lifts_a_quarantine_at_the_database(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    monkeypatch.setenv("BURSAR_SANDBOX_PROVIDER", "true")
    tenant_id = tenant_id_of(sandbox.TENANT)
    async with database.transaction(tenant_id) as tx:
        await sandbox.ensure(tx)
    async with served(database, tenant_id) as app, client_of(app) as client:
        asked = {
            "customer_id": "cus_1", "amount": "100.00", "currency": "USD", "payment_method_id": "sandbox_wrong_amount",
        }  # fmt: skip
        odd = (await client.post("/payments", json=asked)).json()["payment_id"]
    with pytest.raises(StateConflict, match=r"100\.01"):
        await payments.lift(sandbox.OPERATOR, odd, "ask_again", "Asked.", sandbox.TENANT, None)
    lifted = await payments.lift(sandbox.OPERATOR, odd, "to_suspense", "They insist.", sandbox.TENANT, None)
    assert (lifted["status"], lifted["in_suspense"]) == ("failed", True)
    async with database.transaction(tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, events.Filter(action="lift_quarantine"), None, 10)
    assert json.loads(event.body)["payload"]["reason"] == "They insist."
