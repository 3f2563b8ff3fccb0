"""Loan products and applications on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bursar.wire.agents import Name
from bursar.wire.fields import AccountRef, Amount, AmountOrZero, Asked, AskedInPart, Currency, MoneyText, Time, Told

ApplicationStatus = Literal[
    "draft", "submitted", "review", "approved", "rejected", "offered", "accepted", "withdrawn", "expired"
]
Outcome = Literal["approved", "rejected", "review"]
ConsentKind = Literal["credit_check", "data_processing", "terms"]
OriginKind = Literal["stated", "document", "inferred"]
OriginField = Literal["applicant_name", "amount", "installments", "purpose", "monthly_income", "monthly_debt_service"]

ProductCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["personal"])]
Installments = Annotated[int, Field(ge=1, le=600, examples=[24])]
Days = Annotated[int, Field(ge=1, le=365)]
Points = Annotated[int, Field(ge=-10_000, le=10_000, examples=[520])]
ApplicantName = Annotated[str, Field(min_length=1, max_length=200, examples=["Avery Adams"])]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
        examples=["avery@example.com"],
        description="By it applicants are told apart, whatever its case.",
    ),
]
Millionths = Annotated[int, Field(ge=0, le=1_000_000)]
Purpose = Annotated[str, Field(min_length=1, max_length=500, examples=["A used car"])]
Reason = Annotated[
    str, Field(min_length=1, max_length=1000, examples=["The income is regular and well above the debts."])
]
Version = Annotated[
    int, Field(ge=1, le=1_000_000_000, description="The version you looked at: a newer one is refused.")
]
Earlier = Annotated[str, Field(max_length=64, description="The e-mail's application before this, which is over.")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LoanPolicy(AskedInPart):
    """The rules that decisions are held against; null: there is no such rule. An agent never overrides them."""

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


class FieldOrigin(Asked):
    """Where a field is from: the person, one of the documents, or what an agent made of something."""

    field: OriginField
    origin: OriginKind
    document: Annotated[str, Field(min_length=1, max_length=200, examples=["payslip-2026-10.pdf"])] | None = None


class ApplicationDocument(Asked):
    """What is known of a document; the document itself is kept elsewhere."""

    document: Annotated[str, Field(min_length=1, max_length=200, examples=["payslip-2026-10.pdf"])]
    document_kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["payslip"])]
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, le=10**12)]


class Consent(Asked):
    """What the applicant has consented to, when, and how that is known."""

    consent: ConsentKind
    given_at: Time
    evidence: Annotated[str, Field(min_length=1, max_length=500, examples=["Ticked on the form of 2026-11-21."])]


class CreateApplication(Asked):
    """What somebody asks for, and all that is known of them."""

    product: ProductCode
    applicant_name: ApplicantName
    email: Email
    amount: Amount
    currency: Currency
    installments: Installments
    purpose: Purpose | None = None
    monthly_income: AmountOrZero | None = None
    monthly_debt_service: AmountOrZero | None = None
    origins: Annotated[list[FieldOrigin], Field(max_length=20)] = Field(default_factory=list[FieldOrigin])
    documents: Annotated[list[ApplicationDocument], Field(max_length=50)] = Field(
        default_factory=list[ApplicationDocument]
    )
    consents: Annotated[list[Consent], Field(max_length=10)] = Field(default_factory=list[Consent])
    decider: Annotated[Name, Field(description="The agent that decides; you, if none is named.")] | None = None
    follows: Earlier | None = None


class ChangeApplication(Asked):
    """Other facts: what is named replaces what was there, the rest stays. The e-mail never changes."""

    version: Version
    applicant_name: ApplicantName | None = None
    amount: Amount | None = None
    installments: Installments | None = None
    purpose: Purpose | None = None
    monthly_income: AmountOrZero | None = None
    monthly_debt_service: AmountOrZero | None = None
    origins: Annotated[list[FieldOrigin], Field(max_length=20)] | None = None
    documents: Annotated[list[ApplicationDocument], Field(max_length=50)] | None = None
    consents: Annotated[list[Consent], Field(max_length=10)] | None = None


class SubmitApplication(Asked):
    """Which version is ready to be decided."""

    version: Version


class WithdrawApplication(Asked):
    """Which version is withdrawn, and why."""

    version: Version
    reason: Reason | None = None


class DecideApplication(Asked):
    """What is decided on which version. A reason is needed where the product's rules do not say why."""

    version: Version
    decision: Outcome
    reason: Reason | None = None
    mandate: Annotated[str, Field(max_length=64, description="Your mandate, if you have several.")] | None = None


class MakeOffer(Asked):
    """Which version is offered."""

    version: Version


class AcceptOffer(Asked):
    """Which version is accepted, on which terms: the hash is that of the offer you looked at."""

    version: Version
    terms_hash: Sha256
    mandate: Annotated[str, Field(max_length=64, description="Your mandate, if you have several.")] | None = None


class OfferedInstallment(Told):
    """What falls due on a day."""

    due: Annotated[str, Field(examples=["2026-12-21"])]
    principal: MoneyText
    interest: MoneyText
    fee: MoneyText
    total: MoneyText


class Offer(Told):
    """An offer: the schedule, all that is paid, and what it costs a year (`apr_ppm` in millionths).

    The amount less `disbursement_fee` is paid out.
    """

    id: str
    amount: MoneyText
    disbursement_fee: MoneyText
    currency: str
    total: MoneyText
    rate_ppm: int
    apr_ppm: int
    from_day: Annotated[str, Field(examples=["2026-11-21"])]
    installments: list[OfferedInstallment]
    terms_hash: str
    made_by: str
    made_at: Time
    expires_at: Time


class DecisionReason(Told):
    """What a rule of the product says, in plain words."""

    rule: str
    says: Literal["review", "reject"]
    fact: str


class LoanDecision(Told):
    """A decision: `reasons` are the product's rules' own, `reason` is the words of whoever decided.

    `inputs_hash` is the SHA-256 of all that the rules saw, which is kept so that it can be decided again.
    """

    id: str
    application_version: int
    outcome: Outcome
    policy: Literal["pass", "review", "reject"]
    reasons: list[DecisionReason]
    reason: str | None
    decided_by: str
    decided_at: Time
    inputs_hash: str


class Application(Told):
    """An application as it stands; `version` counts its changes. Names, purpose and reasons are people's own words."""

    id: str
    version: int
    status: ApplicationStatus
    product: str
    product_version: int
    applicant_name: str
    email: str
    amount: MoneyText
    currency: str
    installments: int
    purpose: str | None
    monthly_income: MoneyText | None
    monthly_debt_service: MoneyText | None
    origins: list[FieldOrigin]
    documents: list[ApplicationDocument]
    consents: list[Consent]
    made_by: str
    decider: str
    approval_id: str | None
    case_id: str | None
    follows: str | None
    decisions: list[LoanDecision]
    offer: Offer | None
    loan_id: str | None
    created_at: Time
    changed_at: Time
    expires_at: Time | None


class ApplicationEvent(Told):
    """What brought an application to one of its versions; without `actor` Bursar itself did."""

    version: int
    type: str
    status: ApplicationStatus
    actor: str | None
    facts: dict[str, Any]
    happened_at: Time
