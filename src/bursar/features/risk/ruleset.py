"""Rules are data: weights and thresholds under a version number, checked strictly, with one canonical text."""

from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.kernel.canonical import canonical
from bursar.kernel.refusal import InvalidArgument

Points = Annotated[int, Field(ge=0, le=100)]
# A score of 101 is never reached, so an outcome with this threshold never comes.
Threshold = Annotated[int, Field(ge=1, le=101)]
Measure = Annotated[int, Field(ge=0, le=1_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ramp(_Part):
    """Points that grow in a straight line: none up to `above`, all of them from `full_at` on."""

    points: Points
    above: Measure
    full_at: Measure

    @model_validator(mode="after")
    def _rises(self) -> "Ramp":
        if self.above >= self.full_at:
            raise ValueError("above must be less than full_at")
        return self

    def points_for(self, value: int) -> int:
        """Whole points, rounded down."""
        within = min(max(value, self.above), self.full_at) - self.above
        return self.points * within // (self.full_at - self.above)


class Velocity(Ramp):
    """Payments in the last hour, in percent of the busiest hour, which counts as `busiest_at_least` or more."""

    busiest_at_least: Count


class NewPayee(_Part):
    """A payee that the agent never paid, or paid for the first time less than `cool_off_hours` ago."""

    points: Points
    cool_off_hours: Measure


class UnusualHour(Ramp):
    """Hours to the nearest usual hour of the day: one with at least `usual_percent` of the agent's payments."""

    usual_percent: Annotated[int, Field(ge=1, le=100)]
    payments_at_least: Count


class AmountOutlier(Ramp):
    """The amount, in percent of the one that 19 of 20 of the agent's payments did not exceed."""

    payments_at_least: Count


class Structuring(Ramp):
    """Payments of 24 hours, this one included, from `near_percent` of the threshold up to the threshold itself."""

    near_percent: Annotated[int, Field(ge=1, le=100)]


class Outcomes(_Part):
    """The least score of each outcome; below all of them a payment is allowed."""

    needs_approval: Threshold
    step_up: Threshold
    deny: Threshold

    @model_validator(mode="after")
    def _in_order(self) -> "Outcomes":
        if not self.needs_approval <= self.step_up <= self.deny:
            raise ValueError("needs_approval, step_up and deny must not fall")
        return self


class RuleSet(_Part):
    """A version of the rules. `dormant` counts the days since the source account last paid."""

    version: Count
    velocity: Velocity
    new_payee: NewPayee
    unusual_hour: UnusualHour
    amount_outlier: AmountOutlier
    structuring: Structuring
    dormant: Ramp
    outcomes: Outcomes


def read_rules(text: str) -> RuleSet:
    """Check the JSON text of rules; refuses with all faults at once."""
    try:
        return RuleSet.model_validate_json(text)
    except ValidationError as error:
        faults = [_fault(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise InvalidArgument("rules", "; ".join(faults)) from error


def _fault(place: str, message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return f"{place} {reason}" if place else reason


def write_rules(rules: RuleSet) -> str:
    """The canonical JSON of rules: the same rules always give the same text."""
    return canonical(rules.model_dump())


DEFAULT_RULES = read_rules((files("bursar.features.risk") / "rules" / "1.json").read_text(encoding="utf-8"))
