"""People lift the quarantine of a payout, as that of a payment: its provider agrees by now, or suspense has it."""

from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.payments import due_store, effect_store, failing, lifting_store, store
from bursar.features.payments.applying import apply, contradiction
from bursar.features.payments.calling import Shop
from bursar.features.payments.lifting import CASES, Decision, Heard, hear
from bursar.features.payments.model import Attempt
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject


async def ask_provider(shop: Shop, tenant_id: UUID, payout_id: UUID | None) -> Heard | None:
    """Ask about a quarantined payout, in no transaction; nothing about any other."""
    async with shop.database.transaction(tenant_id, read_only=True) as tx:
        payout = await store.find_attempt(tx, payout_id) if payout_id else None
    if payout is None or payout.kind != "payout" or not payout.quarantined:
        return None
    (heard,) = await hear(shop.providers.of(tenant_id, payout.provider), [payout], None)
    return heard


async def lift(
    tx: Tx, actor: Actor, shop: Shop, payout_id: UUID | None, decision: Decision, reason: str, heard: Heard | None
) -> tuple[Attempt, Happening]:
    """Lift a payout's quarantine by what its provider was heard to say; refused while that still contradicts."""
    found = await store.find_attempt(tx, payout_id, locked=True) if payout_id else None
    if found is None or found.kind != "payout":
        raise UnknownObject("payout")
    if not found.quarantined or heard is None:
        raise StateConflict("The payout is not quarantined.")
    await (_believe if decision == "ask_again" else _suspend)(tx, shop, found, heard)
    name = show("po", found.id)
    for kind in CASES:
        await cases.settle_about(tx, kind, Subject("payout", name), reason, actor)
    payout = await store.find_attempt(tx, found.id)
    assert payout
    facts = {"decision": decision, "reason": reason}
    return payout, Happening("payout.quarantine_lifted", payout.status, facts, name)


async def _believe(tx: Tx, shop: Shop, payout: Attempt, heard: Heard) -> None:
    booked = await effect_store.list_effects_of_attempt(tx, payout.id)
    if heard.report is None:
        # It has never had it: the same call is made again.
        await due_store.ask_soon(tx, payout.id, shop.now)
        return
    if why := contradiction(None, payout, heard.report, booked):
        raise StateConflict(f"{why} It can go to suspense (`to_suspense`), or be set right at the provider.")
    await apply(tx, None, payout.id, heard.report, payout.provider, shop.now)


async def _suspend(tx: Tx, shop: Shop, payout: Attempt, heard: Heard) -> None:
    await lifting_store.mark_in_suspense(tx, payout.id)
    if heard.report:
        await apply(tx, None, payout.id, heard.report, payout.provider, shop.now)
    # By its name there what happens to it later is known.
    await failing.refuse(tx, payout, "to_suspense", heard.report.reference if heard.report else None)
