"""What waits for a person, on the wire."""

from typing import Annotated, Literal

from pydantic import Field

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


class ApproveApproval(Asked):
    """A yes to the very payment that was looked at."""

    payload_hash: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="As the approval showed it: another payment is refused.")
    ]
    code: Annotated[
        str | None, Field(pattern=r"^[0-9]{6}$", description="Your one-time code, where `step_up` is true.")
    ] = None


class RejectApproval(Asked):
    """A no, with its reason."""

    reason: Description


class ApprovalVote(Told):
    """What one operator said."""

    operator: str
    vote: Literal["approve", "reject"]
    stepped_up: bool
    voted_at: Time


class Approval(Told):
    """A payment that waits, or waited, for a person. `executed_event_id` names the event of its payment."""

    id: str
    status: ApprovalStatus
    agent_id: str
    agent: str
    action: str
    source: str
    payee: Annotated[str | None, Field(description="The number of the account that is paid, by our own record.")]
    amount: MoneyText
    currency: Currency
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
    """An approval, what the system knows of its payee, and beside it the agent's own words."""

    known_payee: KnownPayee
    risk: Annotated[
        RiskAssessment | None,
        Field(description="Why it has its score; null for agents, or without rules."),
    ]
    agents_words: AgentsWords
