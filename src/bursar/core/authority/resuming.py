"""The way back from a freeze, the same for whatever is frozen: it takes two operators."""

from uuid import UUID

from bursar.core.authority import mandate_store as written
from bursar.core.authority import mandates, switches
from bursar.core.authority import switch_store as store
from bursar.core.authority.mandates import MandateStateConflict
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By, OperatorNeeded
from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.model import AccountRef
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject

_RESUMED: dict[FreezeScope, str] = {
    "tenant": "tenant.resumed",
    "agent": "agent.resumed",
    "mandate": "mandate.resumed",
    "account": "account.unfrozen",
}


async def resume(tx: Tx, by: By, freeze_id: UUID | None) -> FreezeRecord:
    """Ask to lift a freeze; it is lifted when another operator has asked before."""
    if by.actor.kind != "operator":
        raise OperatorNeeded("It takes two operators to resume.")
    found = await store.lock_freeze(tx, freeze_id) if freeze_id else None
    if found is None:
        raise UnknownObject("freeze")
    if found.resumed_at:
        raise StateConflict("The freeze is lifted already.")
    if found.resume_asked_by is None:
        return await store.mark_resume_asked(tx, found.id, by.actor.principal_id)
    if found.resume_asked_by == by.actor.principal_id:
        raise StateConflict(f"{by.actor.name} has asked to resume already; another operator must ask too.")
    await _lift(tx, by.actor.principal_id, found)
    return await store.mark_resumed(tx, found.id, by.actor.principal_id)


async def resume_account(tx: Tx, by: By, ref: AccountRef) -> FreezeRecord:
    """The same for the freeze that is in force on an account."""
    account = await reading.find_account(tx, ref)
    in_force = await store.find_in_force(tx, "account", account.id)
    if in_force is None and account.status == "frozen":
        raise StateConflict(f"Nobody is written down as having frozen {account.number}; freeze it once more first.")
    if in_force is None:
        raise StateConflict(f"{account.number} is {account.status}.")
    return await resume(tx, by, in_force)


async def resume_mandate(tx: Tx, by: By, mandate_id: UUID | None) -> FreezeRecord:
    """The same for the freeze that paused a mandate."""
    mandate = await written.find_mandate(tx, mandate_id) if mandate_id else None
    if mandate is None:
        raise UnknownObject("mandate")
    in_force = await store.find_in_force(tx, "mandate", mandate.id)
    if in_force is None:
        raise MandateStateConflict(mandate.status)
    return await resume(tx, by, in_force)


async def _lift(tx: Tx, actor_id: UUID, found: FreezeRecord) -> None:
    """Switch the object on again; what was closed or revoked meanwhile stays so."""
    match found.scope:
        case "tenant":
            await identity.take_turn(tx)
            await store.set_tenant_status(tx, "active")
        case "agent":
            await identity.take_turn(tx)
            await store.set_agent_status(tx, found.object_id, "active")
        case "mandate":
            mandate = await written.find_mandate(tx, found.object_id)
            if mandate and mandate.status != "revoked":
                await mandates.resume(tx, actor_id, found.object_id)
        case "account":
            if (await reading.find_account(tx, found.object_id)).status != "closed":
                await accounts.change_status(tx, found.object_id, "open")


def told_resumed(record: FreezeRecord) -> Happening:
    """The record of somebody's asking to resume, the first or the second."""
    kind, outcome = (_RESUMED[record.scope], "resumed") if record.resumed_at else ("resume.requested", "frozen")
    name = switches.show_object(record) or show("frz", record.id)
    return Happening(kind, outcome, {"freeze": show("frz", record.id), "reason": record.reason}, name)
