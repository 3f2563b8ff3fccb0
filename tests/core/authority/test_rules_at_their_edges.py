"""Every rule allows just inside its limit and says no just outside, with the fact that decided it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from bursar.core.authority import refusals
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import Facts, Payee, Risk, Used
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
from bursar.kernel.refusal import Refusal
from tests.core.authority.mandates import (
    BEFORE,
    EVENT,
    GUARDED,
    NOW,
    STRANGER,
    VELOCITY_5,
    Asked,
    ask,
    cap_json,
    counterparties_json,
    hours_json,
    payee,
    payment,
    window_json,
)

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


class Edge(NamedTuple):
    """What is just inside a limit, what is just outside, and what is said there."""

    inside: Asked
    outside: Asked
    kind: type[Refusal]
    detail: str


def _standing(inside: dict[str, Any], outside: dict[str, Any], kind: type[Refusal], detail: str) -> Edge:
    return Edge(ask(standing=inside), ask(standing=outside), kind, detail)


def _payee(form: dict[str, Any], inside: Payee, outside: Payee, kind: type[Refusal], detail: str) -> Edge:
    form = {"counterparties": counterparties_json(**form)}
    return Edge(ask(form, payee=inside), ask(form, payee=outside), kind, detail)


def _amount(detail: str, **window: Any) -> Edge:
    """A window of 100.00 of which 90.00 are used."""
    form, used = {"windows": [window_json(**window)]}, Used(9000, 7)
    return Edge(ask(form, used=used), ask(form, "10.01", used=used), LimitExceeded, detail)


def _count(detail: str, **window: Any) -> Edge:
    """A window of three payments."""
    form = {"windows": [window_json(**{"max_amount": None, "max_count": 3} | window)]}
    return Edge(ask(form, used=Used(5, 2)), ask(form, used=Used(5, 3)), LimitExceeded, detail)


def _hours(inside: datetime, outside: datetime, there_it_is: str) -> Edge:
    said = "The mandate no. 1 pays mon, fri from 08:00 to 18:00 Europe/Prague; there it is"
    form = {"hours": hours_json()}
    at = [ask(form, known={"now": now}) for now in (inside, outside)]
    return Edge(at[0], at[1], OutsideTimeWindow, f"{said} {there_it_is}.")


NONE_LEFT = "Day limit: 0 of 3 payments left until 2026-11-21T00:00:00Z."
ANY, KNOWN = {"mode": "any"}, {"mode": "any_known"}
SEEN = NOW - timedelta(seconds=60)
COOL_OFF = "ACC7 is a new counterparty; the mandate no. 1 pays it from 2026-11-20T12:00:01Z on."
TWICE = f"{show('evt', EVENT)} paid the same amount to the same payee within the last 600 seconds."
EIGHT, SIX = datetime.fromisoformat("2026-11-20T07:00Z"), datetime.fromisoformat("2026-11-20T17:00Z")

EDGES = {
    "action": Edge(
        ask(), ask(action="create_hold"), MandateMissing, "The mandate no. 1 does not cover create_hold."
    ),
    "account": Edge(
        ask({"accounts": ["ACC1"]}), ask({"accounts": ["ACC11"]}), MandateMissing,
        "The mandate no. 1 does not cover ACC1.",
    ),
    "no account at all": Edge(
        ask({"accounts": None}), ask({"accounts": []}), MandateMissing, "The mandate no. 1 does not cover ACC1."
    ),
    "rail": Edge(
        ask({"rails": ["book", "ach"]}, rail="ach"), ask(rail="ach"), MandateMissing,
        "The mandate no. 1 does not cover ach.",
    ),
    "no mandate": Edge(
        ask(), Asked(Facts(NOW, [], {}), payment()), MandateMissing, "There is no mandate to act under."
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
        ask({"per_transaction": [cap_json(), cap_json(currency="EUR")]}, currency="EUR"),
        ask({"per_transaction": [cap_json(), cap_json(currency="CZK")]}, currency="EUR"),
        CurrencyNotMandated, "Your mandate covers CZK, USD; you asked EUR.",
    ),
    "no currency at all": Edge(
        ask(), ask({"per_transaction": []}), CurrencyNotMandated, "Your mandate covers no currency; you asked USD."
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
        ask({"per_transaction": [cap_json()]}, "100.00"), ask({"per_transaction": [cap_json()]}, "100.01"),
        LimitExceeded, "One payment may be at most 100.00 USD; you asked 100.01.",
    ),
    "one payment, above what needs approval": Edge(
        ask({"per_transaction": [cap_json(auto_max="50.00")]}, "50.00"),
        ask({"per_transaction": [cap_json(auto_max="50.00")]}, "100.01"),
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
        ask(), ask({"windows": [window_json(max_amount="50.00")]}, used=Used(9000, 7)), LimitExceeded,
        "Day limit: 0.00 of 50.00 USD left until 2026-11-21T00:00:00Z; you asked 10.00.",
    ),
    "count": _count(NONE_LEFT),
    "count of every currency": _count(NONE_LEFT, currency=None),
    "count beside an amount": _count(NONE_LEFT, max_amount="100.00"),
    "count in a lifetime": _count("Lifetime limit: 0 of 3 payments left.", period="lifetime"),
    "velocity": Edge(
        ask(VELOCITY_5, used=Used(0, 4)), ask(VELOCITY_5, used=Used(0, 5)), VelocityExceeded,
        "Your mandate allows 5 payments in 60 seconds, and they are made; try again after 2026-11-20T12:00:01Z.",
    ),
    "before hours": _hours(EIGHT, EIGHT - TICK, "fri 07:59"),
    "after hours": _hours(SIX - TICK, SIX, "fri 18:00"),
    "another day": _hours(NOW, NOW + timedelta(days=1), "sat 13:00"),
    "duplicate": Edge(
        ask(GUARDED), ask(GUARDED, known={"duplicate_of": BEFORE}), PossibleDuplicate, TWICE
    ),
    "duplicate, acknowledged": Edge(
        ask(GUARDED, acknowledges=EVENT, known={"duplicate_of": BEFORE}),
        ask(GUARDED, acknowledges=UUID(int=3), known={"duplicate_of": BEFORE}), PossibleDuplicate, TWICE,
    ),
    "risk": Edge(
        ask(known={"risk": Risk(40, "allow", "a new payee")}), ask(known={"risk": Risk(95, "deny", "a new payee")}),
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
    assert (outside.outcome, outside.needs, outside.after) == ("deny", None, {})
    (refusal,) = outside.refusals
    assert (type(refusal), refusal.code) == (edge.kind, CODES[edge.kind])
    assert refusal.detail == f"{edge.detail} No money moved."
    assert (refusal.money_moved, bool(refusal.next)) == ("no", True)


def test_every_refusal_of_the_rules_is_met_above() -> None:
    written = {kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    made_here = {kind for kind in written if kind.__module__ == refusals.__name__}
    assert {edge.kind for edge in EDGES.values()} == made_here == set(CODES)
