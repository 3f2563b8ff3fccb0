"""One chunk of a statement booked in one transaction: what is new moves, and everything about it is recorded."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from bursar.core.authority import telling
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, AgentSuspended, NameTaken
from bursar.core.ledger import accounts
from bursar.core.ledger import service as ledger
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.model import WORLD
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.features.reconciliation import store
from bursar.features.reconciliation.model import BadLine, Movement, total
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Refusal

IMPORTER = "statement-import"
ACTION = "import_statement"

_CHANGED = "reference: is booked already, with another account, date, direction or amount"


@dataclass(frozen=True, slots=True)
class Source:
    """Where movements come from: one run over one file, with the mapping's name and currency."""

    run: str
    file: str
    sha256: str
    mapping: str
    currency: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Movements and the orders that book them, all caused by one event; no reference occurs twice."""

    event_id: UUID
    orders: Sequence[tuple[Movement, SendMoney]]


@dataclass(frozen=True, slots=True)
class Booked:
    """What one transaction did with a chunk. `event_id` is its trace, None when it changed nothing."""

    event_id: UUID | None
    new: Sequence[Movement]
    already_there: int
    opened: Sequence[str]
    refused: Sequence[BadLine]


def plan(movements: Sequence[Movement]) -> Plan:
    """Prepare the orders before any lock is held."""
    event_id = new_id()
    return Plan(event_id, [(movement, _order(movement, event_id)) for movement in movements])


def _order(movement: Movement, event_id: UUID) -> SendMoney:
    return SendMoney(
        new_id(), event_id, (Move(movement.source, movement.target, movement.money),), "statement",
        movement.effective_at, movement.description, world=True,
    )  # fmt: skip


async def book(tx: Tx, source: Source, plan: Plan, known: AbstractSet[str], meanwhile: Callable[[], None]) -> Booked:
    """Book what is not booked yet. `known` account numbers exist for certain.

    The caller holds the advisory lock of the mapping, so that of two importers the second sees what the first did.
    From when `meanwhile` is called, there is hardly more to do than to wait for the database.
    """
    agrees = await store.list_booked(tx, source.mapping, [movement for movement, _ in plan.orders])
    already_there = sum(agrees.values())
    changed = [BadLine(m.line, _CHANGED) for m, _ in plan.orders if not agrees.get(m.reference, True)]
    fresh = [(m, order) for m, order in plan.orders if m.reference not in agrees]
    if not fresh:
        return Booked(None, [], already_there, [], changed)
    actor = await _importer(tx)
    opened = await _open(tx, {n for m, _ in fresh for n in (m.source, m.target)} - known, source.currency)
    new, refused = await _send(tx, source, fresh, meanwhile)
    booked = Booked(plan.event_id, new, already_there, opened, [*changed, *refused])
    happening = _happening(source, booked, fresh[0][0].line, fresh[-1][0].line)
    events.record(tx, [event_of(plan.event_id, actor, source.run, ACTION, happening)])
    return booked


async def _importer(tx: Tx) -> Actor:
    """The service that imports act as; an operator can suspend it."""
    found = await identity.find_principal_named(tx, IMPORTER)
    principal = found or await identity.create_principal(tx, "service", IMPORTER)
    if principal.kind != "service":
        raise NameTaken
    if principal.status != "active":
        raise AgentSuspended
    return Actor(tx.tenant, principal.id, "service", IMPORTER, None, frozenset())


async def _open(tx: Tx, numbers: set[str], currency: str) -> list[str]:
    """Open the accounts that do not exist, without a floor: what the bank let happen has happened."""
    if not numbers:
        return []
    missing = sorted(numbers - (await accounts.ids_of(tx, list(numbers))).keys())
    await accounts.open_many(tx, [OpenAccount(n, _name(n), currency, floor_minor=None) for n in missing])
    return missing


def _name(number: str) -> str:
    if number.startswith(WORLD):
        return f"World: {number.removeprefix(WORLD).replace(':', ' ')}"
    return f"Account {number}"


async def _send(
    tx: Tx, source: Source, fresh: Sequence[tuple[Movement, SendMoney]], meanwhile: Callable[[], None]
) -> tuple[list[Movement], list[BadLine]]:
    carried = await ledger.send_many(tx, [order for _, order in fresh], ledger.unexamined)
    meanwhile()
    overdue = [event_of(i, None, source.run, "expire_hold", telling.expired(hold)) for i, hold in carried.expired]
    events.record(tx, overdue)
    sent = list(zip(fresh, carried.outcomes, strict=True))
    done = [(movement, order) for (movement, order), outcome in sent if isinstance(outcome, Done)]
    store.insert_movements(tx, source.mapping, [(m.reference, order.entry_id) for m, order in done])
    refused = [BadLine(m.line, outcome.detail) for (m, _), outcome in sent if isinstance(outcome, Refusal)]
    return [movement for movement, _ in done], refused


def _happening(source: Source, booked: Booked, first_line: int, last_line: int) -> Happening:
    refused: list[Json] = [{"line": bad.line, "reason": bad.reason} for bad in booked.refused]
    payload: dict[str, Json] = {
        "accounts_opened": booked.opened,
        "already_there": booked.already_there,
        "booked": len(booked.new),
        "credits": {source.currency: str(total(booked.new, "credit", source.currency))},
        "debits": {source.currency: str(total(booked.new, "debit", source.currency))},
        "file": source.file,
        "first_line": first_line,
        "last_line": last_line,
        "mapping": source.mapping,
        "refused": refused,
        "sha256": source.sha256,
    }
    about = f"sha256:{source.sha256}"
    if booked.new:
        return Happening("statement.imported", "posted", payload, about)
    return Happening("statement.refused", "refused", payload, about, "deny")
