"""What waits for people under something that changes ends with the change: nobody is left to approve it in vain."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.authority import moving, switch_store
from bursar.core.authority import superseding_store as store
from bursar.core.authority.facts import NOTHING_USED, Meter, Used
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.record import meters_of
from bursar.core.authority.switch_store import Waiting
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import ReleaseHold
from bursar.core.ledger.outcomes import Done
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show

# How often new payments to an account may come between before they are left to be superseded when carried out.
_ATTEMPTS = 5


class _NotAlone(Exception):
    """Another payment was asked for while the accounts were waited for."""


async def end_under(tx: Tx, mandate: Mandate, happened: str) -> None:
    """End what waits to change a mandate, locked and `happened` to just now, or under it and all that narrow it."""
    below = await switch_store.list_mandates_below(tx, mandate.id)
    why = f"{show('mnd', mandate.id)} was {happened}; its version is {mandate.version} now."
    await end_all(tx, await store.lock_open_under(tx, mandate.id, below), why)


async def lock_payments_to(tx: Tx, account_id: UUID) -> list[Waiting]:
    """The approvals of payments to an account, locked, and then the account: no other is decided before the commit.

    Approvals come before accounts in the order of locks, but while the account is waited for another payment to it
    may be asked for; then all is let go and begun anew.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            async with tx.savepoint():
                return await _locked_alone(tx, account_id)
        except _NotAlone:
            continue
    waiting = await store.lock_open_to(tx, account_id)
    await store.lock_accounts(tx, account_id, _holds(waiting))
    return waiting


async def _locked_alone(tx: Tx, account_id: UUID) -> list[Waiting]:
    waiting = await store.lock_open_to(tx, account_id)
    await store.lock_accounts(tx, account_id, _holds(waiting))
    if await store.list_open_to(tx, account_id) - {each.id for each in waiting}:
        raise _NotAlone
    return waiting


def _holds(waiting: Sequence[Waiting]) -> list[UUID]:
    return [each.hold_id for each in waiting if each.hold_id]


async def end_all(tx: Tx, waiting: Sequence[Waiting], why: str) -> None:
    """Supersede locked approvals: their holds are released and what they used of the windows is given back."""
    if not waiting:
        return
    releases = [ReleaseHold(new_id(), each.hold_id, each.id) for each in waiting if each.hold_id]
    sent = await ledger.send_many(tx, releases, ledger.unexamined)
    assert all(isinstance(outcome, Done) for outcome in sent.outcomes), "a hold of an approval ends with it"
    switch_store.end_approvals(tx, [(each.id, "superseded") for each in waiting], why)
    ended = [event_of(new_id(), None, "", "supersede_approval", _told(each, why)) for each in waiting]
    events.record(tx, [*moving.expiries(sent.expired), *ended])
    await moving.give_back(tx, sent.holds, taken_back(waiting))


def _told(waiting: Waiting, why: str) -> Happening:
    hold = show("hold", waiting.hold_id) if waiting.hold_id else None
    return Happening("approval.superseded", "superseded", {"why": why, "hold_id": hold}, show("apr", waiting.id))


def taken_back(waiting: Sequence[Waiting]) -> dict[Meter, Used]:
    """What these approvals had set aside of which windows, as use that is no more."""
    back: dict[Meter, Used] = {}
    for approval in waiting:
        for meter in meters_of(approval.uses):
            before = back.get(meter, NOTHING_USED)
            back[meter] = Used(before.amount_minor - approval.amount_minor, before.uses - 1)
    return back
