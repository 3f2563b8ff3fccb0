"""What Bursar asks of a provider of payments: one small port, so that every provider is met in the same way.

How a call ends, and what Bursar does then:

| it ends with | it means | Bursar then |
|---|---|---|
| a `Report` | the provider says how things stand | checks it against what was asked; books its effects |
| `NotSent` | nothing has left this process (no connection, breaker open) | sends it again, with the same key |
| `ProviderRefused` | the provider says no for good: nothing happened, nothing will | lets the attempt fail |
| `OutcomeUnknown` | it may have been sent, and no answer was understood to the end | asks; never guesses |
| `KeySpent` | the provider answers this key with the same error for good | asks; fails it when the list has none |
| `Malformed` | an answer came that cannot be read or contradicts itself | asks; what stays so becomes a case |

Anything else that is raised is a bug, and counts as `OutcomeUnknown`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

# What is asked of a provider. `charge` creates a payment and confirms it in one call.
CallKind = Literal["charge", "capture", "cancel", "refund", "payout"]

# Where a payment, refund or payout stands, in the provider's eyes.
Standing = Literal[
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "succeeded",
    "canceled",
    "failed",
]

# What changes the balance that Bursar has at a provider. The sign of each is given by its kind:
# `capture` (+), `refund` (−), `refund_failed` (+, a refund came back), `dispute` (−), `dispute_won` (+),
# `dispute_lost` and `dispute_review` (0: the money went when the dispute came), `payout` (−), `payout_paid` (0),
# `payout_failed` (+), `adjustment` (+, anything else; `amount_minor` may be below zero there).
# The fee is taken off the balance besides.
EffectKind = Literal[
    "capture",
    "refund",
    "refund_failed",
    "dispute",
    "dispute_won",
    "dispute_lost",
    "dispute_review",
    "payout",
    "payout_paid",
    "payout_failed",
    "adjustment",
]


class Effect(NamedTuple):
    """One thing that happened at the provider and is booked once: named by the provider, for ever the same.

    `reference` is the provider's id of it, unique within the provider's account: that of the balance transaction where
    there is one (`txn_…`), else one made of the object's id and what became of it (`po_…:paid`). The same effect has
    the same reference in a report, in an event and in the list of balance transactions. `amount_minor` is above zero
    but for adjustments; `fee_minor` is what the provider keeps of it, at least 0. Both are minor units of `currency`.
    """

    reference: str
    kind: EffectKind
    amount_minor: int
    currency: str
    fee_minor: int = 0
    # The key of Bursar's call that caused it (a refund's own key, not its payment's); None: somebody else did.
    key: str | None = None
    # The provider's id of the object: of the refund, dispute or payout, or of the payment for a capture.
    about: str | None = None
    at: datetime | None = None


class Charge(NamedTuple):
    """Create a payment and confirm it. `key` is the idempotency key of the call and Bursar's own reference for good.

    A provider keeps `key` where `ask` and events find it again (Stripe: metadata `bursar_key`). `capture` says whether
    to capture at once. `method` is the provider's own id of a payment method; never a number of a card.
    """

    key: str
    amount_minor: int
    currency: str
    method: str
    capture: bool = True
    customer: str | None = None
    description: str | None = None


class Follow(NamedTuple):
    """Do something with what a charge made: capture, cancel or refund. `amount_minor` says how much (cancel: 0).

    `reference` is the provider's id of the payment; `final` says that nothing more will be captured.
    """

    key: str
    kind: Literal["capture", "cancel", "refund"]
    reference: str
    amount_minor: int
    currency: str
    final: bool = True


class Payout(NamedTuple):
    """Pay out of the balance at the provider to a destination it knows (None: the account's own bank)."""

    key: str
    amount_minor: int
    currency: str
    destination: str | None = None
    description: str | None = None


class Question(NamedTuple):
    """What became of an earlier call, by its key, and by the provider's id where it is known."""

    key: str
    kind: CallKind
    reference: str | None
    amount_minor: int
    currency: str
    # When the call was first made: a provider that keeps keys for a time only need not look further back.
    since: datetime | None = None


class Report(NamedTuple):
    """How things stand with one call, in the provider's words: everything Bursar checks and books comes from here.

    `key` and `reference` echo ours and give theirs. For `charge`, `capture` and `cancel` the subject is the payment:
    `amount_minor` is what was authorised or asked, `effects` are all captures, refunds and disputes of it so far. For
    `refund` and `payout` the subject is that refund or payout alone, and so are its effects. `complete` says that
    `effects` is all there is up to now; False means that there may be more, and that Bursar must ask for it.
    """

    key: str | None
    kind: CallKind
    reference: str
    standing: Standing
    amount_minor: int
    currency: str
    effects: tuple[Effect, ...] = ()
    # A short code why it failed, such as `card_declined`: shown as it is, lower case, digits and underscores.
    failure: str | None = None
    # Where the customer must go, for `requires_action`.
    action_url: str | None = None
    complete: bool = True
    # The provider's id of the payment that a refund is of: by it a refund that we did not ask for finds its payment.
    payment: str | None = None


class ProviderEvent(NamedTuple):
    """A verified event of the provider. Without a `report` it is kept and changes nothing.

    `account` names whose events these are, where the provider serves several accounts. The report of a dispute is that
    of its payment, with the dispute among its effects.
    """

    id: str
    type: str
    created_at: datetime
    account: str | None
    report: Report | None


class BalanceTransaction(NamedTuple):
    """One row of the provider's own books. `net_minor` is by how much the balance changed: amount and fee together."""

    reference: str
    kind: str
    net_minor: int
    fee_minor: int
    currency: str
    at: datetime
    # The effect that it is; None for what Bursar does not know.
    effect: Effect | None


class NotSent(Exception):
    """Nothing has left this process: the same call may be made again at once."""


class ProviderRefused(Exception):
    """The provider says no for good; `code` is its reason in lower case, digits and underscores (`card_declined`)."""

    def __init__(self, code: str, reference: str | None = None) -> None:
        """`reference` is the provider's id of what it made nevertheless, such as a declined payment."""
        super().__init__(code)
        self.code = code
        self.reference = reference


class OutcomeUnknown(Exception):
    """The call may have taken effect: a timeout, a 5xx, a connection that broke after something was sent."""


class KeySpent(OutcomeUnknown):
    """The provider keeps an error as the answer to this key: it may have taken effect, and nothing more will."""


class Malformed(Exception):
    """The provider's answer cannot be read, or contradicts itself; the call may have taken effect."""


class SignatureInvalid(Exception):
    """The delivery is not signed by any of the secrets, or is too old or too new."""


class EventMalformed(Exception):
    """The delivery is signed and yet cannot be read."""


class Provider(Protocol):
    """One provider. Calls end within ten seconds (two to connect), never in a transaction; see the module's table.

    A call that is made again with the same key has one effect and the same answer, as long as the provider keeps keys.
    """

    @property
    def name(self) -> str:
        """Lower-case name, as it stands in paths and account numbers: `sandbox`, `stripe`."""
        ...

    @property
    def key_window_seconds(self) -> int:
        """How long the provider keeps keys: after that Bursar asks, and never sends again. Stripe: 86,400 or less."""
        ...

    async def charge(self, order: Charge) -> Report:
        """Create and confirm a payment; a declined one is `ProviderRefused`."""
        ...

    async def follow(self, order: Follow) -> Report:
        """Capture, cancel or refund; the report is the payment's, or for a refund the refund's."""
        ...

    async def pay_out(self, order: Payout) -> Report:
        """Pay out of the balance."""
        ...

    async def ask(self, question: Question) -> Report | None:
        """What became of a call; None when the provider has never had it. A declined charge is a failed `Report`."""
        ...

    def read_event(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
    ) -> ProviderEvent:
        """Verify a delivery over its raw bytes, then read it: no I/O.

        `headers` have lower-case names. Any of the secrets will do, so that they can be rotated. Raises
        `SignatureInvalid` before anything is parsed, `EventMalformed` for what is signed and cannot be read.
        """
        ...

    def parse_event(self, body: bytes) -> ProviderEvent:
        """The same for bytes that were verified when they came and have been kept since."""
        ...

    async def list_balance_transactions(
        self, since: datetime, until: datetime, after: str | None = None, limit: int = 100
    ) -> list[BalanceTransaction]:
        """The provider's books from `since` up to but not including `until`, oldest first, after the one named."""
        ...
