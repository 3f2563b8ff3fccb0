"""A score and its reasons: a pure function of features and a card, and so made again from what was kept at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bursar.features.lending.features import Feature, Features, measure, values_of
from bursar.features.lending.scorecard import Card, Proposal, Ramp
from bursar.features.lending.summary import Summary
from bursar.kernel.canonical import digest
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import InvalidArgument

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


def score_summary(card: Card, summary: Summary) -> Score:
    """Score an account by its summary; refuses one that was not made for this card."""
    if (summary.currency, summary.under_minor) != (card.currency, card.under_minor):
        under = f"{show_minor(card.under_minor, card.currency)} {card.currency}"
        raise InvalidArgument("summary", f"must be in {card.currency} and count days under {under}, as the card does")
    return score(card, measure(summary))


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
    both = list(zip(card.ramps, contributions, strict=True))
    moved = {c.feature: c.points if is_approval else c.most_points - c.points for c in contributions}
    decided = sorted((pair for pair in both if moved[pair[1].feature]), key=lambda pair: -moved[pair[1].feature])
    return [Reason(ramp.code, _said(ramp, c, card.currency)) for ramp, c in decided[:_MOST_REASONS]]


def _said(ramp: Ramp, found: Contribution, currency: str) -> str:
    value = "unknown" if found.value is None else _shown(ramp.feature, found.value, currency)
    best = _shown(ramp.feature, ramp.best, currency)
    return f"{ramp.words}: {value} ({found.points} of {found.most_points} points; {best} earns all)"


def _shown(feature: Feature, value: int, currency: str) -> str:
    if feature.endswith("_minor"):
        return f"{show_minor(value, currency)} {currency}"
    return f"{value // 100}.{value % 100:02} %" if feature.endswith("_bps") else str(value)


def _thin(card: Card, features: Features) -> Reason:
    months, least = features.history_months, card.least_history_months
    return Reason("short_history", f"the history covers {months} whole months; below {least} a person decides")
