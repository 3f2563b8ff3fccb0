"""What a product's rules say, rule by rule: pure."""

from typing import Any

import pytest

from bursar.features.lending.policy import judge
from bursar.kernel.canonical import canonical

OPEN = {"max_debt_service_percent": None, "min_points": None, "review_below_points": None}


def says(policy: dict[str, Any], **facts: Any) -> tuple[str, list[str]]:
    asked: dict[str, Any] = {
        "amount_minor": 120_000, "installments": 12, "monthly_income_minor": 100_000, "monthly_debt_service_minor": 0,
        "origins": {}, "score": None, **facts,
    }  # fmt: skip
    judgement = judge({"policy": {**OPEN, **policy}}, canonical(asked))
    return judgement.says, [reason.rule for reason in judgement.reasons]


def score(points: int) -> dict[str, Any]:
    return {"points": points, "probability": "0.0312", "band": "C", "reasons": ["Overdrawn on 41 days."]}


@pytest.mark.parametrize(
    ("policy", "facts", "said"),
    [
        ({}, {"monthly_income_minor": None}, "pass"),
        ({"min_points": 500}, {}, "review"),
        ({"min_points": 500}, {"score": score(499)}, "reject"),
        ({"min_points": 500}, {"score": score(500)}, "pass"),
        ({"min_points": 500, "review_below_points": 550}, {"score": score(549)}, "review"),
        ({"min_points": 500, "review_below_points": 550}, {"score": score(550)}, "pass"),
        ({"review_below_points": 550}, {"score": score(-5)}, "review"),
        ({"max_debt_service_percent": 10}, {}, "pass"),
        ({"max_debt_service_percent": 10}, {"monthly_debt_service_minor": 1}, "reject"),
        ({"max_debt_service_percent": 10}, {"monthly_income_minor": 0}, "reject"),
        ({"max_debt_service_percent": 10}, {"monthly_income_minor": None}, "review"),
        ({"max_debt_service_percent": 10}, {"monthly_debt_service_minor": None}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_income": "inferred"}}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_debt_service": "inferred"}}, "review"),
        ({"max_debt_service_percent": 10}, {"origins": {"monthly_income": "document"}}, "pass"),
        # Rounding never helps: 120,001 in 12 parts is 10,001 a month at the most.
        ({"max_debt_service_percent": 10}, {"amount_minor": 120_001}, "reject"),
    ],
)  # fmt: skip
def test_a_rule_says(policy: dict[str, Any], facts: dict[str, Any], said: str) -> None:
    assert says(policy, **facts)[0] == said


def test_the_strictest_counts_and_all_that_object_are_told() -> None:
    found = says({"min_points": 500, "max_debt_service_percent": 5}, score=None)
    assert found == ("reject", ["score", "debt_service"])


def test_the_reasons_of_a_score_are_told_in_words() -> None:
    judgement = judge({"policy": {**OPEN, "min_points": 500}}, canonical({"score": score(3), "origins": {}}))
    assert judgement.reasons[0].fact == "The score is 3; 500 is needed. Overdrawn on 41 days."
