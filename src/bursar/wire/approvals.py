"""What waits for a person, on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from bursar.wire.credentials import KeyAssertion
from bursar.wire.fields import Asked, Currency, Description, Metadata, MoneyText, Time, Told
from bursar.wire.risk import RiskAssessment


class PendingApproval(Told):
    """No money has moved yet: a person must approve first. Funds and limits are set aside meanwhile."""

    status: Literal["pending_approval"]
    approval_id: Annotated[str, Field(examples=["apr_01a1fd…"])]
    expires_at: Time
    quorum: Annotated[int, Field(description="How many operators must approve.")]
    step_up: Annotated[bool, Field(description="Whether they must prove themselves by a one-time code.")]
    why: list[str]
    money_moved: Literal["no"] = "no"
    next: str = "Wait: GET /v1/approvals/{approval_id} tells what was decided. Do not send the payment again."


ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "cancelled", "superseded"]
ApprovalKind = Literal["payment", "mandate_change"]


class ApproveApproval(Asked):
    """A yes to the very payment or change that was looked at."""

    payload_hash: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="As the approval showed it: anything else is refused.")
    ]
    code: Annotated[
        str | None, Field(pattern=r"^[0-9]{6}$", description="Your one-time code, where `step_up` is true.")
    ] = None
    assertion: Annotated[
        KeyAssertion | None, Field(description="In place of `code`: what your security key signed of a challenge.")
    ] = None

    @model_validator(mode="after")
    def refuse_both(self) -> Self:
        """One proof is enough; with two it would not be clear which was used up."""
        if self.code is not None and self.assertion is not None:
            raise ValueError("takes a code or an assertion, not both")
        return self


class RejectApproval(Asked):
    """A no, with its reason."""

    reason: Description


class ApprovalVote(Told):
    """What one operator said."""

    operator: str
    vote: Literal["approve", "reject"]
    stepped_up: bool
    voted_at: Time


class TermChange(Told):
    """One field of a mandate's terms, as it is and as it would be."""

    field: Annotated[str, Field(examples=["per_transaction"])]
    before: JsonValue
    after: JsonValue


class RequestedChange(Told):
    """Other terms that somebody asks for a mandate; all that would not change is left out."""

    mandate_id: str
    mandate: Annotated[str, Field(description="Its name.")]
    version: Annotated[int, Field(description="The version that would be changed; another one supersedes this.")]
    changes: list[TermChange]


class Approval(Told):
    """What waits, or waited, for a person: a payment, or a change of a mandate.

    `executed_event_id` names the event by which it was carried out. A change of a mandate has `mandate_change` and
    neither accounts nor an amount.
    """

    id: str
    kind: ApprovalKind
    status: ApprovalStatus
    agent_id: Annotated[str, Field(description="Who asked.")]
    agent: str
    action: str
    mandate_change: RequestedChange | None
    source: str | None
    payee: Annotated[str | None, Field(description="The number of the account that is paid, by our own record.")]
    whom: Annotated[
        str | None,
        Field(description="Outside: the payment method of a charge, the payment a refund gives back, the destination."),
    ]
    amount: MoneyText | None
    currency: Currency | None
    payload_hash: Annotated[str, Field(description="SHA-256 of all that the approval is bound to.")]
    quorum: int
    roles: Annotated[list[str], Field(description="Each of these must be held by one of those who approve.")]
    step_up: bool
    why: Annotated[list[str], Field(description="Which limits and rules ask for a person.")]
    votes: list[ApprovalVote]
    hold_id: str | None
    created_at: Time
    expires_at: Time
    ended_at: Time | None
    ended_why: str | None
    executed_event_id: str | None


class KnownPayee(Told):
    """What the system knows of the payee; null where no operator has entered it."""

    counterparty_id: str | None
    name: str | None
    status: Literal["active", "blocked"] | None
    since: Time | None
    earlier_payments: Annotated[int, Field(description="How many this agent made to it.")]
    last_payment_at: Time | None


class AgentsWords(Told):
    """What the agent wrote: untrusted text that no rule reads."""

    description: str | None
    metadata: Metadata


class ApprovalDetail(Approval):
    """An approval, what the system knows of its payee if it is a payment, and beside it the agent's own words."""

    known_payee: KnownPayee | None
    risk: Annotated[
        RiskAssessment | None,
        Field(description="Why it has its score; null for agents, or without rules."),
    ]
    agents_words: AgentsWords
