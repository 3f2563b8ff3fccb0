"""The locked rows a decision starts from, and the page on which it is written before anything is stored."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bursar.core.ledger.model import Account, AccountRef, Entry, Hold, Original, Posting
from bursar.core.ledger.outcomes import CounterpartyNotAllowed, UnknownAccount
from bursar.kernel.refusal import UnknownObject


@dataclass(frozen=True, slots=True)
class Book:
    """The locked rows that a list of orders touches, and the database's clock after the last lock."""

    now: datetime
    accounts: dict[UUID, Account]
    holds: dict[UUID, Hold] = field(default_factory=dict[UUID, Hold])
    originals: dict[UUID, Original] = field(default_factory=dict[UUID, Original])
    numbers: dict[str, UUID] = field(default_factory=dict[str, UUID])

    @classmethod
    def of(
        cls, now: datetime, accounts: Iterable[Account], holds: Iterable[Hold] = (), originals: Iterable[Original] = ()
    ) -> "Book":
        """Index the rows."""
        by_id = {a.id: a for a in accounts}
        numbers = {a.number: a.id for a in by_id.values()}
        return cls(now, by_id, {h.id: h for h in holds}, {o.entry.id: o for o in originals}, numbers)


class Page:
    """What has been decided so far on top of the book, or on top of another page; `turn` adds it to the one below."""

    __slots__ = ("accounts", "book", "entries", "holds", "notes", "postings", "reversed_minor", "under", "world")

    def __init__(self, book: Book, under: "Page | None" = None) -> None:
        """An empty page."""
        self.book = book
        self.under = under
        self.world = False
        # Those that changed, as they stand now.
        self.accounts: dict[UUID, Account] = {}
        self.entries: list[Entry] = []
        self.postings: list[Posting] = []
        self.holds: dict[UUID, Hold] = {}
        self.reversed_minor: dict[UUID, int] = {}
        # What the gate notes for later orders; it stays or goes with everything else on the page.
        self.notes: dict[Hashable, Any] = {}

    @property
    def is_part(self) -> bool:
        """Whether the order on this page happens together with others or not at all."""
        return self.under is not None and self.under.under is not None

    def note(self, key: Hashable) -> Any:
        """What was noted so far, or None."""
        page: Page | None = self
        while page is not None:
            # An order's own page has none while the gate looks; hashing a key costs more than asking for that.
            found = page.notes.get(key) if page.notes else None
            if found is not None:
                return found
            page = page.under
        return None

    def turn(self) -> None:
        """Keep this page: the page below now says the same."""
        assert self.under is not None
        self.under.accounts.update(self.accounts)
        self.under.entries += self.entries
        self.under.postings += self.postings
        self.under.holds.update(self.holds)
        self.under.reversed_minor.update(self.reversed_minor)
        self.under.notes.update(self.notes)

    def account(self, ref: AccountRef, argument: str) -> Account:
        """The account an order names, as decided so far."""
        account_id = self.book.numbers.get(ref) if isinstance(ref, str) else ref
        if account_id is None or account_id not in self.book.accounts:
            raise UnknownAccount(argument)
        account = self.account_now(account_id)
        if not self.world and account.is_world:
            raise CounterpartyNotAllowed(account.number)
        return account

    def account_now(self, account_id: UUID) -> Account:
        """An account of the book, as decided so far."""
        page: Page | None = self
        while page is not None:
            found = page.accounts.get(account_id)
            if found is not None:
                return found
            page = page.under
        return self.book.accounts[account_id]

    def hold(self, hold_id: UUID) -> Hold:
        """The hold as decided so far."""
        found = self.holds.get(hold_id) or (None if self.under else self.book.holds.get(hold_id))
        if found is not None:
            return found
        if self.under is None:
            raise UnknownObject("hold")
        return self.under.hold(hold_id)

    def taken_back(self, original: Original) -> int:
        """Minor units of the original that reversals took back so far."""
        found = self.reversed_minor.get(original.entry.id)
        if found is not None:
            return found
        return self.under.taken_back(original) if self.under else original.reversed_minor
