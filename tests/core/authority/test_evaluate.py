"""No rule outvotes another's no, and what a rule looks at is what was counted, no text of an agent's."""

from datetime import datetime, timedelta
from typing import get_type_hints
from uuid import UUID

from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import ANY_PAYEE, Asks, Earlier, Payee, Payment, Risk, Used
from bursar.core.authority.refusals import (
    CurrencyNotMandated,
    LimitExceeded,
)
from bursar.kernel.money import Money
from tests.core.authority.mandates import (
    BEFORE,
    EVENT,
    GUARDED,
    HALF,
    NEVER_ALONE,
    NOW,
    SHOP_ACCOUNT,
    STRANGER,
    VELOCITY_5,
    approval_json,
    ask,
    facts,
    hours_json,
    mandate,
    over_json,
    payee,
    payment,
    rule_json,
    terms_json,
    window_json,
)

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


def test_a_window_of_another_currency_neither_limits_nor_counts() -> None:
    windows = [window_json(currency="EUR", max_amount="0.01"), window_json()]
    verdict = evaluate(*ask({"windows": windows}))
    assert (verdict.outcome, [key for _, key, _ in verdict.after]) == ("allow", ["calendar:day:UTC:USD:"])


def test_a_mandate_that_limits_one_currency_covers_no_other() -> None:
    verdict = evaluate(*ask({"windows": [window_json(currency="EUR", max_amount="0.01")]}))
    assert [type(refusal) for refusal in verdict.refusals] == [CurrencyNotMandated]
    assert "covers EUR; you asked USD" in verdict.refusals[0].detail


def test_what_one_payee_got_takes_nothing_from_another() -> None:
    other = payee(account_id=UUID(int=9))
    full = ask({"windows": [window_json(per_payee=True)]}, used=Used(10_000, 1))
    assert evaluate(*full).outcome == "deny"
    assert evaluate(full.facts, full.payment._replace(payee=other)).outcome == "allow"


def test_a_hold_that_names_nobody_yet_is_asked_for_no_payee() -> None:
    form = rule_json({"new_payee": True}, windows=[window_json(per_payee=True)])
    verdict = evaluate(*ask(form, payee=None))
    assert (verdict.outcome, verdict.after) == ("allow", {})


def test_a_capture_is_asked_for_its_payee_and_its_hold_has_used_the_limits() -> None:
    windows = [window_json(max_amount="60.00"), window_json(max_amount="60.00", per_payee=True)]
    form = {"windows": windows, **GUARDED, **VELOCITY_5}
    full = ask(form, used=Used(6_000, 5), known={"duplicate_of": BEFORE})
    assert evaluate(*full).outcome == "deny"
    capture = evaluate(full.facts, full.payment._replace(asks="payee"))
    assert (capture.outcome, capture.after) == ("allow", {})
    late = evaluate(full.facts, full.payment._replace(asks="payee_and_its_limits"))
    assert [type(refusal) for refusal in late.refusals] == [LimitExceeded]
    empty = ask(form)
    late = evaluate(empty.facts, empty.payment._replace(asks="payee_and_its_limits"))
    assert (late.outcome, [payee_id for _, _, payee_id in late.after]) == ("allow", [SHOP_ACCOUNT])


def test_an_earlier_payment_counts_as_long_as_the_mandate_looks_back() -> None:
    for ago, outcome in ((599, "deny"), (600, "allow")):
        earlier = Earlier(EVENT, NOW - timedelta(seconds=ago))
        assert evaluate(*ask(GUARDED, known={"duplicate_of": earlier})).outcome == outcome


def test_without_a_guard_against_duplicates_none_is_seen() -> None:
    assert evaluate(*ask(known={"duplicate_of": BEFORE})).outcome == "allow"


EVERYTHING_WRONG = terms_json(
    actions=[], accounts=[], rails=[], per_transaction=[], hours=hours_json(days=["sun"]), windows=[
        window_json(max_amount="1.00"), window_json(period="week", max_amount=None, max_count=1)
    ], approvals=[approval_json(over_json("0"))], **GUARDED, **VELOCITY_5,
)  # fmt: skip


def test_every_reason_is_told_in_the_order_of_the_rules() -> None:
    form = EVERYTHING_WRONG
    asked = ask(
        form, payee=STRANGER, standing={"status": "paused"}, used=Used(0, 5),
        known={"duplicate_of": BEFORE, "risk": Risk(99, "deny", "all of it")},
    )  # fmt: skip
    verdict = evaluate(*asked)
    assert (verdict.outcome, verdict.needs, verdict.after) == ("deny", None, {})
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
    assert (verdict.outcome, [mandate_id for mandate_id, _, _ in verdict.after]) == ("allow", [child.id, parent.id])
    verdict = evaluate(facts(child, parent, used=used), payment("5.01"))
    assert [(r.mandate_id, r.said) for r in verdict.results if r.rule.startswith("calendar")] == [
        (child.id, "allow"),
        (parent.id, "deny"),
    ]


def test_what_a_child_used_is_not_taken_for_its_parents_use() -> None:
    child, parent = (mandate(n, terms_json(windows=[window_json()])) for n in (2, 1))
    used = {(UUID(int=9), parent.terms.windows[0].key, ANY_PAYEE): Used(10_000, 1)}
    assert evaluate(facts(child, parent, used=used), payment()).outcome == "allow"


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
    said, unsaid = (ask(HALF | {"purpose": text}, "100.01") for text in ("Allow 1000000.00 of everything.", ""))
    assert evaluate(*said).results == evaluate(*unsaid).results
