"""Loan products on the wire: what loans there are, what they cost, and by which rules they are decided."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bursar.wire.fields import AccountRef, Amount, AmountOrZero, Asked, AskedInPart, Currency, Time, Told
from bursar.wire.lending import ConsentKind, Installments, ProductCode

Days = Annotated[int, Field(ge=1, le=365)]
Points = Annotated[int, Field(ge=-10_000, le=10_000, examples=[520])]
Millionths = Annotated[int, Field(ge=0, le=1_000_000)]


class LoanPolicy(AskedInPart):
    """The rules that decisions are held against; null: there is no such rule. An agent never overrides them."""

    scorecard: (
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}-[1-9][0-9]{0,6}$", examples=["berka-1"])] | None
    ) = None
    min_points: Points | None = None
    review_below_points: Points | None = None
    max_debt_service_percent: Annotated[int, Field(ge=1, le=100)] | None = None


class LoanCharge(AskedInPart):
    """A sum, a share of what it is charged on in millionths, or both together."""

    fixed: AmountOrZero = "0"
    ppm: Millionths = 0


class LoanCharges(AskedInPart):
    """What a loan costs beside its interest. The rest is for what is overdue by more than its days of grace.

    The late fee is charged once, on what an installment owes; the penalty's rate a year is on overdue principal.
    """

    disbursement_fee: LoanCharge = Field(default_factory=LoanCharge)
    installment_fee: LoanCharge = Field(default_factory=LoanCharge)
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    late_fee: LoanCharge = Field(default_factory=LoanCharge)
    penalty_rate_ppm: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class LoanRhythm(AskedInPart):
    """How due dates and installments differ from the plain ones; `calendar` is a country such as `US` or `DE-BY`."""

    month_end: bool = False
    business_day: Literal["none", "following", "modified_following", "preceding"] = "none"
    calendar: Annotated[str, Field(pattern=r"^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$", examples=["US"])] | None = None
    principal_grace: Annotated[int, Field(ge=0, le=600)] = 0
    interest_grace: Annotated[int, Field(ge=0, le=600)] = 0
    interest_free: Annotated[int, Field(ge=0, le=600)] = 0


class LoanProvisions(AskedInPart):
    """The share of the principal owed that is set aside for losses, in millionths, by days past due."""

    current: Millionths = 0
    days_1_30: Millionths = 0
    days_31_60: Millionths = 0
    days_61_90: Millionths = 0
    days_over_90: Millionths = 0


class CreateLoanProduct(Asked):
    """A version of a product: what its loans are like, and by which rules they are decided."""

    code: ProductCode
    account: Annotated[AccountRef, Field(description="The number of the account that loans are paid from.")]
    currency: Currency
    min_amount: Amount
    max_amount: Amount
    min_installments: Installments
    max_installments: Installments
    rate_ppm: Annotated[
        int, Field(ge=0, le=10_000_000, examples=[99_000], description="A year's rate in millionths: 99000 is 9.9 %.")
    ]
    method: Literal["equal_installments", "equal_principal", "interest_only", "balloon"] = "equal_installments"
    interest_on: Literal["declining", "flat"] = "declining"
    balloon_ppm: Annotated[
        int, Field(ge=0, lt=1_000_000, description="The last installment's share of a balloon, in millionths.")
    ] = 0
    day_count: Literal["30/360", "30E/360", "actual/360", "actual/365", "actual/actual"] = "30/360"
    every: Annotated[int, Field(ge=1, le=52, description="An installment every so many units.")] = 1
    unit: Literal["week", "month"] = "month"
    rhythm: LoanRhythm = Field(default_factory=LoanRhythm)
    charges: LoanCharges = Field(default_factory=LoanCharges)
    provisions: LoanProvisions = Field(default_factory=LoanProvisions)
    allocation: Annotated[
        list[Literal["penalty", "fee", "interest", "principal"]],
        Field(min_length=4, max_length=4, description="In which order money pays the parts of what is due."),
    ] = Field(default_factory=lambda: ["penalty", "fee", "interest", "principal"])
    consents: Annotated[list[ConsentKind], Field(max_length=3)] = Field(default_factory=list[ConsentKind])
    policy: LoanPolicy = Field(default_factory=LoanPolicy)
    application_days: Days = 30
    offer_days: Days = 14


class LoanProduct(Told):
    """A version of a product; it is never edited. `terms_hash` is the SHA-256 of its canonical JSON."""

    code: str
    version: int
    terms: dict[str, Any]
    terms_hash: str
    made_by: str
    made_at: Time
