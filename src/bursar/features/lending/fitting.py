"""A scorecard from past loans: plain logistic regression with a small penalty, turned into ramps of whole points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bursar.features.lending.features import Feature, Features, values_of
from bursar.features.lending.regression import fit_logistic
from bursar.features.lending.scorecard import LOWEST_POINTS, Band, Card, Fitted, Proposal, Ramp, Scale
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import InvalidArgument

SCALE = Scale(points=600, odds=20, double=50)
# A tenth of the accounts on either side tell a value apart from the others no further.
_TENTH = 10
_LEAST_OF_EACH = 2
_WHOLE = 10_000
# Two whole months are the least that tell whether income is regular.
_LEAST_HISTORY_MONTHS = 2


class Example(NamedTuple):
    """An account with a past loan: what was known before it, and whether it went bad."""

    account: str
    features: Features
    is_bad: bool


class Candidate(NamedTuple):
    """A feature that a card may use, in which direction it is better, and its reason.

    `{under}` in the words stands for the amount that days are compared with.
    """

    feature: Feature
    higher_is_better: bool
    code: str
    words: str


class Cut(NamedTuple):
    """A band: accounts whose probability of a bad loan is at most so many percent."""

    name: str
    percent: int
    proposal: Proposal


# Few, because past loans that went bad are few; each is told apart in one direction that makes sense.
CANDIDATES: Sequence[Candidate] = (
    Candidate("days_under_bps", False, "low_balance_days", "share of days with a balance under {under}"),
    Candidate("lowest_minor", True, "lowest_balance", "lowest balance"),
    Candidate("penalties", False, "penalty_interest", "times the bank charged penalty interest"),
    Candidate("income_variation_bps", False, "irregular_income", "how far monthly income departs from its average"),
)
CUTS: Sequence[Cut] = (
    Cut("A", 2, "approve"),
    Cut("B", 5, "approve"),
    Cut("C", 10, "review"),
    Cut("D", 30, "review"),
)
_LAST_BAND = Band(name="E", at_least=LOWEST_POINTS, proposal="reject")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a card is fitted for. `under_minor` is what features were measured with."""

    name: str
    version: int
    currency: str
    under_minor: int


def fit(examples: Sequence[Example], terms: Terms, fitted: Fitted | None = None) -> Card:
    """A card from examples; refuses too few of them.

    A feature whose weight comes out against its direction is left out, so that what is better never costs points. If
    nothing is left, the card gives every account the points of the average one.
    """
    bad = [example.is_bad for example in examples]
    if min(sum(bad), len(bad) - sum(bad)) < _LEAST_OF_EACH:
        raise InvalidArgument("loans", f"must hold {_LEAST_OF_EACH} good and {_LEAST_OF_EACH} bad ones")
    ramps = [ramp for c in CANDIDATES if (ramp := _unweighted(c, examples, terms))]
    while True:
        intercept, weights = fit_logistic([_goodness(ramps, e.features) for e in examples], [not b for b in bad])
        wrong = min(range(len(ramps)), key=weights.__getitem__, default=None)
        if wrong is None or weights[wrong] >= 0:
            return _card(ramps, intercept, weights, terms, fitted)
        del ramps[wrong]


def _unweighted(candidate: Candidate, examples: Sequence[Example], terms: Terms) -> Ramp | None:
    """Between the values that a tenth of the examples lie beyond; None where all have one value."""
    values = sorted(v for e in examples if (v := values_of(e.features)[candidate.feature]) is not None)
    if not values or values[0] == values[-1]:
        return None
    low, high = values[len(values) // _TENTH], values[-1 - len(values) // _TENTH]
    if low == high:
        # Nearly all have this value, so what counts is whether an account departs from it.
        high = next((v for v in values if v > low), high)
        low = low if low < high else max(v for v in values if v < low)
    best, worst = (high, low) if candidate.higher_is_better else (low, high)
    words = candidate.words.replace("{under}", f"{show_minor(terms.under_minor, terms.currency)} {terms.currency}")
    return Ramp(feature=candidate.feature, best=best, worst=worst, points=_WHOLE, code=candidate.code, words=words)


def _goodness(ramps: Sequence[Ramp], features: Features) -> list[float]:
    """From 0 at the worst to 1 at the best, for each ramp."""
    values = values_of(features)
    return [ramp.points_for(values[ramp.feature]) / _WHOLE for ramp in ramps]


def _card(
    ramps: Sequence[Ramp], intercept: float, weights: Sequence[float], terms: Terms, fitted: Fitted | None
) -> Card:
    """Log odds become points: `double` points for each doubling."""
    factor = SCALE.double / math.log(2)
    return Card(
        name=terms.name,
        version=terms.version,
        currency=terms.currency,
        under_minor=terms.under_minor,
        least_history_months=_LEAST_HISTORY_MONTHS,
        scale=SCALE,
        base_points=SCALE.points + round(factor * (intercept - math.log(SCALE.odds))),
        ramps=[r.model_copy(update={"points": round(factor * w)}) for r, w in zip(ramps, weights, strict=True)],
        bands=[*(Band(name=c.name, at_least=_points_at(c.percent), proposal=c.proposal) for c in CUTS), _LAST_BAND],
        fitted=fitted,
    )


def _points_at(percent: int) -> int:
    """The least points at which the probability of a bad loan is at most so many percent."""
    return SCALE.points + math.ceil(SCALE.double * math.log2((100 - percent) / percent / SCALE.odds))
