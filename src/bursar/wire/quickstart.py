"""The flat shapes of the quickstart endpoints: amounts may be JSON numbers or text, both read exactly."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, WithJsonSchema

from bursar.wire.agents import Name
from bursar.wire.cards import refuse_card_number
from bursar.wire.fields import AccountRef, Asked, Time, Told
from bursar.wire.payments import PaymentStatus

LooseAmount = Annotated[
    str | int | Decimal,
    # Requests are compared by canonical JSON, which has no numbers beyond 2**53.
    PlainSerializer(str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"}, {"type": "number"}],
            "exclusiveMinimum": 0,
            "examples": [250, "250.00"],
        }
    ),
]


class AgentTransfer(Asked):
    """System 1: an agent moves money between two accounts, in the source account's currency."""

    agent_id: Name
    source_account: AccountRef
    target_account: Annotated[AccountRef, Field(examples=["ACC20002"])]
    amount: LooseAmount


class AgentTransferMade(Told):
    """The transfer as system 1 tells it."""

    transfer_id: str
    status: Literal["posted"]
    source_account: str
    target_account: str
    amount: str
    currency: str
    created_at: Time


class AgentTransferAnswer(Told):
    """System 1's answer."""

    ok: Literal[True]
    transfer: AgentTransferMade


class AgentEvent(Told):
    """One event of an agent."""

    id: str
    agent_id: str
    event_type: Annotated[str, Field(examples=["transfer_created"])]
    payload: dict[str, Any]
    created_at: Time


class AgentEvents(Told):
    """An agent's events, newest first."""

    agent_id: str
    events: list[AgentEvent]


class AccountBalance(Told):
    """System 2: what an account has available now."""

    account_number: str
    balance: Annotated[str, Field(examples=["12500.00"])]
    currency: str


class RetailTransfer(Asked):
    """System 2: money from one account to another, in the source account's currency."""

    from_account: AccountRef
    to_account: Annotated[AccountRef, Field(examples=["ACC20002"])]
    amount: LooseAmount


Cents = Annotated[int, Field(ge=1, le=10**15 - 1, examples=[2500], description="In the smallest unit of the currency.")]


class CreateAgentPayment(Asked):
    """System 3: take a payment for an agent."""

    agent_id: Name
    amount_cents: Cents
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$", examples=["USD"])]


class AgentPaymentAnswer(Told):
    """System 3's answer to a payment: the job, and the payment that its provider was asked for."""

    job_id: Annotated[str, Field(examples=["job_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    payment_id: Annotated[str, Field(examples=["pay_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: PaymentStatus


class AgentJobAnswer(Told):
    """System 3's answer to what an agent does with a job; `processing` while a provider has yet to say."""

    id: Annotated[str, Field(examples=["job_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: Literal["reserved", "paid", "processing"]


class QuickPayment(Asked):
    """System 5: take a payment; who pays and how are named by the caller's own names."""

    customer_id: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_.:@-]{1,100}$", examples=["cus_001"]), AfterValidator(refuse_card_number)
    ]
    amount: LooseAmount
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$", examples=["USD"])]
    payment_method_id: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$", examples=["pm_card_visa"], description="The provider's own id."),
        AfterValidator(refuse_card_number),
    ]


class QuickPaymentAnswer(Told):
    """System 5's answer."""

    payment_id: Annotated[str, Field(examples=["pay_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: PaymentStatus


class QuickPaymentShown(Told):
    """A payment as system 5 shows it."""

    payment_provider_id: str | None
    customer_id: str | None
    amount: Annotated[str, Field(examples=["25.00"])]
    currency: str
    status: PaymentStatus


class RetailTransferAnswer(Told):
    """System 2's answer; `request_id` names the transfer."""

    status: Literal["ok"]
    request_id: Annotated[str, Field(examples=["0192f7b4-8c1d-7d5e-9a3b-6f1e2d3c4b5a"])]
