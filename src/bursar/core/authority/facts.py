"""What the rules look at, found under locks, and what they say: the words between the shell and the rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.mandate import Mandate
from bursar.kernel.ids import made_of
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal

Decided = Literal["allow", "needs_approval", "deny"]
RiskOutcome = Literal["allow", "needs_approval", "step_up", "deny"]
ANY_PAYEE = made_of(bytes(16))
VELOCITY = "velocity"
# A window of a mandate, or its velocity, and for which payee.
Limit: TypeAlias = tuple[UUID, str, UUID]


class Payee(NamedTuple):
    """Whom money goes to, as we know them: the account, and the counterparty if an operator has entered one."""

    account_id: UUID
    number: str
    counterparty_id: UUID | None
    version: int | None
    status: str | None
    known_since: datetime | None


class Risk(NamedTuple):
    """What the risk rules say."""

    score: int
    outcome: RiskOutcome
    why: str


# What a capture asks about: its hold has used the limits, but for those of each payee if it named nobody.
Asks = Literal["everything", "payee", "payee_and_its_limits"]


class Earlier(NamedTuple):
    """A payment of the same amount to the same payee."""

    event_id: UUID
    at: datetime


class Payment(NamedTuple):
    """What an agent's order comes to: money from one of our accounts to another. No text of the agent's is in it."""

    action: str
    source: str
    payee: Payee | None
    money: Money
    rail: str = "book"
    # An earlier payment that the agent says it knows of, by its event.
    acknowledges: UUID | None = None
    asks: Asks = "everything"


class Meter(NamedTuple):
    """One counter of a mandate: which window, for which payee, in which piece of time."""

    mandate_id: UUID
    window_key: str
    payee_id: UUID
    bucket: datetime


class Used(NamedTuple):
    """What is used of a window so far, reserved or spent."""

    amount_minor: int
    uses: int


NOTHING_USED = Used(0, 0)


class Facts(NamedTuple):
    """What was found under locks: the mandates from the narrowest to the widest, what is used of their windows."""

    now: datetime
    chain: Sequence[Mandate]
    # By mandate, window and payee, in the mandates' order: what the pieces of time that still count come to.
    used: Mapping[Limit, Used]
    duplicate_of: Earlier | None = None
    risk: Risk | None = None


class Needs(NamedTuple):
    """What it takes to approve a payment."""

    quorum: int
    roles: tuple[str, ...]
    ttl_seconds: int
    step_up: bool
    why: tuple[str, ...]


class Result(NamedTuple):
    """What one rule of one mandate said."""

    mandate_id: UUID
    rule: str
    said: Decided
    fact: str


class Heard(NamedTuple):
    """What the rules of one mandate said: the names of those with nothing to object, and all others in full."""

    mandate_id: UUID
    silent: list[str]
    spoken: list[Result]


class Verdict(NamedTuple):
    """The decision with all its reasons, mandate by mandate.

    `after` is what is used then of each limit that it uses, itself included.
    """

    outcome: Decided
    heard: tuple[Heard, ...]
    refusals: tuple[Refusal, ...]
    needs: Needs | None
    after: dict[Limit, Used]

    @property
    def results(self) -> list[Result]:
        """What each rule said, mandate by mandate."""
        return [
            result
            for mandate_id, silent, spoken in self.heard
            for result in (*(Result(mandate_id, rule, "allow", "") for rule in silent), *spoken)
        ]
