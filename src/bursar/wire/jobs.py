"""Jobs on the wire: what they are for, the step they are at, who may do it, what became of the money."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bursar.wire.fields import AccountRef, Amount, Asked, AskedInPart, Currency, MoneyText, Time, Told

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
JobStatus = Literal["active", "compensating", "done", "failed", "canceled"]
StepState = Literal["ready", "claimed", "awaiting_approval", "awaiting_payment", "closed"]

DefinitionName = Annotated[str, Field(pattern=NAME_PATTERN, examples=["checkout"])]
Role = Annotated[str, Field(pattern=NAME_PATTERN, examples=["check_risk"])]
Reference = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}$", examples=["order-2026-114"], description="Your own id.")
]
Words = Annotated[str, Field(min_length=1, max_length=500, description="For people to read; no rule reads it.")]
Token = Annotated[
    int, Field(ge=1, le=2**53 - 1, examples=[3], description="As the claim told it: it fences your lease.")
]
LeaseSeconds = Annotated[
    int, Field(ge=1, le=3600, examples=[60], description="How long the step is yours if you do not renew it.")
]


class WantedShare(AskedInPart):
    """Who pays whom; `weight` says how much of the whole beside the other shares.

    In place of `source` a `payment_method` is charged by its provider; in place of `target` a `destination` is paid out
    to. All shares of a job move in the same way.
    """

    source: AccountRef | None = None
    payment_method: Annotated[str | None, Field(max_length=64, examples=["pm_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])] = None
    target: Annotated[AccountRef | None, Field(examples=["ACC20002"])] = None
    destination: Annotated[str | None, Field(max_length=64, description="A payment method that is a bank account.")] = (
        None
    )
    weight: Annotated[int, Field(ge=1, le=10**15, examples=[1])] = 1

    @model_validator(mode="after")
    def _names_both_ends(self) -> "WantedShare":
        if (self.source is None) == (self.payment_method is None):
            raise ValueError("needs a source or a payment_method, and not both")
        if (self.target is None) == (self.destination is None):
            raise ValueError("needs a target or a destination, and not both")
        return self


class CreateJob(Asked):
    """Initiate a job. `amount` is the most it may cost; left out, the step that prices it says what it costs."""

    definition: DefinitionName
    version: Annotated[int | None, Field(ge=1, le=1_000_000, description="Default: the latest.")] = None
    amount: Amount | None = None
    currency: Currency
    shares: Annotated[list[WantedShare], Field(min_length=1, max_length=100)]
    reference: Reference | None = None
    purpose: Words | None = None


class ClaimStep(AskedInPart):
    """Which steps you would do: by role, by definition, or of one job. Left out: any that you may."""

    roles: Annotated[list[Role] | None, Field(min_length=1, max_length=20)] = None
    definition: DefinitionName | None = None
    job_id: Annotated[str | None, Field(max_length=64)] = None
    lease_seconds: LeaseSeconds = 60


class RenewStep(Asked):
    """Hold on to a step: its lease lasts `lease_seconds` from now."""

    token: Token
    lease_seconds: LeaseSeconds = 60


class CompleteStep(Asked):
    """Say that the step is done. `amount` is for the step that prices the job."""

    token: Token
    amount: Amount | None = None
    note: Words | None = None


class FailStep(Asked):
    """Say that the step could not be done. With `retry` it is tried again later, else the job is undone."""

    token: Token
    reason: Words
    retry: bool = True


class HandOverStep(Asked):
    """Have somebody else do the step; `to` is a principal's name or id."""

    token: Token
    to: Annotated[str, Field(min_length=1, max_length=64, examples=["agent_002"])]
    reason: Words | None = None


class CancelJob(Asked):
    """Give a job up and say why."""

    reason: Words


class JobStep(Told):
    """The step at hand. `token` and `holder` while somebody holds it; `kept_for` after a hand-over."""

    number: int
    name: str
    role: str
    effect: Literal["none", "price", "reserve", "capture"]
    state: StepState
    attempts: int
    not_before: Annotated[Time, Field(description="When it may be claimed; later after a failed attempt.")]
    deadline: Time | None
    holder: str | None
    token: int | None
    lease_until: Time | None
    kept_for: str | None
    approval_id: str | None


class JobShare(Told):
    """A share of a job: its amount once priced, its hold once reserved, its transfer once captured.

    Of one that moves through a provider the `payment_id` or `payout_id`, once the provider was to be called.
    """

    source: str | None
    target: str | None
    payment_method: str | None
    destination: str | None
    weight: int
    amount: MoneyText | None
    hold_id: str | None
    transfer_id: str | None
    reversal_id: str | None
    payment_id: str | None
    payout_id: str | None
    state: Annotated[
        Literal["open", "reserved", "captured", "released", "reversed"], Field(description="What became of its money.")
    ]


class Job(Told):
    """A job. `stage` says what has been reached, in the definition's words: of a claim it is the claim's state."""

    id: str
    version: int
    definition: str
    definition_version: int
    status: JobStatus
    stage: str
    amount: MoneyText | None
    currency: Currency
    reference: str | None
    purpose: Annotated[str | None, Field(description="The words of whoever initiated it.")]
    initiated_by: str
    created_at: Time
    changed_at: Time
    ended_at: Time | None
    last_error: str | None
    step: Annotated[JobStep | None, Field(description="Null once there is nothing left to do for anybody.")]
    shares: list[JobShare]


class Claimed(Told):
    """What a claim got; both null when there was nothing to claim in the time you waited."""

    job: Job | None
    token: int | None


class JobEvent(Told):
    """What happened to a job: one for each of its versions. No actor: Bursar itself."""

    version: int
    type: str
    status: JobStatus
    stage: str
    step: str
    actor: str | None
    actor_name: str | None
    note: str | None
    at: Time


class JobStepDone(Told):
    """A step as it was done; `note` is the words of whoever did it."""

    number: int
    name: str
    role: str
    done_by: str
    done_by_name: str
    attempts: int
    note: str | None
    done_at: Time


class JobReport(Told):
    """Everything about a job: who did what, what became of each share, and the sums in its currency."""

    job: Job
    steps: list[JobStepDone]
    held: Annotated[MoneyText, Field(description="Set aside now.")]
    captured: Annotated[MoneyText, Field(description="Paid.")]
    reversed: Annotated[MoneyText, Field(description="Paid and taken back.")]
    events: list[JobEvent]
