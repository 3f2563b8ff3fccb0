"""What a product's rules say to an application: pure, so that a decision can be made again from what was kept of it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import orjson

from bursar.features.lending.application import Application
from bursar.features.lending.catalog import Product
from bursar.kernel.canonical import Json, canonical

Says = Literal["pass", "review", "reject"]


class Score(NamedTuple):
    """What a scorecard made of an applicant's statements: whole points, the rest as decimal text and words."""

    points: int
    probability: str
    band: str
    reasons: tuple[str, ...]


class Reason(NamedTuple):
    """What one rule says, with its name and the fact in plain words."""

    rule: str
    says: Says
    fact: str


class Judgement(NamedTuple):
    """What all rules say together, and each that objects."""

    says: Says
    reasons: tuple[Reason, ...]

    @property
    def text(self) -> str:
        """As canonical JSON."""
        return canonical({"reasons": [list(reason) for reason in self.reasons], "says": self.says})


def inputs_of(application: Application, product: Product, score: Score | None) -> str:
    """All that the rules see, as canonical JSON: facts in whole numbers, and of no text but where a fact is from."""
    intake = application.intake
    return canonical(
        {
            "amount_minor": intake.amount_minor,
            "currency": application.currency,
            "installments": intake.installments,
            "monthly_debt_service_minor": intake.monthly_debt_service_minor,
            "monthly_income_minor": intake.monthly_income_minor,
            "origins": {field: origin["origin"] for field, origin in intake.origins.items()},
            "product": [product.code, product.version, product.hash.hex()],
            "score": score._asdict() if score else None,
            "version": application.version,
        }
    )


def judge(terms: Mapping[str, Any], inputs: str) -> Judgement:
    """Ask every rule of a product's terms; the strictest answer counts, and all that object are told."""
    facts: Mapping[str, Any] = orjson.loads(inputs)
    rules = terms["policy"]
    reasons = [*_score(rules, facts["score"]), *_debt_service(rules["max_debt_service_percent"], facts)]
    said = {reason.says for reason in reasons}
    says: Says = "reject" if "reject" in said else "review" if "review" in said else "pass"
    return Judgement(says, tuple(reasons))


def _score(rules: Mapping[str, Any], score: Mapping[str, Any] | None) -> list[Reason]:
    least, unsure_below = rules["min_points"], rules["review_below_points"]
    if least is None and unsure_below is None:
        return []
    if score is None:
        return [Reason("score", "review", "No score is known of the applicant.")]
    points, why = score["points"], "".join(f" {reason}" for reason in score["reasons"])
    if least is not None and points < least:
        return [Reason("score", "reject", f"The score is {points}; {least} is needed.{why}")]
    if unsure_below is not None and points < unsure_below:
        return [Reason("score", "review", f"The score is {points}; below {unsure_below} a person looks.{why}")]
    return []


def _debt_service(most: int | None, facts: Mapping[str, Any]) -> list[Reason]:
    """Debts that are there and an even part of the loan, a month, against the income: interest is left out."""
    if most is None:
        return []
    income, debts = facts["monthly_income_minor"], facts["monthly_debt_service_minor"]
    for field, value, words in (
        ("monthly_income", income, "income"), ("monthly_debt_service", debts, "debt service"),
    ):  # fmt: skip
        if value is None:
            return [Reason("debt_service", "review", f"The applicant's {words} is not known.")]
        if facts["origins"].get(field) == "inferred":
            return [Reason("debt_service", "review", f"The applicant's {words} is inferred: nobody stated it.")]
    service = debts - (-facts["amount_minor"] // facts["installments"])
    # Whole per cent, rounded up; an income of nothing serves no debt.
    percent = -(-100 * service // income) if income else None
    if percent is None or percent > most:
        share = f"{percent}%" if percent is not None else "more than all"
        fact = f"Debt service would take {share} of the income; {most}% may be taken."
        return [Reason("debt_service", "reject", fact)]
    return []


def read_judgement(text: str) -> Judgement:
    """A judgement as it was kept."""
    facts = orjson.loads(text)
    return Judgement(facts["says"], tuple(Reason(*reason) for reason in facts["reasons"]))


def score_of(inputs: str) -> Json:
    """The score that a decision was made on."""
    return orjson.loads(inputs)["score"]
