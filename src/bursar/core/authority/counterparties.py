"""The verbs of counterparties: enter, block, unblock, read. Only people say whom the tenant knows."""

from uuid import UUID

from bursar.core.authority import counterparty_store as store
from bursar.core.authority import superseding
from bursar.core.authority.counterparty_store import CounterpartyStatus, Entered
from bursar.core.authority.switches import OperatorNeeded
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import AccountRef
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import UnknownObject


async def enter(tx: Tx, actor: Actor, account: AccountRef, name: str) -> Entered:
    """Make the holder of an account known as somebody the tenant pays.

    Payments to it that wait for people, who looked at an unknown payee, are superseded.
    """
    if actor.kind != "operator":
        raise OperatorNeeded("Counterparties are entered by an operator.")
    found = await reading.find_account(tx, account)
    waiting = await superseding.lock_payments_to(tx, found.id)
    made = new_id()
    if not await store.insert_counterparty(tx, made, found.id, name, actor.principal_id):
        raise StateConflict(f"{found.number} is a known counterparty already.")
    entered = await find(tx, made)
    await superseding.end_all(tx, waiting, f"{show('cp', made)} was entered for the payee.")
    return entered


async def block(tx: Tx, counterparty_id: UUID | None) -> Entered:
    """Forbid every agent to pay it: nothing that commits after this pays it under a mandate, and nothing waits to."""
    return await _become(tx, counterparty_id, "blocked")


async def unblock(tx: Tx, actor: Actor, counterparty_id: UUID | None) -> Entered:
    """Let it be paid again."""
    if actor.kind != "operator":
        raise OperatorNeeded("Counterparties are unblocked by an operator.")
    return await _become(tx, counterparty_id, "active")


async def _become(tx: Tx, counterparty_id: UUID | None, status: CounterpartyStatus) -> Entered:
    account_id = await store.find_account_of(tx, counterparty_id) if counterparty_id else None
    waiting = await superseding.lock_payments_to(tx, account_id) if account_id else []
    found = await store.lock_counterparty(tx, counterparty_id) if counterparty_id else None
    if found is None:
        raise UnknownObject("counterparty")
    if found.status == status:
        raise StateConflict(f"The counterparty is {status} already.")
    changed = found._replace(status=status, version=found.version + 1)
    await store.update_status(tx, changed.id, changed.status, changed.version)
    await superseding.end_all(tx, waiting, f"{show('cp', found.id)} became {status} as a counterparty.")
    return changed


async def find(tx: Tx, counterparty_id: UUID | None) -> Entered:
    """One counterparty as it stands."""
    found = await store.find_counterparty(tx, counterparty_id) if counterparty_id else None
    if found is None:
        raise UnknownObject("counterparty")
    return found


async def list_all(tx: Tx, after: UUID | None, limit: int) -> list[Entered]:
    """Counterparties in the order of their entering."""
    return await store.list_counterparties(tx, after, limit)
