"""What a product's rules say, rule by rule: pure."""

from typing import Any

import pytest

from bursar.features.lending.policy import adverse_reasons, judge
from bursar.kernel.canonical import canonical

UNSAID = {"monthly_income_minor": None, "monthly_debt_service_minor": None}
INFERRED = {"monthly_income": "inferred"}
OPEN = {"max_debt_service_percent": None, "min_points": None, "review_below_points": None}


def says(policy: dict[str, Any], **facts: Any) -> tuple[str, list[str]]:
    asked: dict[str, Any] = {
        "amount_minor": 120_000, "installments": 12, "monthly_income_minor": 100_000, "monthly_debt_service_minor": 0,
        "origins": {}, "assessment": None, **facts,
    }  # fmt: skip
    judgement = judge({"policy": {**OPEN, **policy}}, canonical(asked))
    return judgement.says, [reason.rule for reason in judgement.reasons]


def score(points: int, proposal: str = "approve") -> dict[str, Any]:
    reasons = [{"code": "overdrawn", "text": "overdrawn on 41 days"}]
    return {
        "measured": None, "unscored": None,
        "score": {"points": points, "band": "C", "proposal": proposal, "reasons": reasons},
    }  # fmt: skip


def unscored(why: str) -> dict[str, Any]:
    return {"measured": None, "score": None, "unscored": why}


def measured(bps: int | None) -> dict[str, Any]:
    return {**unscored("no_card"), "measured": {"debt_service_bps": bps, "income_minor": 5}}


@pytest.mark.parametrize(
    ("policy", "facts", "said"),
    [
        ({}, {"monthly_income_minor": None}, "pass"),
        ({"min_points": 500}, {}, "review"),
        ({"min_points": 500}, {"assessment": score(499)}, "reject"),
        ({"min_points": 500}, {"assessment": score(500)}, "pass"),
        ({"min_points": 500, "review_below_points": 550}, {"assessment": score(549)}, "review"),
        ({"min_points": 500, "review_below_points": 550}, {"assessment": score(550)}, "pass"),
        ({"review_below_points": 550}, {"assessment": score(-5)}, "review"),
        ({"max_debt_service_percent": 10}, {}, "pass"),
        ({"max_debt_service_percent": 10}, {"monthly_debt_service_minor": 1}, "reject"),
        ({"max_debt_service_percent": 10}, {"monthly_income_minor": 0}, "reject"),
        ({"max_debt_service_percent": 10}, {"monthly_income_minor": None}, "review"),
        ({"max_debt_service_percent": 10}, {"monthly_debt_service_minor": None}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_income": "inferred"}}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_debt_service": "inferred"}}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_income": "document"}}, "pass"),
        ({"scorecard": "c-1"}, {"assessment": score(5)}, "pass"),
        ({"scorecard": "c-1"}, {"assessment": score(5, "review")}, "review"),
        ({"scorecard": "c-1"}, {"assessment": score(5, "reject")}, "reject"),
        # The card proposes, and the product may ask for more: the strictest counts, either way.
        ({"scorecard": "c-1", "min_points": 500}, {"assessment": score(499, "approve")}, "reject"),
        ({"scorecard": "c-1", "min_points": 500}, {"assessment": score(500, "reject")}, "reject"),
        ({"scorecard": "c-1", "review_below_points": 500}, {"assessment": score(499, "reject")}, "reject"),
        ({"scorecard": "c-1", "review_below_points": 500}, {"assessment": score(499, "approve")}, "review"),
        ({"scorecard": "c-1"}, {"assessment": unscored("no_statement")}, "review"),
        ({"scorecard": "c-1"}, {"assessment": unscored("inferred")}, "review"),
        ({"scorecard": "c-1"}, {"assessment": unscored("card_not_active")}, "review"),
        ({"scorecard": "c-1"}, {}, "review"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(1_000)}, "pass"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(1_001)}, "reject"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(None)}, "reject"),
        # What a statement shows stands in for what nobody said, and not for what an agent inferred.
        ({"max_debt_service_percent": 10}, {"assessment": measured(5), **UNSAID}, "pass"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(1_001), **UNSAID}, "reject"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(5), "origins": INFERRED}, "review"),
        ({"max_debt_service_percent": 10}, {"assessment": measured(5), "monthly_income_minor": 50_000}, "reject"),
        # Rounding never helps: 120,001 in 12 parts is 10,001 a month at the most.
        ({"max_debt_service_percent": 10}, {"amount_minor": 120_001}, "reject"),
    ],
)  # fmt: skip
def test_a_rule_says(policy: dict[str, Any], facts: dict[str, Any], said: str) -> None:
    assert says(policy, **facts)[0] == said


def test_the_strictest_counts_and_all_that_object_are_told() -> None:
    found = says({"min_points": 500, "max_debt_service_percent": 5})
    assert found == ("reject", ["score", "debt_service"])


def test_the_reasons_of_a_score_are_told_in_words() -> None:
    inputs = canonical({"assessment": score(3)})
    judgement = judge({"policy": {**OPEN, "min_points": 500}}, inputs)
    assert judgement.reasons[0].fact == "The score is 3, in band C; 500 is needed. Overdrawn on 41 days."
    assert adverse_reasons(judgement, inputs, "No.") == ["Overdrawn on 41 days."]


def test_an_applicant_is_told_all_that_rejects_and_nothing_that_only_asks_for_a_person() -> None:
    facts = {"amount_minor": 120_000, "installments": 12, "origins": {}, "assessment": score(3, "review")}
    inputs = canonical({**facts, "monthly_income_minor": 5, "monthly_debt_service_minor": 0})
    judgement = judge({"policy": {**OPEN, "scorecard": "c-1", "max_debt_service_percent": 5}}, inputs)
    assert [reason.says for reason in judgement.reasons] == ["review", "reject"]
    assert adverse_reasons(judgement, inputs, "No.") == [judgement.reasons[1].fact]
    assert adverse_reasons(judgement._replace(reasons=()), inputs, "No.") == ["No."]
