"""How well a way of fitting tells bad loans apart that it has not seen: repeated cross-validation and its figures."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, variance
from typing import NamedTuple

from bursar.features.lending.features import Feature, values_of
from bursar.features.lending.fitting import CANDIDATES, Example, Terms, fit
from bursar.features.lending.scorecard import Card, Proposal
from bursar.features.lending.scoring import score

_NORMAL_95 = 1.959964


class Judged(NamedTuple):
    """A loan and the score of its account, by a card that was fitted without it."""

    points: int
    probability: float
    band: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the two ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BandOutcome:
    """A band: its share of loans, how many of them were expected to go bad, and how many did; means of the repeats."""

    band: str
    proposal: Proposal
    loans: float
    expected_bad: float
    bad: float


@dataclass(frozen=True, slots=True)
class Weight:
    """A feature in the card: its most points (0 if it was left out), and the AUC of its value alone."""

    feature: Feature
    most_points: int
    best: int | None
    worst: int | None
    auc_alone: float


@dataclass(frozen=True, slots=True)
class Validation:
    """Figures from loans that the fitted cards had not seen, and the weights of the card that was fitted on all loans.

    `roc` has the shares of good and of bad loans from the worst points up to each number of points.
    """

    loans: int
    bad: int
    folds: int
    repeats: int
    seed: int
    auc: Interval
    ks: float
    bands: Sequence[BandOutcome]
    weights: Sequence[Weight]
    roc: Sequence[tuple[float, float]]


def validate(examples: Sequence[Example], terms: Terms, card: Card, folds: int, repeats: int, seed: int) -> Validation:
    """Cross-validate the whole way from features to points; `card` is the one fitted on all examples."""
    rounds = [_judge(examples, terms, folds, seed, repeat) for repeat in range(repeats)]
    bad = sum(e.is_bad for e in examples)
    return Validation(
        len(examples),
        bad,
        folds,
        repeats,
        seed,
        auc_of(rounds),
        mean(ks_of(judged) for judged in rounds),
        _outcomes(rounds, card),
        [_weight(candidate.feature, examples, card) for candidate in CANDIDATES],
        roc_of([j for judged in rounds for j in judged]),
    )


def _judge(examples: Sequence[Example], terms: Terms, folds: int, seed: int, repeat: int) -> list[Judged]:
    """Every example once, in their order, by the card of the other folds. Everything that is learnt is learnt there."""
    fold_of = _stratified(examples, folds, f"{seed};{repeat}")
    cards = [fit([e for e, f in zip(examples, fold_of, strict=True) if f != fold], terms) for fold in range(folds)]
    judged: list[Judged] = []
    for example, fold in zip(examples, fold_of, strict=True):
        found = score(cards[fold], example.features)
        judged.append(Judged(found.points, float(found.probability), found.band, example.is_bad))
    return judged


def _stratified(examples: Sequence[Example], folds: int, label: str) -> list[int]:
    """The fold of each example: good and bad ones dealt out in turn, in an order that only the label decides."""
    order = sorted(range(len(examples)), key=lambda n: (examples[n].is_bad, _drawn(label, examples[n].account)))
    place = {n: at for at, n in enumerate(order)}
    return [place[n] % folds for n in range(len(examples))]


def _drawn(label: str, account: str) -> bytes:
    return hashlib.sha256(f"{label};{account}".encode()).digest()


def auc_of(rounds: Sequence[Sequence[Judged]]) -> Interval:
    """The chance that a bad loan has fewer points than a good one, a tie being half of it.

    The interval is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), from what each loan adds, averaged
    over the rounds, which hold the same loans in one order.
    """
    shares = [_shares_beaten(judged) for judged in rounds]
    by_loan = [mean(of_loan) for of_loan in zip(*shares, strict=True)]
    bad = [share for share, judged in zip(by_loan, rounds[0], strict=True) if judged.is_bad]
    good = [share for share, judged in zip(by_loan, rounds[0], strict=True) if not judged.is_bad]
    error = _NORMAL_95 * math.sqrt(variance(bad) / len(bad) + variance(good) / len(good))
    return Interval(mean(bad), max(mean(bad) - error, 0.0), min(mean(bad) + error, 1.0))


def _shares_beaten(judged: Sequence[Judged]) -> list[float]:
    """For each loan the share of those of the other outcome that lie on the right side of it."""
    bad, good = ([j.points for j in judged if j.is_bad is outcome] for outcome in (True, False))
    return [
        sum((j.points < g) + (j.points == g) / 2 for g in good) / len(good)
        if j.is_bad
        else sum((b < j.points) + (b == j.points) / 2 for b in bad) / len(bad)
        for j in judged
    ]


def roc_of(judged: Sequence[Judged]) -> list[tuple[float, float]]:
    """Shares of the good and of the bad loans that have at most so many points, for every number of points."""
    bad = sum(j.is_bad for j in judged)
    counts, shares = [0, 0], {-1: (0.0, 0.0)}
    for place, loan in enumerate(ordered := sorted(judged, key=lambda j: j.points)):
        counts[loan.is_bad] += 1
        is_last = place + 1 == len(ordered) or ordered[place + 1].points > loan.points
        if is_last:
            shares[place] = counts[0] / (len(judged) - bad), counts[1] / bad
    return list(shares.values())


def ks_of(judged: Sequence[Judged]) -> float:
    """Kolmogorov-Smirnov: the largest distance between the two shares."""
    return max(abs(bad - good) for good, bad in roc_of(judged))


def _outcomes(rounds: Sequence[Sequence[Judged]], card: Card) -> list[BandOutcome]:
    every = [j for judged in rounds for j in judged]
    found: list[BandOutcome] = []
    for band in card.bands:
        inside = [j for j in every if j.band == band.name]
        sums = len(inside), math.fsum(j.probability for j in inside), sum(j.is_bad for j in inside)
        found.append(BandOutcome(band.name, band.proposal, *(total / len(rounds) for total in sums)))
    return found


def _weight(feature: Feature, examples: Sequence[Example], card: Card) -> Weight:
    ramp = next((ramp for ramp in card.ramps if ramp.feature == feature), None)
    higher_is_better = next(c.higher_is_better for c in CANDIDATES if c.feature == feature)
    alone = [_alone(e, feature, higher_is_better=higher_is_better) for e in examples]
    auc = auc_of([alone]).value
    return Weight(feature, ramp.points if ramp else 0, ramp.best if ramp else None, ramp.worst if ramp else None, auc)


def _alone(example: Example, feature: Feature, *, higher_is_better: bool) -> Judged:
    value = values_of(example.features)[feature]
    points = -(10**18) if value is None else value if higher_is_better else -value
    return Judged(points, 0.0, "", example.is_bad)
