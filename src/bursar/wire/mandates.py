"""Mandates on the wire: what an agent may do, how much, when, to whom, and what a person must approve."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.agents import Name
from bursar.wire.fields import (
    AccountRef,
    Amount,
    AmountOrZero,
    Asked,
    AskedInPart,
    Currency,
    Description,
    MoneyText,
    Time,
    Told,
)

MandateStatus = Literal["draft", "active", "paused", "revoked"]
MoneyAction = Literal[
    "create_transfer",
    "create_transfers",
    "reverse_transfer",
    "create_hold",
    "capture_hold",
    "release_hold",
    "create_payment",
    "confirm_payment",
    "refund_payment",
    "create_payout",
    "decide_application",
    "accept_offer",
    "disburse_loan",
    "repay_loan",
    "create_reminder",
]
Rail = Literal["book", "provider"]
Period = Literal["hour", "day", "week", "month", "lifetime"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Zone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["Europe/Prague"])]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]
Seconds = Annotated[int, Field(ge=0, le=366 * 86_400)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["treasurer"])]


class PerTransaction(Asked):
    """What one payment of a currency may be: up to `auto_max` alone, up to `max` with a person's approval."""

    currency: Currency
    max: Amount
    auto_max: Annotated[AmountOrZero | None, Field(description="Default: max, so that nothing needs approval.")] = None


class LimitWindow(Asked):
    """What the payments of a period may come to; a rolling period is counted in sixtieths of it."""

    kind: Literal["calendar", "rolling"] = "calendar"
    period: Period
    time_zone: Zone = "UTC"
    currency: Currency | None = None
    max_amount: Amount | None = None
    max_count: Count | None = None
    per_payee: bool = False


class CounterpartyRule(AskedInPart):
    """Whom the agent may pay; a counterparty entered less than `cool_off_seconds` ago must wait."""

    mode: Literal["allow_list", "any_known", "any"] = "any_known"
    allow: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=1000)] = Field(
        default_factory=list[Annotated[str, Field(max_length=64)]]
    )
    cool_off_seconds: Seconds = 0


class Hours(AskedInPart):
    """When the agent may pay, in local time."""

    time_zone: Zone = "UTC"
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = Field(
        default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"]
    )
    start: Clock = "08:00"
    end: Clock = "18:00"


class AmountOver(Asked):
    """More than an amount of a currency."""

    currency: Currency
    amount: AmountOrZero


class When(AskedInPart):
    """What makes an approval rule apply: any of these."""

    amount_over: Annotated[list[AmountOver], Field(max_length=50)] = Field(default_factory=list[AmountOver])
    new_payee: bool = False
    rails: list[Rail] = Field(default_factory=list[Rail])
    risk_at_least: Annotated[int, Field(ge=0, le=100)] | None = None


class ApprovalRule(Asked):
    """Who must approve: `quorum` operators, of a role if it names one, and with a one-time code if it says so."""

    when: When
    role: Role | None = None
    quorum: Annotated[int, Field(ge=1, le=10)] = 1
    ttl_seconds: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    step_up: bool = False


class VelocityLimit(Asked):
    """At most so many payments in any stretch of so many seconds."""

    max_count: Count
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class MandateTerms(AskedInPart):
    """All that a mandate says; null means not limited in this way."""

    actions: Annotated[list[MoneyAction], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: ["create_transfer"]
    )
    accounts: Annotated[list[AccountRef], Field(max_length=1000, description="Source accounts by number.")] | None = (
        None
    )
    rails: Annotated[list[Rail], Field(min_length=1)] = Field(default_factory=lambda: ["book"])
    purpose: Annotated[str, Field(max_length=500, description="The granter's words; no rule reads them.")] = ""
    per_transaction: Annotated[list[PerTransaction], Field(max_length=50)] | None = None
    windows: Annotated[list[LimitWindow], Field(max_length=20)] = Field(default_factory=list[LimitWindow])
    counterparties: CounterpartyRule = Field(default_factory=CounterpartyRule)
    hours: Hours | None = None
    approvals: Annotated[list[ApprovalRule], Field(max_length=20)] = Field(default_factory=list[ApprovalRule])
    duplicate_window_seconds: Annotated[int, Field(ge=1, le=31 * 86_400)] | None = None
    velocity: VelocityLimit | None = None


class DraftMandate(Asked):
    """A mandate for one agent, for a team, or for every agent of the tenant (neither named)."""

    name: Name
    agent: Annotated[str | None, Field(min_length=1, max_length=64, description="Its name or id.")] = None
    team: Name | None = None
    parent: Annotated[str | None, Field(max_length=64, description="The mandate it narrows, by id.")] = None
    not_before: Time | None = None
    expires_at: Time | None = None
    terms: MandateTerms


class ChangeMandate(Asked):
    """Other terms for a mandate, in force from the answer on; what was used of its windows stays used."""

    terms: MandateTerms


class PauseMandate(Asked):
    """Why a mandate is paused."""

    reason: Annotated[str | None, Field(min_length=1, max_length=500, description="Absent: that you paused it.")] = None


class RequestMandateChange(Asked):
    """Other terms that people are asked to give a mandate.

    A field of the terms that is left out stays as it is; one that is given replaces the whole field. The terms'
    `purpose` is the granter's and stays.
    """

    terms: MandateTerms
    purpose: Annotated[Description, Field(description="Your reason, for people to read; no rule reads it.")]


class Mandate(Told):
    """A mandate as it stands."""

    id: str
    version: int
    name: str
    status: MandateStatus
    agent_id: str | None
    team: str | None
    parent: str | None
    not_before: Time | None
    expires_at: Time | None
    terms: MandateTerms
    granted_by: str
    changed_at: Time


class MandateVersion(Told):
    """A mandate as it stood at one of its versions."""

    version: int
    status: MandateStatus
    not_before: Time | None
    expires_at: Time | None
    terms: MandateTerms
    changed_by: str
    changed_at: Time


class MandateVersions(Told):
    """Every version a mandate had, oldest first."""

    items: list[MandateVersion]


class LimitLeft(Told):
    """What is left of one limit. `resets_at` is null where it never resets."""

    mandate: str
    limit: Annotated[str, Field(examples=["calendar day"])]
    per_payee: bool
    currency: str | None
    max_amount: MoneyText | None
    left_amount: MoneyText | None
    max_count: int | None
    left_count: int | None
    resets_at: Time | None


class Authorised(Told):
    """What let an agent's payment go: its decision and mandate, and what is left of the limits that it used."""

    decision_id: str
    mandate: str
    mandate_version: int
    limits: list[LimitLeft]


class Authority(Told):
    """What an agent may do now: the mandates it acts under, the narrowest first, and what is left of their limits."""

    agent_id: str
    agent: str
    status: Literal["active", "suspended"]
    mandates: list[Mandate]
    limits: list[LimitLeft]


class RuleResult(Told):
    """What one rule of one mandate said."""

    mandate: str
    rule: str
    outcome: Literal["allow", "needs_approval", "deny"]
    fact: str


class CheckedTransfer(Told):
    """What would become of a transfer if it were sent now; nothing was moved or set aside."""

    outcome: Literal["allow", "needs_approval", "deny"]
    code: str | None
    detail: str
    results: list[RuleResult]
