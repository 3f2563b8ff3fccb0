"""The nouns of the book, the orders it takes, and what it answers to each.

What is made anew for every transfer is a NamedTuple: a frozen dataclass costs three times as much to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple, TypeAlias
from uuid import UUID

from bursar.kernel.money import Money, show_minor
from bursar.kernel.refusal import Conflict, Forbidden, Invalid, NotFound, Retry

NormalSide = Literal["debit", "credit"]
AccountStatus = Literal["open", "frozen", "closed"]
EntryKind = Literal["transfer", "capture", "reversal", "statement"]
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
    """One account and its balance. `floor_minor` is the least `available` may be: None, 0, or minus a credit limit."""

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

    def with_balance(self, balance: Balance) -> "Account":
        """The same account with another balance; written out because every order needs it."""
        return Account(
            self.id, self.number, self.name, self.currency, self.normal_side, self.floor_minor, self.status, balance,
            self.metadata, self.opened_at,
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


# Orders. Each carries the id of the event that is its cause; the ids it makes are chosen by whoever gives it.
# `world` says whether whoever gives it may post to world accounts.


class Move(NamedTuple):
    """One wanted posting. Bare text as `money` is an amount in the source account's currency."""

    source: AccountRef
    target: AccountRef
    money: Money | str


class SendMoney(NamedTuple):
    """Post one entry of one or more postings."""

    entry_id: UUID
    event_id: UUID
    moves: tuple[Move, ...]
    kind: Literal["transfer", "statement"] = "transfer"
    effective_at: datetime | None = None
    description: str | None = None
    metadata: Metadata = NO_METADATA
    world: bool = False


class PlaceHold(NamedTuple):
    """Set funds aside, for a target if one is known."""

    hold_id: UUID
    event_id: UUID
    account: AccountRef
    target: AccountRef | None
    money: Money
    expires_at: datetime | None = None
    description: str | None = None
    metadata: Metadata = NO_METADATA
    world: bool = False


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Post a hold in full (`amount` None) or in part; the remainder is released."""

    entry_id: UUID
    event_id: UUID
    hold_id: UUID
    amount: str | None = None
    target: AccountRef | None = None
    world: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give held funds back."""

    event_id: UUID
    hold_id: UUID


@dataclass(frozen=True, slots=True)
class ExpireHold:
    """Give back the funds of a hold whose time is over."""

    event_id: UUID
    hold_id: UUID


@dataclass(frozen=True, slots=True)
class ReverseEntry:
    """Take an entry back: what is left of it (`amount` None), or a part."""

    entry_id: UUID
    event_id: UUID
    reverses_id: UUID
    amount: str | None = None
    description: str | None = None
    world: bool = False


SingleOrder: TypeAlias = SendMoney | PlaceHold | CaptureHold | ReleaseHold | ExpireHold | ReverseEntry


@dataclass(frozen=True, slots=True)
class Together:
    """Orders that happen all or not at all."""

    orders: tuple[SingleOrder, ...]


Order: TypeAlias = SingleOrder | Together


# Outcomes: an order is done, or it is refused with one of the refusals below.


class Done(NamedTuple):
    """What an order did: its entry and postings, its hold, and the two accounts as they stand after it."""

    account: Account
    target: Account | None = None
    entry: Entry | None = None
    postings: tuple[Posting, ...] = ()
    hold: Hold | None = None
    reversed_minor: int = 0


@dataclass(frozen=True, slots=True)
class AllDone:
    """What the orders of a `Together` did, in their order."""

    parts: tuple[Done, ...]


class UnknownAccount(NotFound):
    """There is no such account."""

    next: ClassVar[str] = "List the accounts you may use with GET /v1/accounts."

    def __init__(self, argument: str) -> None:
        """`argument` says which field named it; the value is the caller's and is not repeated."""
        super().__init__(argument)
        self.argument = argument

    @property
    def detail(self) -> str:
        """Which argument named no account."""
        return f"{self.argument}: no account of yours has this number or id. No money moved."


class InsufficientFunds(Conflict):
    """The account cannot afford this."""

    next: ClassVar[str] = "Ask for at most the available amount, or fund the account; then send a new request."

    def __init__(self, account: Account, balance: Balance, asked_minor: int) -> None:
        """The account, its balance before this order, and what was asked, in minor units."""
        super().__init__(account.number)
        self.account = account
        self.spendable_minor = balance.available - (account.floor_minor or 0)
        self.asked_minor = asked_minor

    @property
    def detail(self) -> str:
        """Both amounts that were compared."""
        currency = self.account.currency
        return (
            f"{self.account.number} has {show_minor(self.spendable_minor, currency)} {currency} available;"
            f" you asked {show_minor(self.asked_minor, currency)} {currency}. No money moved."
        )


class AccountFrozen(Conflict):
    """The account is frozen."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator to unfreeze the account; retrying does not help."

    def __init__(self, number: str) -> None:
        """The number of the frozen account."""
        super().__init__(number)
        self.number = number

    @property
    def detail(self) -> str:
        """Which account, and what still works."""
        return f"{self.number} is frozen: it takes no new debits or holds. No money moved."


class CurrencyNotAllowed(Invalid):
    """The account has another currency."""

    next: ClassVar[str] = "Send the amount in the account's currency, or choose an account of that currency."

    def __init__(self, account: Account, asked: str) -> None:
        """The account and the currency that was asked."""
        super().__init__(account.number, asked)
        self.account = account
        self.asked = asked

    @property
    def detail(self) -> str:
        """Both currencies."""
        return f"{self.account.number} is in {self.account.currency}; you asked {self.asked}. No money moved."


class CounterpartyNotAllowed(Forbidden):
    """This account is not one the caller may use."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Use another account; money enters and leaves the book through an operator or a service."

    def __init__(self, number: str) -> None:
        """The number of the account."""
        super().__init__(number)
        self.number = number

    @property
    def detail(self) -> str:
        """Which account."""
        return f"{self.number} is a world account; your key may not use it. No money moved."


class StateConflict(Conflict):
    """The object is not in a state that allows this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the object again to see its present state."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} No money moved."


class Undone(Conflict):
    """Another order of the same all-or-nothing batch was refused."""

    def __init__(self, index: int, refusal: "Refused") -> None:
        """`index` counts the batch's orders from 0."""
        super().__init__(index)
        self.index = index
        self.refusal = refusal

    @property
    def code(self) -> str:
        """The code of the refusal that decided it."""
        return self.refusal.code

    @property
    def detail(self) -> str:
        """Which order, and why."""
        return f"orders.{self.index}: {self.refusal.detail} Nothing of this batch was done."


Refused: TypeAlias = Conflict | Forbidden | Invalid | NotFound
Outcome: TypeAlias = Done | AllDone | Refused
