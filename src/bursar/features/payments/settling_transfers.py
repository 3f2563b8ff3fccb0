"""People settle a transfer upstream of which nobody knows what became: it is asked again, or they say what they know.

To ask is to make the same call again. So it is asked first, by itself, and what people declare later sends nothing:
they have looked it up there, and another call might make what they have just seen is not made.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.payments import due_store, failing, store
from bursar.features.payments.applying import apply
from bursar.features.payments.lifting import CASES
from bursar.features.payments.model import OPEN, Attempt
from bursar.features.payments.ports import Effect, Report
from bursar.features.payments.upstream import DECLARED_NOT_MADE, NAME, UpstreamContradicts, UpstreamUndecided
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject

# `ask_again`: make the same call again. `made`, `not_made`: what people have found out there.
Decision: TypeAlias = Literal["ask_again", "made", "not_made"]


async def ask_again(tx: Tx, now: datetime, transfer_id: UUID | None, reason: str) -> tuple[UUID, Happening]:
    """Have an unsettled transfer asked about; whoever commits this does so by `resolve`, at once. Returns its id."""
    found = await _locked(tx, transfer_id)
    if found.status == "waiting":
        raise StateConflict("The transfer waits for an approval, and nothing was sent.")
    if found.status in OPEN:
        await due_store.ask_soon(tx, found.id, now)
    return found.id, Happening("transfer.asked_again", found.status, {"reason": reason}, show("tr", found.id))


async def settle(
    tx: Tx, actor: Actor, now: datetime, transfer_id: UUID | None, decision: Decision, reason: str
) -> tuple[Attempt, Happening]:
    """Write down what people have decided; after `ask_again` it is what the upstream has said."""
    found = await _locked(tx, transfer_id)
    if decision == "ask_again" and found.status in OPEN:
        raise UpstreamContradicts if found.quarantined else UpstreamUndecided
    if decision != "ask_again":
        _refuse_declaring(found, now)
        if decision == "made":
            await apply(tx, None, found.id, _declared(found), NAME, now)
        else:
            await failing.refuse(tx, found, DECLARED_NOT_MADE, None)
    name = show("tr", found.id)
    for kind in CASES:
        await cases.settle_about(tx, kind, Subject("transfer", name), reason, actor)
    transfer = await store.find_attempt(tx, found.id)
    assert transfer
    facts = {"asked": found.asked, "decision": decision, "reason": reason}
    return transfer, Happening("transfer.settled", transfer.status, facts, name)


async def _locked(tx: Tx, transfer_id: UUID | None) -> Attempt:
    found = await store.find_attempt(tx, transfer_id, locked=True) if transfer_id else None
    if found is None or found.kind != "transfer":
        raise UnknownObject("transfer upstream")
    return found


def _refuse_declaring(found: Attempt, now: datetime) -> None:
    if found.status not in OPEN:
        raise StateConflict(f"What became of the transfer is known: it has {found.status}.")
    if found.status == "waiting":
        raise StateConflict("The transfer waits for an approval, and nothing was sent.")
    if found.leased_until and found.leased_until > now:
        raise StateConflict("The upstream is being asked at this moment; see what it says.")
    if not found.asked:
        raise StateConflict("The upstream was not asked again yet (`ask_again`).")


def _declared(found: Attempt) -> Report:
    """As the upstream would report it; it is named by our own key."""
    reference = f"declared_{found.key}"
    effect = Effect(reference, "transfer", found.amount_minor, found.currency, key=found.key, about=reference)
    return Report(found.key, "transfer", reference, "succeeded", found.amount_minor, found.currency, (effect,))
