"""What people do about a break: accept it as it is, or post what the ledger lacks. Both once, and with a reason."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from uuid import UUID

import orjson

from bursar.core.authority.model import Told, With
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import AccountRef, NormalSide
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done, StateConflict
from bursar.features.cases import service as cases
from bursar.features.reconciliation import finding_store as store
from bursar.features.reconciliation.finding_store import BreakState, Found, Matched, Run
from bursar.features.reconciliation.items import BreakKind
from bursar.features.reconciliation.legs import BREAK_KEY
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money
from bursar.kernel.refusal import UnknownObject


async def find_break(tx: Tx, break_id: UUID | None) -> Found:
    """One break as it stands."""
    found = await store.find_break(tx, break_id) if break_id else None
    if found is None:
        raise UnknownObject("break")
    return found


async def look_up(tx: Tx, break_id: UUID | None) -> Found | None:
    """One break as it stands, if there is one."""
    return await store.find_break(tx, break_id) if break_id else None


async def side_of(tx: Tx, found: Found) -> NormalSide:
    """The side that raises the balance of the ledger's account; of a break without one, either."""
    return (await reading.find_account(tx, found.account_id)).normal_side if found.account_id else "credit"


async def find_run(tx: Tx, run_id: UUID | None) -> Run:
    """One run."""
    found = await store.find_run(tx, run_id) if run_id else None
    if found is None:
        raise UnknownObject("run")
    return found


async def list_breaks(
    tx: Tx, state: BreakState | None, kind: BreakKind | None, run_id: UUID | None, after: UUID | None, limit: int
) -> list[Found]:
    """Breaks in the order in which they were found first."""
    return await store.list_breaks(tx, state, kind, run_id, after, limit)


async def list_runs(tx: Tx, after: UUID | None, limit: int) -> list[Run]:
    """Runs, oldest first."""
    return await store.list_runs(tx, after, limit)


async def list_matches(tx: Tx, run_id: UUID | None, after: int, limit: int) -> list[Matched]:
    """The matches of a run above a number."""
    return await store.list_matches(tx, (await find_run(tx, run_id)).id, after, limit)


async def accept(tx: Tx, actor: Actor, break_id: UUID | None, reason: str, note: str) -> tuple[Found, Happening]:
    """Leave the books as they are: the difference is known, and later runs look at its items no more."""
    found = await _locked(tx, break_id)
    await store.settle_break(tx, found.id, "accepted", reason, None, actor.principal_id)
    await cases.settle_if_open(tx, found.case_id, note, actor)
    return await find_break(tx, found.id), _told("accepted", found, reason, {"note": note})


def posting(actor: Actor, found: Found, side: NormalSide, counter: AccountRef, reason: str) -> SendMoney:
    """The order that posts what the ledger's side lacks, between its account and another, on the day of the break.

    `side` is the one that raises its account's balance.
    """
    if found.account_id is None or found.difference_minor == 0:
        raise StateConflict("There is nothing that a posting to the ledger would change about this break.")
    money = Money(abs(found.difference_minor), found.currency)
    ours = found.account_id
    # An arrow credits what it leads to.
    is_credited = (found.difference_minor > 0) == (side == "credit")
    move = Move(counter, ours, money) if is_credited else Move(ours, counter, money)
    metadata = {BREAK_KEY: show("brk", found.id), "reason": reason}
    on = datetime.combine(found.day, time.min, UTC)
    world = "world:move" in actor.scopes
    return SendMoney(new_id(), new_id(), (move,), "transfer", on, f"Reconciliation: {reason}", metadata, world)


def settle_with(break_id: UUID, reason: str, note: str | None) -> With:
    """What must happen with such a posting, in its transaction: the break is settled by it, and by nothing else."""

    async def settle(tx: Tx, actor: Actor, outcomes: Sequence[Told]) -> tuple[None, Happening | None]:
        (told,) = outcomes
        if not isinstance(told, Done):
            return None, None
        found = await _locked(tx, break_id)
        assert told.entry
        entry_id = told.entry.id
        await store.settle_break(tx, found.id, "posted", reason, entry_id, actor.principal_id)
        await cases.settle_if_open(tx, found.case_id, note or f"Posted as {show('tr', entry_id)}.", actor)
        return None, _told("posted", found, reason, {"transfer": show("tr", entry_id)})

    return With(break_id, settle)


async def _locked(tx: Tx, break_id: UUID | None) -> Found:
    found = await store.lock_break(tx, break_id) if break_id else None
    if found is None:
        raise UnknownObject("break")
    if found.state != "open":
        raise _settled_already(found)
    return found


def _settled_already(found: Found) -> StateConflict:
    return StateConflict(f"The break {show('brk', found.id)} is {found.state}.")


def _told(how: str, found: Found, reason: str, more: dict[str, Json]) -> Happening:
    facts: dict[str, Json] = {"items": orjson.loads(found.items), "kind": found.kind, "reason": reason, **more}
    return Happening(f"reconciliation_break.{how}", how, facts, show("brk", found.id))
