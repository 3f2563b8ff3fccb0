"""Scorecards are data: checked strictly, in whole points, and the same on every machine, with reasons in words."""

from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.lending.features import Features
from bursar.features.lending.scorecard import LOWEST_POINTS, Ramp, Scale, find_card, read_card, write_card
from bursar.features.lending.scoring import Reason, score
from bursar.kernel.refusal import InvalidArgument
from tests.features.lending.banking import BEST, CARD, WORST


def test_points_grow_in_a_straight_line_and_are_rounded_down() -> None:
    up = Ramp(feature="lowest_minor", best=100, worst=0, points=50, code="c", words="w")
    assert [up.points_for(v) for v in (-5, 0, 1, 2, 50, 99, 100, 7_000)] == [0, 0, 0, 1, 25, 49, 50, 50]
    down = Ramp(feature="days_under_bps", best=0, worst=100, points=50, code="c", words="w")
    assert [down.points_for(v) for v in (-5, 0, 1, 2, 50, 99, 100, 7_000)] == [50, 50, 49, 49, 25, 0, 0, 0]
    assert up.points_for(None) == down.points_for(None) == 0


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15))
def test_what_is_better_never_costs_points(one: int, other: int) -> None:
    for ramp in CARD.ramps:
        better, worse = (max, min) if ramp.best > ramp.worst else (min, max)
        assert ramp.points >= ramp.points_for(better(one, other)) >= ramp.points_for(worse(one, other)) >= 0


def test_the_probability_halves_its_odds_by_the_scale() -> None:
    scale = Scale(points=600, odds=20, double=50)
    assert [scale.probability(points) for points in (600, 650, 700, 550, 384, 601)] == [
        Decimal("0.047619"),
        Decimal("0.024390"),
        Decimal("0.012346"),
        Decimal("0.090909"),
        Decimal("0.499666"),
        Decimal("0.046994"),
    ]
    assert scale.probability(-1_000_000) == 1
    assert scale.probability(1_000_000) == 0


def test_a_score_is_the_sum_of_its_parts() -> None:
    found = score(CARD, replace(BEST, days_under_bps=600, lowest_minor=25_000))
    assert [(c.feature, c.value, c.points, c.most_points) for c in found.contributions] == [
        ("days_under_bps", 600, 100, 200),
        ("lowest_minor", 25_000, 25, 100),
        ("penalties", 0, 50, 50),
    ]
    assert (found.points, found.band, found.proposal) == (400 + 175, "B", "review")
    assert found.probability == CARD.scale.probability(575)


def test_a_refusal_names_what_cost_most_points_first() -> None:
    assert score(CARD, WORST).proposal == "reject"
    assert score(CARD, WORST).reasons == [
        Reason("low_days", "low days: 100.00 % (0 of 200 points; 1.00 % earns all)"),
        Reason("lowest", "lowest balance: -0.01 CZK (0 of 100 points; 1000.00 CZK earns all)"),
        Reason("penalty", "charges: 7 (0 of 50 points; 0 earns all)"),
    ]
    assert [r.code for r in score(CARD, replace(WORST, days_under_bps=0)).reasons] == ["lowest", "penalty"]


def test_an_approval_names_what_earned_most() -> None:
    found = score(CARD, replace(BEST, penalties=1))
    assert (found.points, found.proposal) == (700, "approve")
    assert [r.code for r in found.reasons] == ["low_days", "lowest"]


def test_what_is_not_known_earns_nothing_and_is_said() -> None:
    found = score(CARD, replace(BEST, lowest_minor=None))
    assert found.contributions[1].points == 0
    assert found.reasons == [Reason("lowest", "lowest balance: unknown (0 of 100 points; 1000.00 CZK earns all)")]


@pytest.mark.parametrize("features", [BEST, WORST])
def test_a_short_history_is_neither_approved_nor_refused_by_the_card(features: Features) -> None:
    assert score(CARD, replace(features, history_months=2)).proposal != "review"
    found = score(CARD, replace(features, history_months=1))
    assert (found.proposal, found.reasons[0].code) == ("review", "short_history")


def test_a_score_is_made_again_from_what_was_kept() -> None:
    kept = score(CARD, WORST)
    again = score(read_card(write_card(CARD)), Features(**asdict(WORST)))
    assert again == kept
    assert (kept.card, kept.card_version, kept.card_sha256) == ("test", 3, CARD.digest)
    other = score(CARD.model_copy(update={"base_points": 401}), WORST)
    assert other.card_sha256 != kept.card_sha256
    assert other.inputs_sha256 == kept.inputs_sha256
    assert score(CARD, replace(WORST, income_minor=1)).inputs_sha256 != kept.inputs_sha256


def test_the_score_of_a_known_account_never_changes() -> None:
    """These are what the card that comes with Bursar said when it was made: on every machine it says the same."""
    features = Features(
        history_months=13,
        income_minor=2_000_000,
        income_variation_bps=3_333,
        lowest_minor=-12_345,
        average_minor=1_500_000,
        days_under_bps=1_000,
        days_overdrawn_bps=10,
        penalties=0,
        debt_service_bps=0,
    )
    found = score(find_card(None), features)
    assert (found.card, found.card_version, found.card_sha256[:16]) == ("berka", 1, "dac43403660c383c")
    assert found.inputs_sha256[:16] == "5cb014b8602c5730"
    assert (found.points, str(found.probability), found.band, found.proposal) == (525, "0.123899", "D", "review")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ramps": [CARD.ramps[0], CARD.ramps[0]]}, "two ramps"),
        ({"bands": CARD.bands[::-1]}, "must fall"),
        ({"bands": CARD.bands[:2]}, "take every score"),
        ({"bands": [CARD.bands[0], CARD.bands[2].model_copy(update={"name": "A"})]}, "one name"),
        ({"currency": "XYZ"}, "ISO 4217"),
        ({"version": 0}, "version"),
        ({"base_points": LOWEST_POINTS - 1}, "base_points"),
        ({"scale": {"points": 600, "odds": 0, "double": 0}}, "scale.odds"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        read_card(CARD.model_copy(update=changes).model_dump_json(warnings=False))


@pytest.mark.parametrize("text", ["", "{}", "[", '{"name": NaN}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="card"):
        read_card(text)


def test_a_ramp_that_leads_nowhere_is_refused() -> None:
    flat = write_card(CARD).replace('"worst": 1100', '"worst": 100')
    with pytest.raises(InvalidArgument, match="best and worst are the same"):
        read_card(flat)
    with pytest.raises(InvalidArgument, match=r"ramps\.0\.feature"):
        read_card(write_card(CARD).replace("days_under_bps", "days_in_jail"))
