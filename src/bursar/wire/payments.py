"""Payments, refunds and payouts through providers, and the customers and methods they name, on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bursar.wire.cards import refuse_card_number
from bursar.wire.fields import AccountRef, AcknowledgedId, Amount, Asked, AskedInPart, Currency, MoneyText, Time, Told

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
DisputeStatus = Literal["needs_response", "under_review", "won", "lost"]
CallStatus = Literal["waiting", "pending", "unknown", "succeeded", "failed", "canceled"]
MethodKind = Literal["card", "bank_account", "other"]

_Safe = AfterValidator(refuse_card_number)
Text = Annotated[str, Field(min_length=1, max_length=500, examples=["Order 1042"]), _Safe]
ProviderName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["sandbox"], description="Default: the service's own.")
]
Reference = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_.:-]{1,200}$",
        examples=["sandbox_ok"],
        description="The provider's own id of it; never a number of a card.",
    ),
    _Safe,
]
MethodId = Annotated[str, Field(max_length=64, examples=["pm_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"]), _Safe]
CustomerId = Annotated[str, Field(max_length=64, examples=["cus_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"]), _Safe]
MandateId = Annotated[str, Field(max_length=64, description="The mandate to act under, if several could cover it.")]
SafeMetadata = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$"), _Safe],
        Annotated[str, Field(max_length=500), _Safe],
    ],
    Field(max_length=20, examples=[{"order": "1042"}]),
]


class CreatePayment(Asked):
    """A payment to an account of yours; it is confirmed at once unless `confirm` is false."""

    account: AccountRef
    amount: Amount
    currency: Currency
    payment_method: MethodId | None = None
    customer: CustomerId | None = None
    provider: ProviderName | None = None
    capture: Annotated[
        Literal["automatic", "manual"], Field(description="`manual`: authorised now, captured later.")
    ] = "automatic"
    confirm: bool = True
    description: Text | None = None
    metadata: SafeMetadata = Field(default_factory=dict[str, str])
    mandate: MandateId | None = None
    acknowledge_duplicate: AcknowledgedId | None = None


class ConfirmPayment(AskedInPart):
    """Confirm a payment, with the method it has or another one."""

    payment_method: MethodId | None = None
    acknowledge_duplicate: AcknowledgedId | None = None


class CapturePayment(AskedInPart):
    """Capture all that is left, or `amount` of it; unless `final` is false what is not captured is let go."""

    amount: Amount | None = None
    final: bool = True


class RefundPayment(AskedInPart):
    """Give back all that is left, or `amount` of it."""

    amount: Amount | None = None
    description: Text | None = None
    mandate: MandateId | None = None
    acknowledge_duplicate: AcknowledgedId | None = None


class Payment(Told):
    """A payment and its sums: `status` says how far it has come, `unknown` that the provider is being asked."""

    id: Annotated[str, Field(examples=["pay_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: PaymentStatus
    provider: str
    account_id: str
    amount: MoneyText
    currency: str
    captured_amount: MoneyText
    refunded_amount: MoneyText
    disputed_amount: MoneyText
    fee_amount: MoneyText
    capture: Literal["automatic", "manual"]
    customer: str | None
    payment_method: str | None
    provider_reference: str | None
    failure: Annotated[str | None, Field(description="Why it failed, in the provider's word: `card_declined`.")]
    action_url: Annotated[str | None, Field(description="Where the customer must go, for `requires_action`.")]
    quarantined: Annotated[
        bool, Field(description="What the provider says and what was asked do not agree; people must look.")
    ]
    in_suspense: Annotated[
        bool, Field(description="People have decided that what the provider does with it goes to suspense.")
    ]
    description: str | None
    metadata: dict[str, str]
    created_at: Time
    changed_at: Time


class LiftQuarantine(Asked):
    """What people make of a provider that contradicted what was asked, and why.

    `ask_again` believes it if it agrees by now; `to_suspense` books all that it says against the suspense account.
    """

    decision: Literal["ask_again", "to_suspense"]
    reason: Annotated[str, Field(min_length=1, max_length=2000, examples=["Stripe says that it was a mistake."]), _Safe]


class Dispute(Told):
    """A customer's bank took something back: `amount` may be more than was paid, and `fee_amount` is not given back."""

    id: Annotated[str, Field(examples=["dp_1PgafTB1WWcXKcjB7kgZlNhq"], description="What its provider calls it.")]
    payment_id: str
    provider: str
    status: DisputeStatus
    amount: MoneyText
    fee_amount: MoneyText
    currency: str
    opened_at: Time
    changed_at: Time


class Refund(Told):
    """A refund of a payment."""

    id: Annotated[str, Field(examples=["re_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    payment_id: str
    status: CallStatus
    amount: MoneyText
    currency: str
    provider_reference: str | None
    failure: str | None
    description: str | None
    approval_id: str | None
    created_at: Time
    ended_at: Time | None


class CreatePayout(Asked):
    """Money of an account of yours that leaves through a provider; without a destination to the provider's own bank."""

    account: AccountRef
    amount: Amount
    currency: Currency
    provider: ProviderName | None = None
    destination: Annotated[
        MethodId | None, Field(description="A payment method of kind bank_account, which people have entered.")
    ] = None
    description: Text | None = None
    mandate: MandateId | None = None
    acknowledge_duplicate: AcknowledgedId | None = None


class Payout(Told):
    """A payout: `pending` while it is on its way, `succeeded` when the bank has it."""

    id: Annotated[str, Field(examples=["po_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: CallStatus
    provider: str
    account_id: str
    amount: MoneyText
    currency: str
    provider_reference: str | None
    quarantined: Annotated[bool, Field(description="The provider contradicts what was asked; people look at it.")]
    in_suspense: Annotated[bool, Field(description="People had all of it booked against the suspense account.")]
    failure: str | None
    description: str | None
    approval_id: str | None
    created_at: Time
    ended_at: Time | None


class CreateCustomer(Asked):
    """Somebody who pays or is paid; `external_id` is what your own systems call them."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Ada Lovelace"]), _Safe]
    external_id: Annotated[str, Field(min_length=1, max_length=200, examples=["user-17"]), _Safe] | None = None
    metadata: SafeMetadata = Field(default_factory=dict[str, str])


class Customer(Told):
    """A customer."""

    id: Annotated[str, Field(examples=["cus_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    name: str
    external_id: str | None
    metadata: dict[str, str]
    created_at: Time


class CreatePaymentMethod(Asked):
    """A provider's reference to how somebody pays, or (`bank_account`, for people only) is paid."""

    reference: Reference
    kind: MethodKind = "card"
    customer: CustomerId | None = None
    provider: ProviderName | None = None
    label: Annotated[str, Field(min_length=1, max_length=100, examples=["Visa ending 4242"]), _Safe] | None = None


class PaymentMethod(Told):
    """A payment method."""

    id: Annotated[str, Field(examples=["pm_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    customer: str | None
    provider: str
    kind: MethodKind
    reference: str
    label: str | None
    created_at: Time
