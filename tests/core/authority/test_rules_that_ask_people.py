"""A rule leaves alone just inside its limit and asks a person just outside; the strictest of all that ask counts."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from bursar.core.authority.counting import Counters
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import ANY_PAYEE, VELOCITY, Meter, Needs, Risk, Used
from tests.core.authority.mandates import (
    ANYBODY,
    HALF,
    NEVER_ALONE,
    NOW,
    SHOP_ACCOUNT,
    STRANGER,
    VELOCITY_5,
    Asked,
    approval_json,
    ask,
    over_json,
    rule_json,
    window_json,
)

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


SCORED = {"risk": Risk(60, "allow", "a new payee")}
STRICT = (2, ("finance",), 60, True)
PLAIN = (1, (), 86_400, False)


class Asking(NamedTuple):
    """What an agent may do alone, what takes a person's approval, and whose and why."""

    alone: Asked
    asks: Asked
    needs: tuple[int, tuple[str, ...], int, bool]
    why: str


ASKINGS = {
    "above auto_max": Asking(
        ask(HALF, "50.00"), ask(HALF, "50.01"), PLAIN, "50.01 USD is above 50.00, what the agent may pay alone."
    ),
    "up to max": Asking(
        ask(HALF, "0.01"), ask(HALF, "100.00"), PLAIN, "100.00 USD is above 50.00, what the agent may pay alone."
    ),
    "never alone": Asking(
        ask(), ask(NEVER_ALONE, "0.01"), PLAIN, "0.01 USD is above 0.00, what the agent may pay alone."
    ),
    "amount": Asking(
        ask(rule_json(over_json("50.00")), "50.00"), ask(rule_json(over_json("50.00")), "50.01"), STRICT,
        "50.01 USD is above 50.00.",
    ),
    "amount of another currency": Asking(
        ask(rule_json(over_json("0.00", "EUR"))), ask(rule_json(over_json("0.00", "EUR")), currency="EUR"), STRICT,
        "10.00 EUR is above 0.00.",
    ),
    "new payee": Asking(
        ask(rule_json({"new_payee": True}, **ANYBODY)), ask(rule_json({"new_payee": True}, **ANYBODY), payee=STRANGER),
        STRICT, "ACC9 is a new payee.",
    ),
    "rail": Asking(
        ask(rule_json({"rails": ["ach"]}, rails=["ach", "book"])),
        ask(rule_json({"rails": ["ach"]}, rails=["ach", "book"]), rail="ach"), STRICT, "It goes by ach.",
    ),
    "risk score": Asking(
        ask(rule_json({"risk_at_least": 61}), known=SCORED), ask(rule_json({"risk_at_least": 60}), known=SCORED),
        STRICT, "Its risk score is 60: a new payee.",
    ),
    "risk rules": Asking(
        ask(known=SCORED), ask(known={"risk": Risk(60, "needs_approval", "a new payee")}), PLAIN,
        "risk score 60: a new payee",
    ),
    "risk rules, step-up": Asking(
        ask(known=SCORED), ask(known={"risk": Risk(60, "step_up", "a new payee")}), (1, (), 86_400, True),
        "risk score 60: a new payee",
    ),
}  # fmt: skip


@pytest.mark.parametrize("asking", ASKINGS.values(), ids=ASKINGS)
def test_a_rule_leaves_alone_just_inside_and_asks_a_person_just_outside(asking: Asking) -> None:
    alone, asks = evaluate(*asking.alone), evaluate(*asking.asks)
    assert (alone.outcome, alone.needs) == ("allow", None)
    assert (asks.outcome, asks.refusals) == ("needs_approval", ())
    assert asks.needs == Needs(*asking.needs, (asking.why,))


def test_a_rule_asks_if_any_of_what_it_names_is_so() -> None:
    rule = rule_json({**over_json("5.00"), "new_payee": True, "rails": ["book"], "risk_at_least": 1}, **ANYBODY)
    verdict = evaluate(*ask(rule, payee=STRANGER, known=SCORED))
    assert verdict.needs
    assert len(verdict.needs.why) == 4


def test_approval_takes_the_most_people_every_role_and_the_least_time_of_all_that_ask() -> None:
    rules = [
        approval_json(over_json("1.00"), role="finance", quorum=3, ttl_seconds=900),
        approval_json(over_json("2.00"), role="boss", quorum=2, ttl_seconds=60),
        approval_json(over_json("3.00"), role="finance", step_up=True),
        approval_json(over_json("10.00"), role="nobody", quorum=9, ttl_seconds=1),
    ]
    verdict = evaluate(*ask({"approvals": rules}))
    why = tuple(f"10.00 USD is above {limit}." for limit in ("1.00", "2.00", "3.00"))
    assert verdict.needs == Needs(3, ("boss", "finance"), 60, step_up=True, why=why)


def test_what_waits_for_approval_uses_its_windows_as_what_is_allowed_does() -> None:
    form = {"windows": [window_json(), window_json(kind="rolling", per_payee=True)], **VELOCITY_5}
    meters = [
        Meter(UUID(int=1), "calendar:day:UTC:USD:", ANY_PAYEE, NOW.replace(hour=0)),
        Meter(UUID(int=1), "rolling:day:*:USD:payee", SHOP_ACCOUNT, NOW),
        Meter(UUID(int=1), VELOCITY, ANY_PAYEE, NOW),
    ]
    for terms, outcome in ((form, "allow"), (form | NEVER_ALONE, "needs_approval")):
        asked = ask(terms, used=Used(500, 2))
        verdict = evaluate(*asked)
        assert (verdict.outcome, list(verdict.after.values())) == (outcome, [Used(1500, 3)] * 3)
        assert Counters(asked.facts.chain, NOW).meters(verdict.after) == meters
