"""The nouns of the book.

What is made anew for every transfer is a NamedTuple: a frozen dataclass costs three times as much to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

NormalSide = Literal["debit", "credit"]
AccountStatus = Literal["open", "frozen", "closed"]
EntryKind = Literal["transfer", "capture", "reversal", "statement", "payment", "loan"]
HoldStatus = Literal["pending", "posted", "voided", "expired"]
Metadata: TypeAlias = Mapping[str, str]
NO_METADATA: Metadata = MappingProxyType({})

WORLD = "world:"

# An account as an order names it: by id, or by its number.
AccountRef: TypeAlias = UUID | str


class Balance(NamedTuple):
    """Minor units on the account's normal side; `version` counts the postings that touched the account."""

    posted: int
    held: int
    version: int

    @property
    def available(self) -> int:
        """What is neither spent nor promised."""
        return self.posted - self.held


class Account(NamedTuple):
    """One account and its balance. `floor_minor` is the least `available` may be: None, 0, or minus a credit limit.

    With `upstream` its money lives in another service, under this number there; the balance is what was moved there
    through here.
    """

    id: UUID
    number: str
    name: str
    currency: str
    normal_side: NormalSide
    floor_minor: int | None
    status: AccountStatus
    balance: Balance
    metadata: Metadata
    opened_at: datetime
    upstream: str | None = None

    def with_balance(self, balance: Balance) -> "Account":
        """The same account with another balance; written out because every order needs it."""
        return Account(
            self.id, self.number, self.name, self.currency, self.normal_side, self.floor_minor, self.status, balance,
            self.metadata, self.opened_at, self.upstream,
        )  # fmt: skip

    @property
    def is_world(self) -> bool:
        """World accounts stand for what is outside the book, so that every currency sums to zero."""
        return self.number.startswith(WORLD)


class Entry(NamedTuple):
    """Postings that happen together, linked to the event that caused them."""

    id: UUID
    kind: EntryKind
    event_id: UUID
    reverses_id: UUID | None
    hold_id: UUID | None
    description: str | None
    metadata: Metadata
    effective_at: datetime
    recorded_at: datetime


class Posting(NamedTuple):
    """An arrow: an amount from source (debited) to target (credited), with both balances after it."""

    entry_id: UUID
    seq: int
    source_id: UUID
    target_id: UUID
    currency: str
    amount_minor: int
    source_version: int
    source_balance: int
    target_version: int
    target_balance: int
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Funds of `account_id` set aside; a pending transfer when it names a target."""

    id: UUID
    account_id: UUID
    target_id: UUID | None
    currency: str
    amount_minor: int
    captured_minor: int
    status: HoldStatus
    description: str | None
    metadata: Metadata
    placed_at: datetime
    expires_at: datetime | None
    entry_id: UUID | None
    approval_id: UUID | None = None
    # What it was placed for, such as a refund: nobody else ends it.
    owner_id: UUID | None = None

    def is_due(self, now: datetime) -> bool:
        """Pending, and past its time by the database's clock."""
        return self.status == "pending" and self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Original:
    """An entry that somebody wants reversed: its postings and what earlier reversals took back."""

    entry: Entry
    postings: tuple[Posting, ...]
    reversed_minor: int

    @property
    def total_minor(self) -> int:
        """The sum of its postings."""
        return sum(p.amount_minor for p in self.postings)
