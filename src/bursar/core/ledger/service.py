"""The verbs of the book that move money. `send_many` is the only road on which it moves."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from bursar.core.ledger import page_store, store
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import Gate, decide, through
from bursar.core.ledger.model import Account, AccountRef, Hold
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    Order,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Together,
    Undertake,
)
from bursar.core.ledger.outcomes import Outcome
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id

# Called when every row is locked; returns the gate that each order has to pass.
Examine: TypeAlias = Callable[[Book], Awaitable[Gate]]


class Shelf(Protocol):
    """Where the book is taken from, and put back with what was decided."""

    async def take(self, tx: Tx, orders: Sequence[SingleOrder]) -> Book:
        """What these orders touch."""
        ...

    def put_back(self, tx: Tx, page: Page) -> None:
        """Have written what was decided on it."""
        ...


class UnderLocks:
    """The book as it is: every account locked once, in id order; whatever hangs on it is read after that."""

    async def take(self, tx: Tx, orders: Sequence[SingleOrder]) -> Book:
        """Lock, then load."""
        return await _lock(tx, orders)

    def put_back(self, tx: Tx, page: Page) -> None:
        """Write what was decided, before the locks are given up."""
        page_store.write(tx, page)


UNDER_LOCKS = UnderLocks()


class Sent(NamedTuple):
    """The outcome of each order; the holds whose time was over on the way, as (event id, hold); every hold changed.

    `notes` is what the gate noted of the orders that were not refused.
    """

    outcomes: list[Outcome]
    expired: list[tuple[UUID, Hold]]
    holds: list[Hold]
    notes: Mapping[Hashable, Any]


async def send_many(tx: Tx, orders: Sequence[Order], examine: Examine, shelf: Shelf = UNDER_LOCKS) -> Sent:
    """Take every touched account from the shelf, decide the orders one after the other, have the result written.

    Whoever calls writes the events of orders and expired holds in the same transaction, or the commit fails.
    """
    book = await shelf.take(tx, [single for order in orders for single in _singles(order)])
    return _carry(tx, book, orders, await examine(book), shelf)


async def rehearse(tx: Tx, order: SingleOrder, examine: Examine) -> Outcome:
    """What `send_many` would make of one order now; nothing is written."""
    book = await _lock(tx, [order])
    return decide(book, [order], await examine(book))[0][0]


async def unexamined(_: Book) -> Gate:
    """For those whom no mandate limits: operators, services, and Bursar itself."""
    return through


async def recall(database: Database, tenant_id: UUID, refs: Iterable[AccountRef]) -> tuple[list[Account], datetime]:
    """Accounts as they are, without a lock, and the database's clock; what is decided on them must be checked."""
    return await store.recall_accounts(database, tenant_id, refs)


async def expire(tx: Tx, hold_ids: Sequence[UUID]) -> list[tuple[UUID, Hold]]:
    """Give back the funds of these holds as far as their time is over; the caller writes the events."""
    book = await _lock(tx, [ExpireHold(new_id(), hold_id) for hold_id in hold_ids])
    return _carry(tx, book, [], through, UNDER_LOCKS).expired


def _carry(tx: Tx, book: Book, orders: Sequence[Order], gate: Gate, shelf: Shelf) -> Sent:
    due = [ExpireHold(new_id(), hold.id) for hold in book.holds.values() if hold.is_due(book.now)]
    outcomes, page = decide(book, [*due, *orders], gate)
    shelf.put_back(tx, page)
    expired = [(order.event_id, page.hold(order.hold_id)) for order in due]
    return Sent(outcomes[len(due) :], expired, list(page.holds.values()), page.notes)


async def _lock(tx: Tx, orders: Sequence[SingleOrder]) -> Book:
    """Lock, then load: whatever hangs on an account is read after the account is locked."""
    holds = [o.hold_id for o in orders if isinstance(o, CaptureHold | ReleaseHold | ExpireHold)]
    reversed_ids = [o.reverses_id for o in orders if isinstance(o, ReverseEntry)]
    refs = refs_of(orders)
    if holds or reversed_ids:
        refs.update(await store.list_accounts_behind(tx, holds, reversed_ids))
    accounts, now = await store.lock_accounts(tx, refs)
    with_holds = [account.id for account in accounts if account.balance.held]
    found_holds = await store.list_holds(tx, holds, with_holds, now) if holds or with_holds else []
    originals = await store.list_originals(tx, reversed_ids) if reversed_ids else []
    return Book.of(now, accounts, found_holds, originals)


def _singles(order: Order) -> tuple[SingleOrder, ...]:
    return order.orders if isinstance(order, Together) else (order,)


def refs_of(orders: Iterable[SingleOrder]) -> set[AccountRef]:
    """The accounts that these orders name."""
    return {ref for order in orders for ref in _refs(order)}


def _refs(order: SingleOrder) -> Iterable[AccountRef]:
    match order:
        case SendMoney():
            for move in order.moves:
                yield move.source
                yield move.target
        case Undertake():
            yield order.account
        case PlaceHold() | CaptureHold():
            if isinstance(order, PlaceHold):
                yield order.account
            if order.target is not None:
                yield order.target
        case ReleaseHold() | ExpireHold() | ReverseEntry():
            pass
