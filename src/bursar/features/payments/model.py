"""Payments, the calls to providers that they are made of, and what came of those; the refusals of this room."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.core.ledger.model import Metadata
from bursar.features.payments.ports import CallKind, EffectKind
from bursar.kernel.money import Money, show_minor
from bursar.kernel.refusal import Conflict, Invalid, Retry, Unavailable

PaymentStatus = Literal[
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "succeeded",
    "canceled",
    "failed",
    "unknown",
]
AttemptStatus = Literal["waiting", "pending", "unknown", "succeeded", "failed", "canceled"]
# What is under way: it may still come to something.
OPEN: frozenset[AttemptStatus] = frozenset({"waiting", "pending", "unknown"})
# Calls that are things of their own at a provider, with an id of their own there, and here (its prefix).
PREFIX: dict[CallKind, str] = {"refund": "re", "payout": "po", "transfer": "tr"}
Capture = Literal["automatic", "manual"]
MethodKind = Literal["card", "bank_account", "other"]


@dataclass(frozen=True, slots=True)
class Payment:
    """What somebody wants to be paid, and how far it has come. Amounts are minor units of `currency`."""

    id: UUID
    provider: str
    account_id: UUID
    currency: str
    amount_minor: int
    capture: Capture
    customer_id: UUID | None
    method_id: UUID | None
    status: PaymentStatus
    attempt: int
    rank: int
    captured_minor: int
    refunded_minor: int
    disputed_minor: int
    fee_minor: int
    reference: str | None
    failure: str | None
    action_url: str | None
    quarantined: bool
    # What the provider does with it goes to suspense, as people have decided.
    in_suspense: bool
    description: str | None
    metadata: Metadata
    created_by: UUID
    created_at: datetime
    changed_at: datetime

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to a provider. Its id is the key of the call; `number` says of which attempt at the payment it is.

    Without a principal Bursar itself asks for it. `job_id` and `job_share` say of which job's share it is, if of any.
    """

    id: UUID
    payment_id: UUID | None
    number: int
    kind: CallKind
    provider: str
    account_id: UUID
    currency: str
    amount_minor: int
    status: AttemptStatus
    reference: str | None
    method: str | None
    final: bool
    failure: str | None
    description: str | None
    event_id: UUID
    approval_id: UUID | None
    principal_id: UUID | None
    claim_id: UUID | None
    request_hash: bytes | None
    asked: int
    ask_at: datetime | None
    leased_until: datetime | None
    created_at: datetime
    ended_at: datetime | None
    # Where the money of a transfer goes; `account_id` is where it comes from.
    target_id: UUID | None = None
    # What the account that it comes from is called upstream; `method` is what the other is called.
    origin: str | None = None
    job_id: UUID | None = None
    job_share: int | None = None
    # Of what has no payment: people have put it, and everything that happens to it, to suspense.
    in_suspense: bool = False

    @property
    def quarantined(self) -> bool:
        """Whether what is said of it contradicts what was asked, and nobody asks until people have looked.

        Of what has a payment it is the payment that is.
        """
        return self.payment_id is None and self.status == "unknown" and self.ask_at is None

    @property
    def key(self) -> str:
        """The idempotency key of the call, for good."""
        return self.id.hex

    @property
    def money(self) -> Money:
        """What is asked for."""
        return Money(self.amount_minor, self.currency)


class Booked(NamedTuple):
    """An effect that is booked."""

    reference: str
    kind: EffectKind
    attempt_id: UUID | None
    currency: str
    amount_minor: int
    fee_minor: int
    about: str | None
    entry_id: UUID | None
    booked_at: datetime


DisputeStatus = Literal["needs_response", "under_review", "won", "lost"]


class Dispute(NamedTuple):
    """A customer's bank took something back; `reference` is what the provider calls it. Minor units of `currency`."""

    reference: str
    payment_id: UUID
    provider: str
    status: DisputeStatus
    amount_minor: int
    fee_minor: int
    currency: str
    opened_at: datetime
    changed_at: datetime


class Customer(NamedTuple):
    """Somebody who pays or is paid."""

    id: UUID
    name: str
    external_id: str | None
    metadata: Metadata
    created_at: datetime


class Method(NamedTuple):
    """A provider's reference to how somebody pays (`card`) or is paid (`bank_account`)."""

    id: UUID
    customer_id: UUID | None
    provider: str
    kind: MethodKind
    reference: str
    label: str | None
    created_at: datetime


class UnknownProvider(Invalid):
    """There is no such provider here."""

    next: ClassVar[str] = "Name a provider that this service is connected to."

    def __init__(self, argument: str) -> None:
        """`argument` says which field named it."""
        super().__init__(argument)
        self.argument = argument

    @property
    def code(self) -> str:
        """A wrong argument."""
        return "invalid_argument"

    @property
    def detail(self) -> str:
        """Which argument."""
        return f"{self.argument}: this service has no such provider. No money moved."


class ProviderUnavailable(Unavailable):
    """The provider of payments does not answer now."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was begun. Send the same request with the same Idempotency-Key in a while."
    retry_after_seconds: ClassVar[int | None] = 30

    def __init__(self, provider: str) -> None:
        """Which provider."""
        super().__init__(provider)
        self.provider = provider

    @property
    def code(self) -> str:
        """Whatever stands behind Bursar and cannot be reached."""
        return "upstream_unavailable"

    @property
    def detail(self) -> str:
        """Which provider."""
        return f"{self.provider} does not answer now. No money moved."


class AboveCaptured(Conflict):
    """More than is left of the payment."""

    next: ClassVar[str] = "Read the payment, and ask for at most what is left of it with a new Idempotency-Key."

    def __init__(self, left: Money, verb: str) -> None:
        """What is left, and what it is left to: `refund` or `capture`."""
        super().__init__(left, verb)
        self.left = left
        self.verb = verb

    @property
    def code(self) -> str:
        """A clash with what has happened already."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """How much is left, with what is under way counted."""
        left = f"{show_minor(self.left.minor, self.left.currency)} {self.left.currency}"
        return f"{left} of the payment are left to {self.verb}, with what is under way counted. No money moved."


class AttemptUnderWay(Conflict):
    """An earlier call to the provider is not over."""

    retry: ClassVar[Retry] = "after"
    next: ClassVar[str] = "Read the payment until that call is over, then send a new request."
    retry_after_seconds: ClassVar[int | None] = 5

    def __init__(self, kind: str) -> None:
        """Which call: charge, capture, cancel."""
        super().__init__(kind)
        self.kind = kind

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """Which call is under way."""
        return f"The {self.kind} of this payment that was asked for before is still under way. No money moved."
