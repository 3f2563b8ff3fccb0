"""What a product's rules say to an application: pure, so that a decision can be made again from what was kept of it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import orjson

from bursar.features.lending.application import Application
from bursar.features.lending.catalog import Product
from bursar.kernel.canonical import Json, canonical

Says = Literal["pass", "review", "reject"]


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


# Why there is no score, in plain words.
_UNSCORED = {
    "no_card": "No score is known of the applicant.",
    "card_not_active": "The scorecard of the product is not active, so there is no score.",
    "no_statement": "No bank statement was handed in, so there is no score.",
    "inferred": "The bank statement is inferred: nobody handed one in, so there is no score.",
}


def inputs_of(application: Application, product: Product, assessment: Mapping[str, Json]) -> str:
    """All that the rules see, as canonical JSON: facts in whole numbers, and of no text but where a fact is from."""
    intake = application.intake
    return canonical(
        {
            "amount_minor": intake.amount_minor,
            "assessment": assessment,
            "currency": application.currency,
            "installments": intake.installments,
            "monthly_debt_service_minor": intake.monthly_debt_service_minor,
            "monthly_income_minor": intake.monthly_income_minor,
            "origins": {field: origin["origin"] for field, origin in intake.origins.items()},
            "product": [product.code, product.version, product.hash.hex()],
            "version": application.version,
        }
    )


def judge(terms: Mapping[str, Any], inputs: str) -> Judgement:
    """Ask every rule of a product's terms; the strictest answer counts, and all that object are told."""
    facts: Mapping[str, Any] = orjson.loads(inputs)
    rules = terms["policy"]
    # Decisions that were made before there were statements know of none.
    assessment: Mapping[str, Any] = facts.get("assessment") or {"measured": None, "score": None, "unscored": "no_card"}
    reasons = [
        *_score(rules, assessment),
        *_debt_service(rules["max_debt_service_percent"], facts, assessment["measured"]),
    ]
    said = {reason.says for reason in reasons}
    says: Says = "reject" if "reject" in said else "review" if "review" in said else "pass"
    return Judgement(says, tuple(reasons))


def _score(rules: Mapping[str, Any], assessment: Mapping[str, Any]) -> list[Reason]:
    """The card proposes, and the product may ask for more points: the strictest counts."""
    least, unsure_below = rules["min_points"], rules["review_below_points"]
    if rules.get("scorecard") is None and least is None and unsure_below is None:
        return []
    score = assessment["score"]
    if score is None:
        return [Reason("score", "review", _UNSCORED[assessment["unscored"]])]
    said, why = _weighed(rules, score), "".join(f" {_sentence(reason['text'])}" for reason in score["reasons"])
    if said is None:
        return []
    fact = f"The score is {score['points']}, in band {score['band']}; {said[1]}{why}"
    return [Reason("score", said[0], fact)]


def _weighed(rules: Mapping[str, Any], score: Mapping[str, Any]) -> tuple[Says, str] | None:
    points, proposal = score["points"], score["proposal"]
    least, unsure_below = rules["min_points"], rules["review_below_points"]
    if least is not None and points < least:
        return "reject", f"{least} is needed."
    if proposal == "reject":
        return "reject", "the scorecard proposes to reject."
    if unsure_below is not None and points < unsure_below:
        return "review", f"below {unsure_below} a person looks."
    return ("review", "the scorecard proposes a review.") if proposal == "review" else None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _debt_service(most: int | None, facts: Mapping[str, Any], measured: Mapping[str, Any] | None) -> list[Reason]:
    """The part of the income that debts would take, by what was said and by what a statement shows."""
    if most is None:
        return []
    is_said = facts["monthly_income_minor"] is not None or facts["monthly_debt_service_minor"] is not None
    reasons = _said_service(most, facts) if is_said or measured is None else []
    if measured:
        bps = measured["debt_service_bps"]
        reasons += _too_much(most, None if bps is None else -(-bps // 100), " on the bank statement")
    return reasons


def _said_service(most: int, facts: Mapping[str, Any]) -> list[Reason]:
    """Debts that are there and an even part of the loan, a month, against the income: interest is left out."""
    income, debts = facts["monthly_income_minor"], facts["monthly_debt_service_minor"]
    for field, value, words in (
        ("monthly_income", income, "income"), ("monthly_debt_service", debts, "debt service"),
    ):  # fmt: skip
        if value is None:
            return [Reason("debt_service", "review", f"The applicant's {words} is not known.")]
        if facts["origins"].get(field) == "inferred":
            return [Reason("debt_service", "review", f"The applicant's {words} is inferred: nobody stated it.")]
    service = debts + even_part(facts)
    # Whole per cent, rounded up; an income of nothing serves no debt.
    return _too_much(most, -(-100 * service // income) if income else None, "")


def even_part(facts: Mapping[str, Any]) -> int:
    """What a month pays back of the amount that is asked for, rounded up."""
    return -(-facts["amount_minor"] // facts["installments"])


def _too_much(most: int, percent: int | None, where: str) -> list[Reason]:
    if percent is not None and percent <= most:
        return []
    share = f"{percent}%" if percent is not None else "more than all"
    fact = f"Debt service would take {share} of the income{where}; {most}% may be taken."
    return [Reason("debt_service", "reject", fact)]


def adverse_reasons(judgement: Judgement, inputs: str, words: str | None) -> list[str]:
    """What to tell an applicant who is rejected: why the rules do, the score's reasons each by itself, or a person."""
    facts = [reason for reason in judgement.reasons if reason.says == "reject"]
    score = assessment_of(inputs)["score"]
    told = (
        [_sentence(each["text"]) for each in score["reasons"]]
        if score and any(r.rule == "score" for r in facts)
        else []
    )
    told += [reason.fact for reason in facts if reason.rule != "score" or not told]
    return told or ([words] if words else [])


def assessment_of(inputs: str) -> Mapping[str, Any]:
    """What was known from the applicant's bank when a decision was made."""
    return orjson.loads(inputs).get("assessment") or {"score": None}


def read_judgement(text: str) -> Judgement:
    """A judgement as it was kept."""
    facts = orjson.loads(text)
    return Judgement(facts["says"], tuple(Reason(*reason) for reason in facts["reasons"]))
