"""Risk on the wire: versions of rules, where they stand, what a trial says, and why a payment has its score."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Time, Told

RiskOutcome = Literal["allow", "needs_approval", "step_up", "deny"]
RiskFeature = Literal["velocity", "new_payee", "unusual_hour", "amount_outlier", "structuring", "dormant"]
RiskStatus = Literal["draft", "shadow", "active", "retired"]

Points = Annotated[int, Field(ge=0, le=100, examples=[45], description="Added to the score at most; 0: off.")]
Above = Annotated[int, Field(ge=0, le=1_000_000, examples=[100], description="The last value without points.")]
FullAt = Annotated[int, Field(ge=0, le=1_000_000, examples=[300], description="The first value with all points.")]
AtLeast = Annotated[int, Field(ge=1, le=1_000_000, examples=[5])]
Percent = Annotated[int, Field(ge=1, le=100, examples=[90])]
Hours = Annotated[int, Field(ge=0, le=1_000_000, examples=[24])]


class RiskRamp(Asked):
    """Points that grow in a straight line from `above` to `full_at`."""

    points: Points
    above: Above
    full_at: FullAt


class RiskVelocity(RiskRamp):
    """Payments of the last hour, in percent of the busiest hour, which counts as `busiest_at_least` or more."""

    busiest_at_least: AtLeast


class RiskNewPayee(Asked):
    """A payee first paid less than `cool_off_hours` ago, or never."""

    points: Points
    cool_off_hours: Hours


class RiskUnusualHour(RiskRamp):
    """Hours to the nearest hour of the day that has at least `usual_percent` of the agent's payments."""

    usual_percent: Percent
    payments_at_least: AtLeast


class RiskAmountOutlier(RiskRamp):
    """The amount, in percent of what 19 of 20 of the agent's payments did not exceed."""

    payments_at_least: AtLeast


class RiskStructuring(RiskRamp):
    """Payments of 24 hours from `near_percent` of what needs no approval up to it."""

    near_percent: Percent


class RiskOutcomes(Asked):
    """The least score of each outcome; 101 never comes."""

    needs_approval: Annotated[int, Field(ge=1, le=101, examples=[40])]
    step_up: Annotated[int, Field(ge=1, le=101, examples=[60])]
    deny: Annotated[int, Field(ge=1, le=101, examples=[85])]


class RiskRules(Asked):
    """A version of the rules: weights and thresholds. `dormant` counts the days since the source account last paid."""

    version: Annotated[int, Field(ge=1, le=1_000_000, examples=[2])]
    velocity: RiskVelocity
    new_payee: RiskNewPayee
    unusual_hour: RiskUnusualHour
    amount_outlier: RiskAmountOutlier
    structuring: RiskStructuring
    dormant: RiskRamp
    outcomes: RiskOutcomes


class RiskVersion(Told):
    """A version of the rules and where it stands; `rules_hash` is the SHA-256 of its canonical JSON.

    Times and name are null of the version that comes with Bursar until it is first brought somewhere.
    """

    version: int
    status: RiskStatus
    rules: RiskRules
    rules_hash: str
    drafted_at: Time | None
    changed_at: Time | None
    changed_by: str | None


class RiskMove(Told):
    """Payments that rules on trial would have decided in another way; `examples` are decisions, by their events."""

    old: Annotated[RiskOutcome | Literal["none"], Field(description="`none` where no rules were in force.")]
    new: RiskOutcome
    payments: int
    examples: list[str]


class RiskTrial(Told):
    """What a version in the shadow said beside the one in force; the most frequent change first."""

    active_version: int | None
    shadow_version: int
    payments: int
    unchanged: int
    changes: list[RiskMove]


class RiskComparison(Told):
    """Every trial of a period: one for each pair of versions that assessed the same payments."""

    start: Time
    end: Time
    trials: list[RiskTrial]


class RiskContribution(Told):
    """What one feature added to a score; `value` is null where it could not be measured yet."""

    feature: RiskFeature
    value: int | None
    points: int
    text: str


class RiskScored(Told):
    """What one version of the rules said to a payment."""

    rules_version: int
    score: int
    outcome: RiskOutcome
    contributions: list[RiskContribution]


class RiskAssessment(Told):
    """Why a payment has its score. `decision_id` is its event; null where no rules were in force, or on trial."""

    decision_id: str
    decided_at: Time
    active: RiskScored | None
    shadow: RiskScored | None
