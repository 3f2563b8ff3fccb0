"""Loan products and applications on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bursar.wire.agents import Name
from bursar.wire.fields import Amount, AmountOrZero, Asked, Currency, MoneyText, Time, Told

ApplicationStatus = Literal[
    "draft", "submitted", "review", "approved", "rejected", "offered", "accepted", "withdrawn", "expired"
]
Outcome = Literal["approved", "rejected", "review"]
ConsentKind = Literal["credit_check", "data_processing", "terms"]
OriginKind = Literal["stated", "document", "inferred"]
OriginField = Literal["applicant_name", "amount", "installments", "purpose", "monthly_income", "monthly_debt_service"]

ProductCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["personal"])]
Installments = Annotated[int, Field(ge=1, le=600, examples=[24])]
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
Purpose = Annotated[str, Field(min_length=1, max_length=500, examples=["A used car"])]
TimeZone = Annotated[
    str,
    Field(
        max_length=64,
        pattern=r"^[A-Za-z0-9_+/-]+$",
        examples=["Europe/Prague"],
        description="Where the applicant is: by it the hours are counted at which they may be reminded.",
    ),
]
Reason = Annotated[
    str, Field(min_length=1, max_length=1000, examples=["The income is regular and well above the debts."])
]
Version = Annotated[
    int, Field(ge=1, le=1_000_000_000, description="The version you looked at: a newer one is refused.")
]
Earlier = Annotated[str, Field(max_length=64, description="The e-mail's application before this, which is over.")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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
    time_zone: TimeZone | None = None
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
    time_zone: TimeZone | None = None
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


class ScoreReason(Told):
    """What decided a score: its code, and what was measured in plain words."""

    code: str
    text: str


class LoanScore(Told):
    """What the product's scorecard made of a bank statement; `probability` is that of a bad loan."""

    scorecard: str
    points: int
    probability: Annotated[str, Field(examples=["0.031200"])]
    band: str
    proposal: Literal["approve", "review", "reject"]
    reasons: list[ScoreReason]
    statement_sha256: str


class LoanDecision(Told):
    """A decision: `reasons` are the product's rules' own, `reason` is the words of whoever decided.

    `adverse_reasons` of a rejection are what to tell the applicant; `score` is null where none was known.
    `inputs_hash` is the SHA-256 of all that the rules saw, which is kept so that it can be decided again.
    """

    id: str
    application_version: int
    outcome: Outcome
    policy: Literal["pass", "review", "reject"]
    reasons: list[DecisionReason]
    adverse_reasons: list[str]
    score: LoanScore | None
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
    time_zone: str | None
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
