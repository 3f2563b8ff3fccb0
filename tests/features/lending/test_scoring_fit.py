"""Fitting: plain logistic regression, ramps that make sense, and figures from loans that a card had not seen."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from defusedxml import ElementTree

from bursar.features.lending.features import Features
from bursar.features.lending.fitting import Example, Terms, fit
from bursar.features.lending.picture import draw
from bursar.features.lending.regression import fit_logistic
from bursar.features.lending.scoring import score
from bursar.features.lending.validation import Judged, auc_of, ks_of, roc_of, validate
from bursar.kernel.refusal import InvalidArgument

TERMS = Terms("test", 1, "CZK", 500_000)


def judged(bad: Sequence[int], good: Sequence[int]) -> list[Judged]:
    """Loans with these points."""
    return [Judged(p, 0.0, "A", is_bad=True) for p in bad] + [Judged(p, 0.0, "A", is_bad=False) for p in good]


def drawn(number: int, label: str, below: int) -> int:
    """The same number for the same label, always."""
    return int.from_bytes(hashlib.sha256(f"{label};{number}".encode()).digest()[:4]) % below


def example(number: int, *, is_bad: bool) -> Example:
    """An account whose values have nothing to do with its outcome."""
    features = Features(
        history_months=12,
        days_under_bps=drawn(number, "days", 3_000),
        lowest_minor=drawn(number, "lowest", 100_000),
        penalties=drawn(number, "penalties", 3),
        income_variation_bps=drawn(number, "income", 9_000),
    )
    return Example(f"{number:04}", features, is_bad)


def told_by_days(number: int) -> Example:
    """An account that goes bad the likelier the more days it has under the line; nothing else says anything."""
    found = example(number, is_bad=False)
    days = found.features.days_under_bps
    assert days is not None
    return found._replace(is_bad=drawn(number, "bad", 6_000) < days)


def test_the_weights_are_those_of_another_library() -> None:
    """As scikit-learn 1.9.1 finds them: `LogisticRegression(C=10, tol=1e-14)`."""
    rows = [[0.0, 1.0], [0.1, 0.2], [0.3, 0.9], [0.4, 0.4], [0.5, 0.0], [0.6, 0.8], [0.8, 0.1], [0.9, 0.7], [1.0, 0.3]]
    outcomes = [False, False, True, False, False, True, False, True, True, True]
    intercept, weights = fit_logistic([*rows, [1.0, 1.0]], outcomes)
    assert intercept == pytest.approx(-3.54864513)
    assert weights == pytest.approx([3.3545679, 3.1251205])


def test_outcomes_that_a_feature_tells_for_sure_keep_finite_weights() -> None:
    intercept, (weight,) = fit_logistic([[n / 10] for n in range(11)], [n > 5 for n in range(11)])
    assert 0 < weight < 20
    assert -20 < intercept < 0


def test_a_card_finds_the_feature_that_tells() -> None:
    card = fit([told_by_days(n) for n in range(300)], TERMS)
    points = {ramp.feature: ramp.points for ramp in card.ramps}
    assert max(points, key=points.__getitem__) == "days_under_bps"
    assert points["days_under_bps"] > 3 * max(p for f, p in points.items() if f != "days_under_bps")
    (ramp,) = [r for r in card.ramps if r.feature == "days_under_bps"]
    assert (ramp.best // 100, ramp.worst // 100) == (2, 25)
    assert ramp.words == "share of days with a balance under 5000.00 CZK"


def test_as_many_are_expected_to_go_bad_as_do() -> None:
    examples = [told_by_days(n) for n in range(300)]
    card = fit(examples, TERMS)
    expected = math.fsum(float(score(card, e.features).probability) for e in examples)
    assert expected == pytest.approx(sum(e.is_bad for e in examples), rel=0.05)


def test_a_feature_that_speaks_against_sense_is_left_out() -> None:
    examples = [told_by_days(n) for n in range(300)]
    turned = [e._replace(is_bad=not e.is_bad) for e in examples]
    assert "days_under_bps" not in [ramp.feature for ramp in fit(turned, TERMS).ramps]


def test_a_feature_of_one_value_is_left_out_and_a_rare_one_is_not() -> None:
    examples = [told_by_days(n) for n in range(100)]
    same = [e._replace(features=replace(e.features, penalties=0, lowest_minor=None)) for e in examples]
    assert {r.feature for r in fit(same, TERMS).ramps}.isdisjoint({"penalties", "lowest_minor"})
    rare = [
        e._replace(features=replace(e.features, penalties=(4, 4, 9)[n] if n < 3 else 0), is_bad=n < 3 or e.is_bad)
        for n, e in enumerate(same)
    ]
    (ramp,) = [r for r in fit(rare, TERMS).ramps if r.feature == "penalties"]
    assert (ramp.best, ramp.worst) == (0, 4)


def test_past_loans_of_one_outcome_teach_nothing() -> None:
    with pytest.raises(InvalidArgument, match="2 good and 2 bad"):
        fit([example(n, is_bad=n == 0) for n in range(20)], TERMS)


def test_statements_that_are_all_the_same_teach_the_average() -> None:
    card = fit([Example(str(n), Features(12, 1, 1, 1, 1, 1, 1, 1), is_bad=n < 5) for n in range(20)], TERMS)
    assert (card.ramps, float(card.scale.probability(card.base_points))) == ([], pytest.approx(0.25, abs=0.002))


def test_a_card_that_saw_its_loans_would_do_better_than_the_figures_say() -> None:
    """Outcomes by chance: whoever judges unseen loans is right half of the time, whoever saw them more often."""
    examples = [example(n, is_bad=drawn(n, "chance", 3) == 0) for n in range(60)]
    card = fit(examples, TERMS)
    found = validate(examples, TERMS, card, 5, 4, 1)
    seen = [score(card, e.features) for e in examples]
    on_seen = auc_of([[Judged(s.points, 0.0, s.band, e.is_bad) for s, e in zip(seen, examples, strict=True)]])
    assert found.auc.low < 0.5
    assert found.auc.value < on_seen.value - 0.1


def test_the_figures_depend_on_the_seed_and_on_nothing_else() -> None:
    examples = [told_by_days(n) for n in range(60)]
    card = fit(examples, TERMS)
    first = validate(examples, TERMS, card, 5, 2, 1)
    assert validate(examples, TERMS, card, 5, 2, 1) == first
    assert validate(examples, TERMS, card, 5, 2, 2) != first
    assert (first.loans, first.bad) == (60, sum(e.is_bad for e in examples))
    assert sum(b.loans for b in first.bands) == pytest.approx(60)
    assert sum(b.bad for b in first.bands) == pytest.approx(first.bad)


def test_auc_and_its_interval_worked_by_hand() -> None:
    found = auc_of([judged([1, 2, 3], [2, 4])])
    # Of 6 pairs 4 are right and one is even; each bad loan has 1, 3/4 and 1/2 of the good ones above it.
    assert found.value == pytest.approx(4.5 / 6)
    assert found.low == pytest.approx(0.75 - 1.959964 * math.sqrt(0.0625 / 3 + 0.125 / 2))
    assert found.high == 1.0
    turned = auc_of([judged([1, 2, 3], [2, 4]), judged([4, 3, 2], [3, 1])])
    assert turned.value == pytest.approx(0.5)


def test_ks_and_the_curve_worked_by_hand() -> None:
    loans = judged([1, 2, 5], [2, 4, 5, 6])
    assert roc_of(loans) == [(0, 0), (0, 1 / 3), (1 / 4, 2 / 3), (2 / 4, 2 / 3), (3 / 4, 1), (1, 1)]
    assert ks_of(loans) == 2 / 3 - 1 / 4


def test_the_picture_is_well_formed_and_says_the_figures() -> None:
    examples = [told_by_days(n) for n in range(60)]
    found = validate(examples, TERMS, fit(examples, TERMS), 5, 2, 1)
    texts = [text.text for text in ElementTree.fromstring(draw(found)).iter("{http://www.w3.org/2000/svg}text")]
    assert f"AUC {found.auc.value:.3f} ({found.auc.low:.3f} to {found.auc.high:.3f}), KS {found.ks:.2f}" in texts
    assert set("ABCDE") & set(texts) == {b.band for b in found.bands if b.loans}
