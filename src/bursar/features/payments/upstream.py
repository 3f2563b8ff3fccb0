"""The upstream: another service in which some accounts' money lives. What Bursar asks of it, and what that comes to.

Calls end as `ports.py` says. There is no way to ask what became of one: the same call with the same key is the
question, so the upstream must know a key again for as long as it keeps the transfer.
"""

import re
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from bursar.core.ledger.model import Account
from bursar.features.payments.ports import (
    Malformed,
    NotSent,
    OutcomeUnknown,
    ProviderRefused,
    Question,
    Report,
)
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import Conflict, MoneyMoved, NotFound, Refusal, Retry, Unavailable

NAME = "upstream"
# What a transfer has failed with of which people have found out that it was not made.
DECLARED_NOT_MADE = "declared_not_made"
_CODE = re.compile(r"[a-z][a-z_]{0,49}")


class Transfer(NamedTuple):
    """Move money between two accounts there, by their numbers there. `key` is the idempotency key of the call."""

    key: str
    source: str
    target: str
    amount_minor: int
    currency: str


class Available(NamedTuple):
    """What an account there has available, in minor units; below zero if it may be."""

    minor: int
    currency: str


@runtime_checkable
class Upstream(Protocol):
    """The service there; its calls end in time, and are never made in a transaction."""

    @property
    def name(self) -> str:
        """`upstream`."""
        ...

    @property
    def key_window_seconds(self) -> int:
        """How long it knows keys again."""
        ...

    async def transfer(self, order: Transfer) -> Report:
        """Move money there, once, however often it is called with one key."""
        ...

    async def ask(self, question: Question) -> Report | None:
        """Always None: it tells what became of a call only to whoever makes the same call again."""
        ...

    async def balance(self, number: str) -> Available:
        """What an account there has; `ProviderRefused` when it knows none of this number."""
        ...


class NoUpstream(Conflict):
    """This service is connected to no upstream."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask whoever runs this service to set BURSAR_UPSTREAM_URL and BURSAR_UPSTREAM_KEY."

    @property
    def code(self) -> str:
        """Nothing is wrong with the request, only with where it was sent."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """What is missing."""
        return "This service is connected to no upstream for you. No money moved."


class UpstreamSilent(Unavailable):
    """The upstream cannot be asked now."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was changed. Send the same request in a moment."
    retry_after_seconds: ClassVar[int | None] = 5

    @property
    def code(self) -> str:
        """The same as when a database cannot be reached."""
        return "upstream_unavailable"

    @property
    def detail(self) -> str:
        """What did not answer."""
        return "The service in which this account's money lives did not answer as it should. No money moved."


class UpstreamUndecided(Unavailable):
    """The transfer is with the upstream; whether it took effect is not known yet."""

    money_moved: ClassVar[MoneyMoved] = "unknown"
    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Send the same request with the SAME Idempotency-Key: the upstream is then asked again."
    retry_after_seconds: ClassVar[int | None] = 5

    @property
    def code(self) -> str:
        """Whether money has moved is not known."""
        return "outcome_unknown"

    @property
    def detail(self) -> str:
        """What will become of it."""
        return "The upstream has not answered yet; it is asked until it does, and what it says is booked then."


class UpstreamContradicts(UpstreamUndecided):
    """The upstream says that it made something else."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Look it up there; then say what is so with `made` or `not_made`."
    retry_after_seconds: ClassVar[int | None] = None

    @property
    def detail(self) -> str:
        """That nothing of it is believed."""
        return "The upstream was asked again and says something else than was asked of it; nothing of that is booked."


class DeclaredNotMade(Conflict):
    """People have found out that the transfer was not made."""

    next: ClassVar[str] = "What was held is given back; send a new request if it is still wanted."

    @property
    def code(self) -> str:
        """A clash with how things stand there."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """Who says so."""
        return "The upstream never answered, and people have found out that it was not made there. No money moved."


class UpstreamInsufficientFunds(Conflict):
    """The account cannot afford this upstream."""

    next: ClassVar[str] = "Read its balance, ask for at most that; then send a new request."

    @property
    def code(self) -> str:
        """As for an account of this book."""
        return "insufficient_funds"

    @property
    def detail(self) -> str:
        """Who says so."""
        return "The service in which this account's money lives says that it has not enough. No money moved."


class UnknownUpstreamAccount(NotFound):
    """The upstream knows no such account."""

    next: ClassVar[str] = "Ask an operator to look at the account's number upstream."

    @property
    def code(self) -> str:
        """As for an account of this book."""
        return "unknown_account"

    @property
    def detail(self) -> str:
        """Who says so."""
        return "The upstream knows no account of this number. No money moved."


class UpstreamRefused(Conflict):
    """The upstream refused this transfer."""

    next: ClassVar[str] = "See to what the upstream says, and send a new request."

    def __init__(self, why: str) -> None:
        """`why` is the upstream's code."""
        super().__init__(why)
        self.why = why

    @property
    def code(self) -> str:
        """A clash with how things stand there."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The upstream's own code."""
        return f"The upstream refused it: {self.why}. No money moved."


def code_of(text: object) -> str:
    """The upstream's code as ours to show: anything but a plain word is `refused`."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "refused"


def refusal_of(failure: str | None) -> Refusal:
    """What whoever asked is told of a transfer that came to nothing."""
    match failure:
        case "insufficient_funds":
            return UpstreamInsufficientFunds()
        case "unknown_account":
            return UnknownUpstreamAccount()
        case name if name == DECLARED_NOT_MADE:
            return DeclaredNotMade()
        case _:
            return UpstreamRefused(failure or "refused")


async def available_at(upstream: Upstream | None, account: Account, number: str) -> str:
    """What an account that lives upstream under this number has there, as text; refuses what cannot be found out."""
    if upstream is None:
        raise NoUpstream
    try:
        found = await upstream.balance(number)
    except ProviderRefused:
        raise UnknownUpstreamAccount from None
    except (NotSent, OutcomeUnknown, Malformed):
        raise UpstreamSilent from None
    if found.currency != account.currency:
        raise UpstreamRefused(f"it has that account in {found.currency}")
    return show_minor(found.minor, found.currency)
