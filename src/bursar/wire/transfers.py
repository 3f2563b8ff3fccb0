"""Transfers on the wire, one or many."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bursar.wire.approvals import PendingApproval
from bursar.wire.cards import refuse_card_number
from bursar.wire.fields import (
    AccountRef,
    AcknowledgedId,
    Amount,
    Asked,
    Currency,
    Description,
    Metadata,
    MoneyText,
    Time,
    Told,
)
from bursar.wire.mandates import Authorised
from bursar.wire.problems import Problem

MOST_TRANSFERS = 5_000


class CreateTransfer(Asked):
    """Money from `source` to `target`."""

    source: AccountRef
    target: Annotated[AccountRef, Field(examples=["ACC20002"])]
    amount: Amount
    currency: Currency
    description: Description | None = None
    metadata: Metadata = Field(default_factory=dict)
    effective_at: Annotated[
        Time | None, Field(description="A past time of effect; operators and services only. Default: now.")
    ] = None
    mandate: Annotated[
        str | None, Field(max_length=64, description="Which of your mandates, if more than one could cover this.")
    ] = None
    acknowledge_duplicate: AcknowledgedId | None = None


class CheckTransfer(CreateTransfer):
    """A transfer that is only asked about."""

    agent: Annotated[
        str | None,
        Field(min_length=1, max_length=64, description="Whose mandates to ask, by name or id; operators only."),
    ] = None


class SettleTransfer(Asked):
    """What people know of a transfer upstream without an answer, and why.

    `ask_again` makes the same call again, and settles it by what the upstream says. Only once that was in vain may
    people say what they have found out: `made` books it, `not_made` gives back what was held. Neither sends anything.
    """

    decision: Literal["ask_again", "made", "not_made"]
    reason: Annotated[
        str,
        Field(min_length=1, max_length=2000, examples=["Their statement has it."]),
        AfterValidator(refuse_card_number),
    ]


class SettledTransfer(Told):
    """A transfer upstream as it stands."""

    id: str
    status: Literal["waiting", "pending", "unknown", "succeeded", "failed", "canceled"]
    source_id: str
    target_id: str
    amount: MoneyText
    currency: str
    failure: str | None
    created_at: Time
    ended_at: Time | None


class Transfer(Told):
    """A posted transfer with the version each account had after it, and the source's posted balance."""

    id: str
    kind: Literal["transfer", "capture", "reversal", "statement", "payment", "loan"]
    status: Literal["posted"]
    source: str
    target: str
    amount: MoneyText
    currency: Currency
    description: str | None
    metadata: Metadata
    effective_at: Time
    recorded_at: Time
    source_balance: MoneyText
    source_version: int
    target_version: int
    reverses: str | None
    reversed_amount: MoneyText
    hold_id: str | None
    event_id: str
    authority: Annotated[
        Authorised | None, Field(description="In the answer to an agent that paid: what let it. Null elsewhere.")
    ] = None


class ReverseTransfer(Asked):
    """Take a transfer back: what is left of it, or `amount` of it."""

    amount: Amount | None = None
    description: Description | None = None


class CreateTransfers(Asked):
    """Up to 5,000 transfers: `all_or_nothing`, or `each` on its own."""

    mode: Literal["all_or_nothing", "each"]
    transfers: Annotated[list[CreateTransfer], Field(min_length=1, max_length=MOST_TRANSFERS)]


class TransferResult(Told):
    """What became of one transfer of a batch: exactly one of the three is set."""

    transfer: Transfer | None = None
    pending: PendingApproval | None = None
    problem: Problem | None = None


class TransferResults(Told):
    """What became of a batch, in its order."""

    mode: Literal["all_or_nothing", "each"]
    posted: int
    pending: int
    refused: int
    results: list[TransferResult]
