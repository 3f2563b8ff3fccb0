"""Terms are read as they are meant, or refused with the path to what makes no sense."""

from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest

from bursar.core.authority.mandate import (
    ApprovalRule,
    Cap,
    Hours,
    Payees,
    Terms,
    Trigger,
    Velocity,
    Window,
    chain_of,
    read_terms,
)
from bursar.core.authority.narrowing import WIDEST, refuse_wider
from bursar.kernel.refusal import InvalidArgument
from tests.core.authority.mandates import (
    SHOP,
    approval_json,
    cap_json,
    counterparties_json,
    hours_json,
    mandate,
    over_json,
    terms,
    terms_json,
    window_json,
)


def test_every_field_is_read() -> None:
    read = terms(
        accounts=["ACC1"],
        per_transaction=[cap_json(auto_max="25.50"), cap_json(currency="JPY", max="7000")],
        windows=[
            window_json(max_count=3, per_payee=True),
            window_json(kind="rolling", currency=None, max_amount=None, max_count=2),
        ],
        counterparties=counterparties_json(cool_off_seconds=60),
        hours=hours_json(),
        approvals=[approval_json(over_json("0.00"), role="finance", quorum=2, ttl_seconds=60, step_up=True)],
        duplicate_window_seconds=600,
        velocity={"max_count": 5, "seconds": 60},
    )
    assert read == Terms(
        actions=frozenset({"create_transfer"}),
        accounts=frozenset({"ACC1"}),
        rails=frozenset({"book"}),
        caps={"USD": Cap(10_000, 2550), "JPY": Cap(7000, 7000)},
        windows=(
            Window("calendar", "day", "UTC", "USD", 10_000, 3, per_payee=True),
            Window("rolling", "day", "UTC", None, None, 2),
        ),
        payees=Payees("allow_list", frozenset({SHOP}), timedelta(minutes=1)),
        hours=Hours("Europe/Prague", frozenset({"mon", "fri"}), time(8), time(18)),
        approvals=(ApprovalRule(Trigger({"USD": 0}), "finance", 2, 60, step_up=True),),
        duplicate_seconds=600,
        velocity=Velocity(5, 60),
    )


def test_null_means_not_limited_in_this_way() -> None:
    read = read_terms(WIDEST)
    assert (read.accounts, read.caps, read.hours, read.duplicate_seconds, read.velocity) == (None,) * 5
    assert (read.windows, read.approvals, read.payees) == ((), (), Payees("any"))


def test_an_empty_list_of_currencies_or_accounts_is_not_null() -> None:
    read = terms(per_transaction=[], accounts=[])
    assert (read.caps, read.accounts) == ({}, frozenset())


@pytest.mark.parametrize("amount", ["0", "0.0", "0.00"])
def test_an_agent_may_be_allowed_nothing_alone(amount: str) -> None:
    assert terms(per_transaction=[cap_json(auto_max=amount)]).caps == {"USD": Cap(10_000, 0)}


def test_what_an_agent_may_pay_alone_may_be_all_of_it() -> None:
    assert terms(per_transaction=[cap_json(auto_max="100.00")]).caps == {"USD": Cap(10_000, 10_000)}


def _when(*rows: dict[str, str]) -> dict[str, Any]:
    return {"approvals": [approval_json({"amount_over": list(rows)})]}


USD_1 = {"currency": "USD", "amount": "1.00"}


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"per_transaction": [cap_json(), cap_json()]}, "per_transaction.1.currency", "is named twice"),
        (
            {"per_transaction": [cap_json(currency="USX")]},
            "per_transaction.0.currency",
            "not an ISO 4217 currency code",
        ),
        ({"per_transaction": [cap_json(max="1.234")]}, "per_transaction.0.max", "USD has 2 decimals"),
        ({"per_transaction": [cap_json(max="0.00")]}, "per_transaction.0.max", "must be above 0"),
        ({"per_transaction": [cap_json(auto_max="1.234")]}, "per_transaction.0.auto_max", "USD has 2 decimals"),
        ({"per_transaction": [cap_json(auto_max="100.01")]}, "per_transaction.0.auto_max", "is above max"),
        ({"windows": [window_json(max_amount=None)]}, "windows.0", "needs max_amount, max_count or both"),
        ({"windows": [window_json(currency=None)]}, "windows.0.currency", "is needed beside max_amount"),
        ({"windows": [window_json(currency="USX")]}, "windows.0.currency", "not an ISO 4217 currency code"),
        (
            {"windows": [window_json(currency="USX", max_amount=None, max_count=1)]},
            "windows.0.currency",
            "not an ISO 4217 currency code",
        ),
        ({"windows": [window_json(max_amount="1e3")]}, "windows.0.max_amount", "must be a plain decimal number"),
        ({"windows": [window_json(kind="rolling", period="lifetime")]}, "windows.0.kind", "a lifetime does not roll"),
        ({"windows": [window_json(time_zone="Prague")]}, "windows.0.time_zone", "is not a time zone"),
        ({"windows": [window_json(time_zone="../UTC")]}, "windows.0.time_zone", "is not a time zone"),
        ({"windows": [window_json(), window_json(max_amount="5.00")]}, "windows.1", "is named twice"),
        ({"windows": [window_json(), window_json(max_amount=None, max_count=1)]}, "windows.1", "is named twice"),
        ({"counterparties": counterparties_json(allow=["cp_1"])}, "counterparties.allow.0", "is not the id of a"),
        ({"counterparties": counterparties_json(allow=[f"acct_{0:032x}"])}, "counterparties.allow.0", "is not the id"),
        (
            {"counterparties": counterparties_json(mode="any", cool_off_seconds=1)},
            "counterparties.cool_off_seconds",
            "means nothing where anybody may be paid",
        ),
        ({"hours": hours_json(start="18:00")}, "hours.end", "must be later than start"),
        ({"hours": hours_json(start="24:00")}, "hours.start", "is not a time of day such as 08:00"),
        ({"hours": hours_json(end="6pm")}, "hours.end", "is not a time of day such as 08:00"),
        ({"hours": hours_json(end="18+01")}, "hours.end", "is not a time of day such as 08:00"),
        ({"hours": hours_json(time_zone="")}, "hours.time_zone", "is not a time zone"),
        ({"approvals": [approval_json({})]}, "approvals.0.when", "names nothing that could happen"),
        (_when(USD_1, USD_1), "approvals.0.when.amount_over.1.currency", "is named twice"),
        (_when(USD_1 | {"currency": "USX"}), "approvals.0.when.amount_over.0.currency", "not an ISO 4217"),
        (_when(USD_1 | {"currency": "USX", "amount": "0"}), "approvals.0.when.amount_over.0.currency", "not an ISO"),
        (_when(USD_1 | {"amount": "-1"}), "approvals.0.when.amount_over.0.amount", "must be a plain decimal number"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_their_path(changes: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        terms(**changes)
    assert refused.value.argument == f"terms.{path}"
    assert refused.value.reason.startswith(reason)


def test_a_risk_score_of_zero_is_something_that_could_happen() -> None:
    assert terms(approvals=[approval_json({"risk_at_least": 0})]).approvals[0].when.risk_at_least == 0


KEYS = [
    window_json(),
    window_json(kind="rolling"),
    window_json(period="week"),
    window_json(time_zone="Europe/Prague"),
    window_json(currency="EUR"),
    window_json(currency=None, max_amount=None, max_count=1),
    window_json(per_payee=True),
]


def test_windows_that_count_other_things_count_apart() -> None:
    keys = [window.key for window in terms(windows=KEYS).windows]
    assert len(set(keys)) == len(KEYS)


@pytest.mark.parametrize("row", KEYS)
def test_a_window_with_another_maximum_counts_on(row: dict[str, Any]) -> None:
    (before,) = terms(windows=[row]).windows
    (after,) = terms(windows=[row | {"currency": row["currency"], "max_count": 77}]).windows
    assert before.key == after.key


@pytest.mark.parametrize("lasting", [{"kind": "rolling"}, {"period": "lifetime"}])
def test_another_time_zone_gives_nothing_anew_where_it_decides_nothing(lasting: dict[str, str]) -> None:
    here, there = (
        terms(windows=[window_json(**lasting, time_zone=zone)]).windows[0].key for zone in ("UTC", "Asia/Kathmandu")
    )
    assert here == there


def _narrow() -> dict[str, Any]:
    return terms_json(accounts=["ACC1"], per_transaction=[cap_json(auto_max="50.00")])


NARROWER: dict[str, dict[str, Any]] = {
    "a lower maximum": {"per_transaction": [cap_json(max="50.00", auto_max="50.00")]},
    "less alone": {"per_transaction": [cap_json(auto_max="0")]},
    "no currency": {"per_transaction": []},
    "no action": {"actions": []},
    "no account": {"accounts": []},
    "no rail": {"rails": []},
}
WIDER: dict[str, tuple[dict[str, Any], str, str]] = {
    "another action": ({"actions": ["create_transfer", "create_hold"]}, "terms.actions", "gives more than the parent"),
    "another account": ({"accounts": ["ACC1", "ACC2"]}, "terms.accounts", "gives more than the parent"),
    "every account": ({"accounts": None}, "terms.accounts", "gives more than the parent"),
    "another rail": ({"rails": ["book", "ach"]}, "terms.rails", "gives more than the parent"),
    "every currency": ({"per_transaction": None}, "terms.per_transaction", "gives more than the parent"),
    "another currency": (
        {"per_transaction": [cap_json(currency="EUR", max="1.00")]},
        "terms.per_transaction",
        "gives more than the parent",
    ),
    "a higher maximum": (
        {"per_transaction": [cap_json(max="100.01", auto_max="50.00")]},
        "terms.per_transaction",
        "gives more USD",
    ),
    "more alone": ({"per_transaction": [cap_json(auto_max="50.01")]}, "terms.per_transaction", "gives more USD"),
}


@pytest.mark.parametrize("changes", NARROWER.values(), ids=NARROWER)
def test_a_child_may_give_less_than_its_parent_and_never_the_other_way_round(changes: dict[str, Any]) -> None:
    wide, narrow = read_terms(_narrow()), read_terms(_narrow() | changes)
    refuse_wider(narrow, wide)
    with pytest.raises(InvalidArgument):
        refuse_wider(wide, narrow)


def test_a_child_may_give_all_that_its_parent_gives() -> None:
    same = _narrow()
    refuse_wider(read_terms(same), read_terms(same))
    assert read_terms(same).caps == {"USD": Cap(10_000, 5000)}


@pytest.mark.parametrize(("changes", "path", "reason"), WIDER.values(), ids=WIDER)
def test_a_child_that_gives_more_is_refused(changes: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        refuse_wider(read_terms(_narrow() | changes), read_terms(_narrow()))
    assert refused.value.argument == path
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize("limits", [{"accounts": ["ACC1"]}, {"per_transaction": [cap_json()]}])
def test_a_child_may_limit_what_its_parent_does_not(limits: dict[str, Any]) -> None:
    refuse_wider(terms(**limits), terms())
    with pytest.raises(InvalidArgument, match=next(iter(limits))):
        refuse_wider(terms(), terms(**limits))


def test_a_chain_goes_from_the_narrowest_mandate_to_the_widest() -> None:
    top, other = mandate(1), mandate(9)
    middle = mandate(2, parent_id=top.id)
    leaf = mandate(3, parent_id=middle.id)
    assert chain_of(leaf, [top, other, leaf, middle]) == [leaf, middle, top]
    assert chain_of(other, [top, other]) == [other]


def test_a_chain_with_a_link_missing_is_no_chain() -> None:
    with pytest.raises(KeyError):
        chain_of(mandate(2, parent_id=UUID(int=1)), [])
