"""What the book answers to an order: it is done, or it is refused with one of the refusals here."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

from bursar.core.ledger.model import Account, Balance, Entry, Hold, Posting
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import Conflict, Forbidden, Invalid, NotFound, Retry


class Done(NamedTuple):
    """What an order did: its entry and postings, its hold, and the two accounts as they stand after it."""

    account: Account
    target: Account | None = None
    entry: Entry | None = None
    postings: tuple[Posting, ...] = ()
    hold: Hold | None = None
    reversed_minor: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """What a proposed order waits for a person with: its accounts as they stand now, and the hold of its funds."""

    account: Account
    target: Account | None
    hold: Hold | None


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


class LivesUpstream(Conflict):
    """The money of this account lives in another service."""

    next: ClassVar[str] = "Move money between two accounts that both live upstream, with POST /agent/transfer."

    def __init__(self, number: str) -> None:
        """The number of the account."""
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> str:
        """A clash between what was asked and where the money is."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """Which account, and what that means."""
        return f"{self.number} lives upstream: its money does not move in this book alone. No money moved."


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
Outcome: TypeAlias = Done | AllDone | Pending | Refused
