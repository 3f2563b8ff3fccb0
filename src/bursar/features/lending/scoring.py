"""A score and its reasons: a pure function of features and a card, and so made again from what was kept at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bursar.features.lending.features import Feature, Features, values_of
from bursar.features.lending.scorecard import Card, Proposal, Ramp
from bursar.kernel.canonical import digest
from bursar.kernel.money import show_minor

_MOST_REASONS = 4


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds: the value that was measured (None if unknown), its points, and the most it could add."""

    feature: Feature
    value: int | None
    points: int
    most_points: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code, and the same in plain words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a card makes of features. The probability is that of a bad loan.

    The reasons are what decided, the strongest first: what cost most points, or for an approval what earned most.
    """

    card: str
    card_version: int
    card_sha256: str
    inputs_sha256: str
    probability: Decimal
    points: int
    band: str
    proposal: Proposal
    reasons: Sequence[Reason]
    contributions: Sequence[Contribution]


def score(card: Card, features: Features) -> Score:
    """Score features that were measured in the card's currency, with days compared with its `under_minor`."""
    known = values_of(features)
    contributions = [
        Contribution(r.feature, known[r.feature], r.points_for(known[r.feature]), r.points) for r in card.ramps
    ]
    points = card.base_points + sum(c.points for c in contributions)
    band = card.band_of(points)
    is_thin = features.history_months < card.least_history_months
    proposal = "review" if is_thin else band.proposal
    reasons = _reasons(card, contributions, is_approval=proposal == "approve")
    return Score(
        card.name,
        card.version,
        card.digest,
        digest(known).hex(),
        card.scale.probability(points),
        points,
        band.name,
        proposal,
        ([_thin(card, features)] if is_thin else []) + reasons,
        contributions,
    )


def _reasons(card: Card, contributions: Sequence[Contribution], *, is_approval: bool) -> list[Reason]:
    moved = {c.feature: c.points if is_approval else c.most_points - c.points for c in contributions}
    ramps = sorted(card.ramps, key=lambda ramp: -moved[ramp.feature])
    values = {c.feature: c.value for c in contributions}
    decided = [ramp for ramp in ramps if moved[ramp.feature]][:_MOST_REASONS]
    return [Reason(ramp.code, _said(ramp, values[ramp.feature], card.currency)) for ramp in decided]


def _said(ramp: Ramp, value: int | None, currency: str) -> str:
    if value is None:
        return f"not known from this history: {ramp.words.replace('{value}', '…')}"
    return ramp.words.replace("{value}", _shown(ramp.feature, value, currency))


def _shown(feature: Feature, value: int, currency: str) -> str:
    if feature.endswith("_minor"):
        return f"{show_minor(value, currency)} {currency}"
    return f"{value // 100}.{value % 100:02} %" if feature.endswith("_bps") else str(value)


def _thin(card: Card, features: Features) -> Reason:
    months, least = features.history_months, card.least_history_months
    return Reason("short_history", f"the history covers {months} whole months; below {least} a person decides")
