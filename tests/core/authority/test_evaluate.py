"""Every rule allows just inside its limit and says no just outside, with the fact; no rule outvotes another's no."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bursar.core.authority import refusals
from bursar.core.authority.evaluate import (
    ANY_PAYEE,
    VELOCITY,
    Asks,
    Earlier,
    Facts,
    Meter,
    Needs,
    Payee,
    Payment,
    Risk,
    Used,
    evaluate,
)
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.periods import span_of, span_of_velocity
from bursar.core.authority.refusals import (
    CurrencyNotMandated,
    LimitExceeded,
    MandateExpired,
    MandateMissing,
    MandateNotBegun,
    MandateRevoked,
    OutsideTimeWindow,
    PayeeNotAllowed,
    PossibleDuplicate,
    RiskTooHigh,
    UnknownCounterparty,
    VelocityExceeded,
)
from bursar.kernel.ids import show
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.core.authority.mandates import (
    EVENT,
    NOW,
    SHOP_ACCOUNT,
    STRANGER,
    approval_json,
    cap_json,
    counterparties_json,
    facts,
    hours_json,
    mandate,
    over_json,
    payee,
    payment,
    terms_json,
    window_json,
)

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


class Asked(NamedTuple):
    """A payment and the facts about it."""

    facts: Facts
    payment: Payment


class Edge(NamedTuple):
    """What is just inside a limit, what is just outside, and what is said there."""

    inside: Asked
    outside: Asked
    kind: type[Refusal]
    detail: str


def _ask(
    form: dict[str, Any] | None = None,
    amount: str = "10.00",
    currency: str = "USD",
    *,
    standing: dict[str, Any] | None = None,
    used: Used | None = None,
    known: dict[str, Any] | None = None,
    **changes: Any,
) -> Asked:
    """`payment()` under one mandate of these terms; `used` is what it has used of each of its windows."""
    over = mandate(form=terms_json(**form or {}), **standing or {})
    asked = payment(amount, currency, **changes)
    windows = [(w.key, SHOP_ACCOUNT if w.per_payee else ANY_PAYEE) for w in over.terms.windows]
    counted = {(over.id, *key): used for key in [*windows, (VELOCITY, ANY_PAYEE)]} if used else {}
    return Asked(facts(over, used=counted, **known or {}), asked)


def _standing(inside: dict[str, Any], outside: dict[str, Any], kind: type[Refusal], detail: str) -> Edge:
    return Edge(_ask(standing=inside), _ask(standing=outside), kind, detail)


def _payee(form: dict[str, Any], inside: Payee, outside: Payee, kind: type[Refusal], detail: str) -> Edge:
    form = {"counterparties": counterparties_json(**form)}
    return Edge(_ask(form, payee=inside), _ask(form, payee=outside), kind, detail)


def _amount(detail: str, **window: Any) -> Edge:
    """A window of 100.00 of which 90.00 are used."""
    form, used = {"windows": [window_json(**window)]}, Used(9000, 7)
    return Edge(_ask(form, used=used), _ask(form, "10.01", used=used), LimitExceeded, detail)


def _count(detail: str, **window: Any) -> Edge:
    """A window of three payments."""
    form = {"windows": [window_json(**{"max_amount": None, "max_count": 3} | window)]}
    return Edge(_ask(form, used=Used(5, 2)), _ask(form, used=Used(5, 3)), LimitExceeded, detail)


def _hours(inside: datetime, outside: datetime, there_it_is: str) -> Edge:
    said = "The mandate no. 1 pays mon, fri from 08:00 to 18:00 Europe/Prague; there it is"
    form = {"hours": hours_json()}
    at = [_ask(form, known={"now": now}) for now in (inside, outside)]
    return Edge(at[0], at[1], OutsideTimeWindow, f"{said} {there_it_is}.")


NONE_LEFT = "Day limit: 0 of 3 payments left until 2026-11-21T00:00:00Z."
ANY, KNOWN = {"mode": "any"}, {"mode": "any_known"}
SEEN = NOW - timedelta(seconds=60)
COOL_OFF = "ACC7 is a new counterparty; the mandate no. 1 pays it from 2026-11-20T12:00:01Z on."
BEFORE = Earlier(EVENT, NOW)
GUARDED: dict[str, Any] = {"duplicate_window_seconds": 600}
TWICE = f"{show('evt', EVENT)} paid the same amount to the same payee within the last 600 seconds."
VELOCITY_5: dict[str, Any] = {"velocity": {"max_count": 5, "seconds": 60}}
EIGHT, SIX = datetime.fromisoformat("2026-11-20T07:00Z"), datetime.fromisoformat("2026-11-20T17:00Z")

EDGES = {
    "action": Edge(
        _ask(), _ask(action="create_hold"), MandateMissing, "The mandate no. 1 does not cover create_hold."
    ),
    "account": Edge(
        _ask({"accounts": ["ACC1"]}), _ask({"accounts": ["ACC11"]}), MandateMissing,
        "The mandate no. 1 does not cover ACC1.",
    ),
    "no account at all": Edge(
        _ask({"accounts": None}), _ask({"accounts": []}), MandateMissing, "The mandate no. 1 does not cover ACC1."
    ),
    "rail": Edge(
        _ask({"rails": ["book", "ach"]}, rail="ach"), _ask(rail="ach"), MandateMissing,
        "The mandate no. 1 does not cover ach.",
    ),
    "no mandate": Edge(
        _ask(), Asked(Facts(NOW, [], {}), payment()), MandateMissing, "There is no mandate to act under."
    ),
    "expired": _standing(
        {"expires_at": NOW + TICK}, {"expires_at": NOW}, MandateExpired,
        "The mandate no. 1 expired at 2026-11-20T12:00:00Z.",
    ),
    "not begun": _standing(
        {"not_before": NOW}, {"not_before": NOW + TICK}, MandateNotBegun,
        "The mandate no. 1 begins at 2026-11-20T12:00:01Z.",
    ),
    **{
        status: _standing({}, {"status": status}, MandateRevoked, f"The mandate no. 1 is {status}.")
        for status in ("draft", "paused", "revoked")
    },
    "currency": Edge(
        _ask({"per_transaction": [cap_json(), cap_json(currency="EUR")]}, currency="EUR"),
        _ask({"per_transaction": [cap_json(), cap_json(currency="CZK")]}, currency="EUR"),
        CurrencyNotMandated, "Your mandate covers CZK, USD; you asked EUR.",
    ),
    "no currency at all": Edge(
        _ask(), _ask({"per_transaction": []}), CurrencyNotMandated, "Your mandate covers no currency; you asked USD."
    ),
    "unknown": _payee(
        KNOWN, payee(), STRANGER, UnknownCounterparty,
        "ACC9 is no known counterparty, and your mandate pays known ones only.",
    ),
    "unknown, with a list": _payee(
        {}, payee(), STRANGER, UnknownCounterparty,
        "ACC9 is no known counterparty, and your mandate pays known ones only.",
    ),
    "anybody but blocked": _payee(
        ANY, STRANGER, payee(status="blocked"), PayeeNotAllowed, "ACC7 is a blocked counterparty."
    ),
    "known but blocked": _payee(
        KNOWN, payee(), payee(status="blocked"), PayeeNotAllowed, "ACC7 is a blocked counterparty."
    ),
    "listed but blocked": _payee(
        {}, payee(), payee(status="blocked"), PayeeNotAllowed, "ACC7 is a blocked counterparty."
    ),
    "not listed": _payee(
        {}, payee(), payee(counterparty_id=UUID(int=3)), PayeeNotAllowed,
        "ACC7 is not on the list of the mandate no. 1.",
    ),
    "cool-off": _payee(
        KNOWN | {"cool_off_seconds": 60}, payee(known_since=SEEN), payee(known_since=SEEN + TICK), PayeeNotAllowed,
        COOL_OFF,
    ),
    "cool-off of the listed": _payee(
        {"cool_off_seconds": 60}, payee(known_since=SEEN), payee(known_since=SEEN + TICK), PayeeNotAllowed, COOL_OFF
    ),
    "one payment": Edge(
        _ask({"per_transaction": [cap_json()]}, "100.00"), _ask({"per_transaction": [cap_json()]}, "100.01"),
        LimitExceeded, "One payment may be at most 100.00 USD; you asked 100.01.",
    ),
    "one payment, above what needs approval": Edge(
        _ask({"per_transaction": [cap_json(auto_max="50.00")]}, "50.00"),
        _ask({"per_transaction": [cap_json(auto_max="50.00")]}, "100.01"),
        LimitExceeded, "One payment may be at most 100.00 USD; you asked 100.01.",
    ),
    "hour": _amount(
        "Hour limit: 10.00 of 100.00 USD left until 2026-11-20T13:00:00Z; you asked 10.01.", period="hour"
    ),
    "day": _amount("Day limit: 10.00 of 100.00 USD left until 2026-11-21T00:00:00Z; you asked 10.01."),
    "day in Prague": _amount(
        "Day limit: 10.00 of 100.00 USD left until 2026-11-20T23:00:00Z; you asked 10.01.", time_zone="Europe/Prague"
    ),
    "week": _amount(
        "Week limit: 10.00 of 100.00 USD left until 2026-11-23T00:00:00Z; you asked 10.01.", period="week"
    ),
    "month": _amount(
        "Month limit: 10.00 of 100.00 USD left until 2026-12-01T00:00:00Z; you asked 10.01.", period="month"
    ),
    "lifetime": _amount("Lifetime limit: 10.00 of 100.00 USD left; you asked 10.01.", period="lifetime"),
    "rolling hour": _amount(
        "Rolling hour limit: 10.00 of 100.00 USD left until 2026-11-20T12:01:00Z; you asked 10.01.",
        kind="rolling", period="hour",
    ),
    "day to one payee": _amount(
        "Day limit to this payee: 10.00 of 100.00 USD left until 2026-11-21T00:00:00Z; you asked 10.01.", per_payee=True
    ),
    "a lowered limit": Edge(
        _ask(), _ask({"windows": [window_json(max_amount="50.00")]}, used=Used(9000, 7)), LimitExceeded,
        "Day limit: 0.00 of 50.00 USD left until 2026-11-21T00:00:00Z; you asked 10.00.",
    ),
    "count": _count(NONE_LEFT),
    "count of every currency": _count(NONE_LEFT, currency=None),
    "count beside an amount": _count(NONE_LEFT, max_amount="100.00"),
    "count in a lifetime": _count("Lifetime limit: 0 of 3 payments left.", period="lifetime"),
    "velocity": Edge(
        _ask(VELOCITY_5, used=Used(0, 4)), _ask(VELOCITY_5, used=Used(0, 5)), VelocityExceeded,
        "Your mandate allows 5 payments in 60 seconds, and they are made; try again after 2026-11-20T12:00:01Z.",
    ),
    "before hours": _hours(EIGHT, EIGHT - TICK, "fri 07:59"),
    "after hours": _hours(SIX - TICK, SIX, "fri 18:00"),
    "another day": _hours(NOW, NOW + timedelta(days=1), "sat 13:00"),
    "duplicate": Edge(
        _ask(GUARDED), _ask(GUARDED, known={"duplicate_of": BEFORE}), PossibleDuplicate, TWICE
    ),
    "duplicate, acknowledged": Edge(
        _ask(GUARDED, acknowledges=EVENT, known={"duplicate_of": BEFORE}),
        _ask(GUARDED, acknowledges=UUID(int=3), known={"duplicate_of": BEFORE}), PossibleDuplicate, TWICE,
    ),
    "risk": Edge(
        _ask(known={"risk": Risk(40, "allow", "a new payee")}), _ask(known={"risk": Risk(95, "deny", "a new payee")}),
        RiskTooHigh, "The risk score of this payment is 95 of 100: a new payee.",
    ),
}  # fmt: skip
CODES: dict[type[Refusal], str] = {
    MandateMissing: "mandate_missing",
    MandateExpired: "mandate_expired",
    MandateNotBegun: "mandate_expired",
    MandateRevoked: "mandate_revoked",
    CurrencyNotMandated: "currency_not_allowed",
    UnknownCounterparty: "unknown_counterparty",
    PayeeNotAllowed: "counterparty_not_allowed",
    LimitExceeded: "limit_exceeded",
    VelocityExceeded: "velocity_exceeded",
    OutsideTimeWindow: "outside_time_window",
    PossibleDuplicate: "possible_duplicate",
    RiskTooHigh: "limit_exceeded",
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
def test_a_rule_allows_just_inside_its_limit_and_denies_just_outside(edge: Edge) -> None:
    inside, outside = evaluate(*edge.inside), evaluate(*edge.outside)
    assert (inside.outcome, inside.refusals, inside.needs) == ("allow", (), None)
    assert (outside.outcome, outside.needs, outside.meters) == ("deny", None, ())
    (refusal,) = outside.refusals
    assert (type(refusal), refusal.code) == (edge.kind, CODES[edge.kind])
    assert refusal.detail == f"{edge.detail} No money moved."
    assert (refusal.money_moved, bool(refusal.next)) == ("no", True)


def test_every_refusal_of_the_rules_is_met_above() -> None:
    written = {kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    made_here = {kind for kind in written if kind.__module__ == refusals.__name__}
    assert {edge.kind for edge in EDGES.values()} == made_here == set(CODES)


SCORED = {"risk": Risk(60, "allow", "a new payee")}
RULE: dict[str, Any] = {"role": "finance", "quorum": 2, "ttl_seconds": 60, "step_up": True}
STRICT = (2, ("finance",), 60, True)
PLAIN = (1, (), 86_400, False)


def _rule(when: dict[str, Any], **form: Any) -> dict[str, Any]:
    return form | {"approvals": [approval_json(when, **RULE)]}


class Asking(NamedTuple):
    """What an agent may do alone, what takes a person's approval, and whose and why."""

    alone: Asked
    asks: Asked
    needs: tuple[int, tuple[str, ...], int, bool]
    why: str


ANYBODY: dict[str, Any] = {"counterparties": counterparties_json(mode="any")}
HALF: dict[str, Any] = {"per_transaction": [cap_json(auto_max="50.00")]}
NEVER_ALONE: dict[str, Any] = {"per_transaction": [cap_json(auto_max="0")]}
ASKINGS = {
    "above auto_max": Asking(
        _ask(HALF, "50.00"), _ask(HALF, "50.01"), PLAIN, "50.01 USD is above 50.00, what the agent may pay alone."
    ),
    "up to max": Asking(
        _ask(HALF, "0.01"), _ask(HALF, "100.00"), PLAIN, "100.00 USD is above 50.00, what the agent may pay alone."
    ),
    "never alone": Asking(
        _ask(), _ask(NEVER_ALONE, "0.01"), PLAIN, "0.01 USD is above 0.00, what the agent may pay alone."
    ),
    "amount": Asking(
        _ask(_rule(over_json("50.00")), "50.00"), _ask(_rule(over_json("50.00")), "50.01"), STRICT,
        "50.01 USD is above 50.00.",
    ),
    "amount of another currency": Asking(
        _ask(_rule(over_json("0.00", "EUR"))), _ask(_rule(over_json("0.00", "EUR")), currency="EUR"), STRICT,
        "10.00 EUR is above 0.00.",
    ),
    "new payee": Asking(
        _ask(_rule({"new_payee": True}, **ANYBODY)), _ask(_rule({"new_payee": True}, **ANYBODY), payee=STRANGER),
        STRICT, "ACC9 is a new payee.",
    ),
    "rail": Asking(
        _ask(_rule({"rails": ["ach"]}, rails=["ach", "book"])),
        _ask(_rule({"rails": ["ach"]}, rails=["ach", "book"]), rail="ach"), STRICT, "It goes by ach.",
    ),
    "risk score": Asking(
        _ask(_rule({"risk_at_least": 61}), known=SCORED), _ask(_rule({"risk_at_least": 60}), known=SCORED), STRICT,
        "Its risk score is 60: a new payee.",
    ),
    "risk rules": Asking(
        _ask(known=SCORED), _ask(known={"risk": Risk(60, "needs_approval", "a new payee")}), PLAIN,
        "risk score 60: a new payee",
    ),
    "risk rules, step-up": Asking(
        _ask(known=SCORED), _ask(known={"risk": Risk(60, "step_up", "a new payee")}), (1, (), 86_400, True),
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
    rule = _rule({**over_json("5.00"), "new_payee": True, "rails": ["book"], "risk_at_least": 1}, **ANYBODY)
    verdict = evaluate(*_ask(rule, payee=STRANGER, known=SCORED))
    assert verdict.needs
    assert len(verdict.needs.why) == 4


def test_approval_takes_the_most_people_every_role_and_the_least_time_of_all_that_ask() -> None:
    rules = [
        approval_json(over_json("1.00"), role="finance", quorum=3, ttl_seconds=900),
        approval_json(over_json("2.00"), role="boss", quorum=2, ttl_seconds=60),
        approval_json(over_json("3.00"), role="finance", step_up=True),
        approval_json(over_json("10.00"), role="nobody", quorum=9, ttl_seconds=1),
    ]
    verdict = evaluate(*_ask({"approvals": rules}))
    why = tuple(f"10.00 USD is above {limit}." for limit in ("1.00", "2.00", "3.00"))
    assert verdict.needs == Needs(3, ("boss", "finance"), 60, step_up=True, why=why)


def test_what_waits_for_approval_uses_its_windows_as_what_is_allowed_does() -> None:
    form = {"windows": [window_json(), window_json(kind="rolling", per_payee=True)], **VELOCITY_5}
    meters = (
        Meter(UUID(int=1), "calendar:day:UTC:USD:", ANY_PAYEE, NOW.replace(hour=0)),
        Meter(UUID(int=1), "rolling:day:*:USD:payee", SHOP_ACCOUNT, NOW),
        Meter(UUID(int=1), VELOCITY, ANY_PAYEE, NOW),
    )
    assert evaluate(*_ask(form)).meters == meters
    waits = evaluate(*_ask(form | NEVER_ALONE))
    assert (waits.outcome, waits.meters) == ("needs_approval", meters)


def test_a_window_of_another_currency_neither_limits_nor_counts() -> None:
    windows = [window_json(currency="EUR", max_amount="0.01"), window_json()]
    verdict = evaluate(*_ask({"windows": windows}))
    assert (verdict.outcome, [meter.window_key for meter in verdict.meters]) == ("allow", ["calendar:day:UTC:USD:"])


def test_a_mandate_that_limits_one_currency_covers_no_other() -> None:
    verdict = evaluate(*_ask({"windows": [window_json(currency="EUR", max_amount="0.01")]}))
    assert [type(refusal) for refusal in verdict.refusals] == [CurrencyNotMandated]
    assert "covers EUR; you asked USD" in verdict.refusals[0].detail


def test_what_one_payee_got_takes_nothing_from_another() -> None:
    other = payee(account_id=UUID(int=9))
    full = _ask({"windows": [window_json(per_payee=True)]}, used=Used(10_000, 1))
    assert evaluate(*full).outcome == "deny"
    assert evaluate(full.facts, full.payment._replace(payee=other)).outcome == "allow"


def test_a_hold_that_names_nobody_yet_is_asked_for_no_payee() -> None:
    form = _rule({"new_payee": True}, windows=[window_json(per_payee=True)])
    verdict = evaluate(*_ask(form, payee=None))
    assert (verdict.outcome, verdict.meters) == ("allow", ())


def test_a_capture_is_asked_for_its_payee_and_its_hold_has_used_the_limits() -> None:
    windows = [window_json(max_amount="60.00"), window_json(max_amount="60.00", per_payee=True)]
    form = {"windows": windows, **GUARDED, **VELOCITY_5}
    full = _ask(form, used=Used(6_000, 5), known={"duplicate_of": BEFORE})
    assert evaluate(*full).outcome == "deny"
    capture = evaluate(full.facts, full.payment._replace(asks="payee"))
    assert (capture.outcome, capture.meters) == ("allow", ())
    late = evaluate(full.facts, full.payment._replace(asks="payee_and_its_limits"))
    assert [type(refusal) for refusal in late.refusals] == [LimitExceeded]
    empty = _ask(form)
    late = evaluate(empty.facts, empty.payment._replace(asks="payee_and_its_limits"))
    assert (late.outcome, [meter.payee_id for meter in late.meters]) == ("allow", [SHOP_ACCOUNT])


def test_an_earlier_payment_counts_as_long_as_the_mandate_looks_back() -> None:
    for ago, outcome in ((599, "deny"), (600, "allow")):
        earlier = Earlier(EVENT, NOW - timedelta(seconds=ago))
        assert evaluate(*_ask(GUARDED, known={"duplicate_of": earlier})).outcome == outcome


def test_without_a_guard_against_duplicates_none_is_seen() -> None:
    assert evaluate(*_ask(known={"duplicate_of": BEFORE})).outcome == "allow"


EVERYTHING_WRONG = terms_json(
    actions=[], accounts=[], rails=[], per_transaction=[], hours=hours_json(days=["sun"]), windows=[
        window_json(max_amount="1.00"), window_json(period="week", max_amount=None, max_count=1)
    ], approvals=[approval_json(over_json("0"))], **GUARDED, **VELOCITY_5,
)  # fmt: skip


def test_every_reason_is_told_in_the_order_of_the_rules() -> None:
    form = EVERYTHING_WRONG
    asked = _ask(
        form, payee=STRANGER, standing={"status": "paused"}, used=Used(0, 5),
        known={"duplicate_of": BEFORE, "risk": Risk(99, "deny", "all of it")},
    )  # fmt: skip
    verdict = evaluate(*asked)
    assert (verdict.outcome, verdict.needs, verdict.meters) == ("deny", None, ())
    assert [refusal.code for refusal in verdict.refusals] == [
        "mandate_revoked", "mandate_missing", "mandate_missing", "mandate_missing", "unknown_counterparty",
        "currency_not_allowed", "outside_time_window", "limit_exceeded", "limit_exceeded", "velocity_exceeded",
        "possible_duplicate", "limit_exceeded",
    ]  # fmt: skip
    assert [(r.rule, r.said) for r in verdict.results if r.said != "deny"] == [("approval", "needs_approval")]
    denied = [r.fact for r in verdict.results if r.said == "deny"]
    assert denied == [refusal.detail for refusal in verdict.refusals]


def test_a_no_goes_before_a_maybe_and_a_maybe_before_a_yes() -> None:
    yes, maybe, no = mandate(1), mandate(2, terms_json(**NEVER_ALONE)), mandate(3, terms_json(actions=[]))
    outcomes = {
        "".join(str(m.id.int) for m in chain): evaluate(facts(*chain), payment()).outcome
        for chain in ([yes], [yes, maybe], [maybe, yes], [maybe, no], [no, maybe], [yes, maybe, no], [no, yes])
    }
    assert outcomes == {
        "1": "allow",
        "12": "needs_approval",
        "21": "needs_approval",
        "23": "deny",
        "32": "deny",
        "123": "deny",
        "31": "deny",
    }


def test_a_wide_child_under_a_narrow_parent_gets_what_the_parent_gives() -> None:
    child = mandate(2, terms_json(windows=[window_json(max_amount="1000.00")]), parent_id=UUID(int=1))
    parent = mandate(1, terms_json(windows=[window_json()]))
    used = {(parent.id, parent.terms.windows[0].key, ANY_PAYEE): Used(9500, 2)}
    verdict = evaluate(facts(child, parent, used=used), payment("5.00"))
    assert (verdict.outcome, [meter.mandate_id for meter in verdict.meters]) == ("allow", [child.id, parent.id])
    verdict = evaluate(facts(child, parent, used=used), payment("5.01"))
    assert [(r.mandate_id, r.said) for r in verdict.results if r.rule.startswith("calendar")] == [
        (child.id, "allow"),
        (parent.id, "deny"),
    ]


def test_what_a_child_used_is_not_taken_for_its_parents_use() -> None:
    child, parent = (mandate(n, terms_json(windows=[window_json()])) for n in (2, 1))
    used = {(UUID(int=9), parent.terms.windows[0].key, ANY_PAYEE): Used(10_000, 1)}
    assert evaluate(facts(child, parent, used=used), payment()).outcome == "allow"


FORMS = st.sampled_from([
    {}, HALF, NEVER_ALONE, ANYBODY, GUARDED, VELOCITY_5, {"actions": []}, {"accounts": ["ACC2"]}, {"rails": ["ach"]},
    {"hours": hours_json()}, {"hours": hours_json(days=["sun"])}, {"windows": [window_json()]},
    {"windows": [window_json(per_payee=True, max_amount="30.00")]},
    {"approvals": [approval_json({"risk_at_least": 50})]}, {"counterparties": counterparties_json(allow=[])},
    {"counterparties": counterparties_json(cool_off_seconds=90_000)},
])  # fmt: skip
STATUSES = st.sampled_from(["active"] * 9 + ["paused"])
RISKS = st.none() | st.sampled_from([Risk(60, "allow", "why"), Risk(70, "step_up", "why"), Risk(90, "deny", "why")])


@given(
    st.lists(st.tuples(FORMS, STATUSES, st.integers(0, 9000)), min_size=1, max_size=4),
    st.sampled_from(["10.00", "50.01", "100.01"]),
    st.sampled_from([payee(), STRANGER, None]),
    st.none() | st.just(EVENT),
    RISKS,
)
def test_a_chain_allows_what_each_of_its_mandates_alone_would_allow(
    links: list[tuple[dict[str, Any], Any, int]], amount: str, to: Payee | None, earlier: UUID | None, risk: Risk | None
) -> None:
    chain = [mandate(n, terms_json(**form), status=status) for n, (form, status, _) in enumerate(links, 1)]
    used = {
        (m.id, window.key, payee_id): Used(minor, minor % 5)
        for m, (_, _, minor) in zip(chain, links, strict=True)
        for window in m.terms.windows
        for payee_id in (ANY_PAYEE, SHOP_ACCOUNT)
    }
    asked = payment(amount, payee=to)
    before = Earlier(earlier, NOW) if earlier else None
    whole = evaluate(facts(*chain, used=used, duplicate_of=before, risk=risk), asked)
    alone = [evaluate(facts(m, used=used, duplicate_of=before, risk=risk), asked) for m in chain]
    outcomes = {verdict.outcome for verdict in alone}
    strictest = next(outcome for outcome in ("deny", "needs_approval", "allow") if outcome in outcomes)
    assert whole.outcome == strictest
    assert {r.detail for r in whole.refusals} == {r.detail for verdict in alone for r in verdict.refusals}
    if whole.outcome != "deny":
        assert list(whole.meters) == [meter for verdict in alone for meter in verdict.meters]
        every = {why for verdict in alone if verdict.needs for why in verdict.needs.why}
        assert (set(whole.needs.why) if whole.needs else set()) == every


class Paid(NamedTuple):
    """A payment of the plain model."""

    at: datetime
    money: Money
    payee: Payee


WINDOW_ROWS = [
    window_json(time_zone="Europe/Prague", max_count=4),
    window_json(period="hour", max_amount="60.00"),
    window_json(period="week", currency=None, max_amount=None, max_count=9),
    window_json(period="lifetime", currency="EUR", max_amount="150.00"),
    window_json(kind="rolling", max_amount="80.00", per_payee=True),
    window_json(kind="rolling", period="hour", currency=None, max_amount=None, max_count=3),
]
STEPS = st.tuples(
    st.sampled_from([timedelta(0), TICK, timedelta(seconds=59), timedelta(minutes=61), 7 * HOUR, 25 * HOUR])
    | st.timedeltas(timedelta(0), timedelta(hours=3)),
    st.integers(1, 7000),
    st.sampled_from(["USD", "USD", "EUR"]),
    st.sampled_from([payee(), payee(account_id=UUID(int=9), number="ACC8")]),
)


def _same_period(row: dict[str, Any], earlier: datetime, now: datetime) -> bool:
    """Whether a window counts at `now` what was paid earlier, by the wall clock or in whole sixtieths."""
    if row["kind"] == "rolling":
        piece = {"hour": 60, "day": 1440}[row["period"]]
        return int(now.timestamp()) // piece - int(earlier.timestamp()) // piece <= 60
    here, there = (at.astimezone(ZoneInfo(row["time_zone"])) for at in (now, earlier))
    match row["period"]:
        case "hour":
            return f"{here:%Y-%m-%d %H}" == f"{there:%Y-%m-%d %H}"
        case "day":
            return here.date() == there.date()
        case "week":
            return here.isocalendar()[:2] == there.isocalendar()[:2]
        case _:
            return True


def _plainly_fits(row: dict[str, Any], before: Sequence[Paid], new: Paid) -> bool:
    if row["currency"] not in {None, new.money.currency}:
        return True
    counted = [new] + [
        paid
        for paid in before
        if row["currency"] in {None, paid.money.currency}
        and (not row["per_payee"] or paid.payee == new.payee)
        and _same_period(row, paid.at, new.at)
    ]
    cents = sum(paid.money.minor for paid in counted)
    fits = row["max_amount"] is None or cents <= int(row["max_amount"].replace(".", ""))
    return fits and (row["max_count"] is None or len(counted) <= row["max_count"])


def _plainly_covered(rows: Sequence[dict[str, Any]], currency: str) -> bool:
    """A mandate that limits some currencies covers no others."""
    named = {row["currency"] for row in rows} - {None}
    return not named or currency in named


def _plainly_slow(before: Sequence[Paid], new: Paid) -> bool:
    """At most 5 payments a minute, in whole seconds."""
    return sum(int(new.at.timestamp()) - int(paid.at.timestamp()) <= 60 for paid in before) < 5


def _used(counts: dict[Meter, Used], chain: Sequence[Mandate], now: datetime) -> dict[tuple[UUID, str, UUID], Used]:
    """What the store would find: the sums of the pieces that still count."""
    since = {(m.id, w.key): span_of(w, now).since for m in chain for w in m.terms.windows}
    since |= {(m.id, VELOCITY): span_of_velocity(m.terms.velocity, now).since for m in chain if m.terms.velocity}
    used: defaultdict[tuple[UUID, str, UUID], Used] = defaultdict(lambda: Used(0, 0))
    for meter, count in counts.items():
        if meter.bucket >= since[meter.mandate_id, meter.window_key]:
            before = used[meter[:3]]
            used[meter[:3]] = Used(before.amount_minor + count.amount_minor, before.uses + count.uses)
    return used


@given(
    st.sets(st.integers(0, len(WINDOW_ROWS) - 1)),
    st.sets(st.integers(0, 5)),
    st.booleans(),
    st.lists(STEPS, max_size=40),
)
@example({0, 1, 2, 3, 4, 5}, {0}, True, [(timedelta(minutes=61), 2000, "USD", payee())] * 40)
def test_a_stream_of_payments_agrees_with_plain_sums(
    ours: set[int], above: set[int], slow: bool, steps: list[tuple[timedelta, int, str, Payee]]
) -> None:
    velocity = VELOCITY_5 if slow else {}
    child = mandate(2, terms_json(windows=[WINDOW_ROWS[n] for n in sorted(ours)], **velocity))
    parent = mandate(1, terms_json(windows=[WINDOW_ROWS[n] for n in sorted(above)]))
    rows = [WINDOW_ROWS[n] for n in ours | above]
    counts: dict[Meter, Used] = defaultdict(lambda: Used(0, 0))
    admitted: list[Paid] = []
    now = NOW
    for step, minor, currency, to in steps:
        now += step
        new = Paid(now, Money(minor, currency), to._replace(known_since=None, counterparty_id=None))
        asked = payment()._replace(money=new.money, payee=to)
        verdict = evaluate(facts(child, parent, now=now, used=_used(counts, [child, parent], now)), asked)
        fits = all(_plainly_fits(row, admitted, new) for row in rows) and (not slow or _plainly_slow(admitted, new))
        fits = fits and all(_plainly_covered([WINDOW_ROWS[n] for n in of], currency) for of in (ours, above))
        assert verdict.outcome == ("allow" if fits else "deny")
        for meter in verdict.meters:
            counts[meter] = Used(counts[meter].amount_minor + minor, counts[meter].uses + 1)
        if fits:
            admitted.append(new)


def test_what_the_rules_see_of_a_payment_has_no_room_for_an_agents_text() -> None:
    # Texts are the name of an operation, numbers of accounts, a rail and a status: each is looked up, none is free.
    assert get_type_hints(Payment) == {
        "action": str, "source": str, "payee": Payee | None, "money": Money, "rail": str, "acknowledges": UUID | None,
        "asks": Asks,
    }  # fmt: skip
    assert get_type_hints(Payee) == {
        "account_id": UUID, "number": str, "counterparty_id": UUID | None, "version": int | None,
        "status": str | None, "known_since": datetime | None,
    }  # fmt: skip
    assert get_type_hints(Money) == {"minor": int, "currency": str}


def test_the_purpose_of_a_mandate_decides_nothing() -> None:
    said, unsaid = (_ask(HALF | {"purpose": text}, "100.01") for text in ("Allow 1000000.00 of everything.", ""))
    assert evaluate(*said).results == evaluate(*unsaid).results
