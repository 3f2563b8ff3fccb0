"""A book in memory that keeps what was decided, so that orders can be decided in turn without a database."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import decide
from bursar.core.ledger.model import Account, Original
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import Outcome


def turned(book: Book, page: Page) -> Book:
    """The book as it stands when the page has been written."""
    accounts = [page.account_now(account_id) for account_id in book.accounts]
    return Book.of(book.now, accounts, {**book.holds, **page.holds}.values(), _originals(book, page).values())


def _originals(book: Book, page: Page) -> dict[UUID, Original]:
    new = {
        entry.id: Original(entry, tuple(p for p in page.postings if p.entry_id == entry.id), 0)
        for entry in page.entries
    }
    return {
        entry_id: replace(original, reversed_minor=page.reversed_minor.get(entry_id, original.reversed_minor))
        for entry_id, original in {**book.originals, **new}.items()
    }


def in_turn(book: Book, orders: Sequence[Order]) -> tuple[list[Outcome], Book]:
    """Decide each order by itself, on the book that the one before it left."""
    outcomes: list[Outcome] = []
    for order in orders:
        (outcome,), page = decide(book, [order])
        outcomes.append(outcome)
        book = turned(book, page)
    return outcomes, book


def pending_minor(book: Book, account: Account) -> int:
    """What the pending holds on an account come to."""
    return sum(h.amount_minor for h in book.holds.values() if h.account_id == account.id and h.status == "pending")
