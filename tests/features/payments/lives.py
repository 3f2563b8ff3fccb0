"""All that can happen to a payment at its provider past Bursar, and what Bursar must make of it in whatever order."""

from bursar.features.payments.ports import Follow, Report
from bursar.features.payments.providers import sandbox_acting as acting
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers import sandbox_telling as telling
from tests.features.payments.counter import Counter, key

KINDS = ("authorized", "captured", "refunded", "disputed")
BECOMES = {
    "status": "succeeded", "captured_amount": "100.00", "refunded_amount": "30.00", "disputed_amount": "120.00",
    "fee_amount": "18.20", "quarantined": False, "failure": None,
}  # fmt: skip


async def life(counter: Counter, report: Report) -> dict[str, str]:
    """All that happens to an authorised payment at the provider, past Bursar; an event for each, with its own part."""
    now = counter.clock.now
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, report.reference)
        assert charge
        capture = Follow(key(), "capture", report.reference, 10_000, "USD")
        await acting.act_on(tx, capture, charge, "", now)
        refund = await acting.refund_outside(tx, charge, 3_000, now)
        await acting.dispute(tx, charge, 12_000, now)
        whole = await telling.report_of(tx, charge.key)
        await tx.run("UPDATE sandbox_event SET told_at = now() WHERE tenant_id = $1", counter.tenant.id)
    assert whole
    parts = {effect.kind: effect for effect in whole.effects}
    given_back = Report(
        None, "refund", refund, "succeeded", 3_000, "USD", (parts["refund"],), payment=whole.reference
    )  # fmt: skip
    reports = {
        "authorized": report,
        "captured": whole._replace(effects=(parts["capture"],)),
        "refunded": given_back,
        "disputed": whole._replace(effects=(parts["dispute"],), complete=False),
    }
    return {
        kind: telling.event_body(f"evt_{key()}", kind, counter.tenant.id.hex, each, now)
        for kind, each in reports.items()
    }
