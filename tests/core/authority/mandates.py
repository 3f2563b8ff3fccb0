"""Mandates, payments and facts for tests of the rules: each is allowed as it stands, and says what it changes."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from bursar.core.authority.facts import ANY_PAYEE, VELOCITY, Earlier, Facts, Payee, Payment, Used
from bursar.core.authority.mandate import Mandate, Terms, read_terms
from bursar.kernel.canonical import canonical
from bursar.kernel.ids import show
from bursar.kernel.money import read_amount

# A Friday, at noon.
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP = UUID(int=0x5409)
SHOP_ACCOUNT = UUID(int=0xACC)
EVENT = UUID(int=0xE)


def _with(form: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    assert changes.keys() <= form.keys(), changes.keys() - form.keys()
    return form | changes


def terms_json(**changes: Any) -> dict[str, Any]:
    """The JSON form of terms that allow `payment()` and limit it in no way."""
    form: dict[str, Any] = {
        "actions": ["create_transfer"],
        "accounts": None,
        "rails": ["book"],
        "purpose": "Pays the shop",
        "per_transaction": None,
        "windows": [],
        "counterparties": counterparties_json(),
        "hours": None,
        "approvals": [],
        "duplicate_window_seconds": None,
        "velocity": None,
    }
    return _with(form, changes)


def counterparties_json(**changes: Any) -> dict[str, Any]:
    return _with({"mode": "allow_list", "allow": [show("cp", SHOP)], "cool_off_seconds": 0}, changes)


def cap_json(**changes: Any) -> dict[str, Any]:
    return _with({"currency": "USD", "max": "100.00", "auto_max": None}, changes)


def window_json(**changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "kind": "calendar",
        "period": "day",
        "time_zone": "UTC",
        "currency": "USD",
        "max_amount": "100.00",
        "max_count": None,
        "per_payee": False,
    }
    return _with(form, changes)


def hours_json(**changes: Any) -> dict[str, Any]:
    form = {"time_zone": "Europe/Prague", "days": ["mon", "fri"], "start": "08:00", "end": "18:00"}
    return _with(form, changes)


def approval_json(when: dict[str, Any], **changes: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"amount_over": [], "new_payee": False, "rails": [], "risk_at_least": None}
    form: dict[str, Any] = {"when": _with(nothing, when), "role": None, "quorum": 1}
    return _with(form | {"ttl_seconds": 86400, "step_up": False}, changes)


def over_json(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"amount_over": [{"currency": currency, "amount": amount}]}


def terms(**changes: Any) -> Terms:
    return read_terms(terms_json(**changes))


def mandate(number: int = 1, form: dict[str, Any] | None = None, **changes: Any) -> Mandate:
    """Mandate `number`, in force, over these terms; it lies below none unless `parent_id` says so."""
    facts: dict[str, Any] = {
        "version": 1,
        "name": f"no. {number}",
        "agent_id": None,
        "team": None,
        "parent_id": None,
        "status": "active",
        "not_before": None,
        "expires_at": None,
        "granted_by": UUID(int=0x0FF1CE),
        "changed_at": NOW,
    }
    return Mandate(id=UUID(int=number), text=canonical(form or terms_json()), **_with(facts, changes))


def payee(**changes: Any) -> Payee:
    """A shop that has been known for a day."""
    return Payee(SHOP_ACCOUNT, "ACC7", SHOP, 1, "active", NOW - timedelta(days=1))._replace(**changes)


STRANGER = payee(account_id=UUID(int=0xBAD), number="ACC9", counterparty_id=None, status=None, known_since=None)


def payment(amount: str = "10.00", currency: str = "USD", **changes: Any) -> Payment:
    """What pays the shop by a transfer."""
    return Payment("create_transfer", "ACC1", payee(), read_amount(amount, currency))._replace(**changes)


def facts(*chain: Mandate, **changes: Any) -> Facts:
    """It is noon and nothing is used; one mandate limits nothing if none is named."""
    return Facts(
        **_with({"now": NOW, "used": {}, "duplicate_of": None, "risk": None}, changes), chain=chain or (mandate(),)
    )


class Asked(NamedTuple):
    """A payment and the facts about it."""

    facts: Facts
    payment: Payment


def ask(
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


# Half of the most may be paid alone, and nothing.
HALF: dict[str, Any] = {"per_transaction": [cap_json(auto_max="50.00")]}
NEVER_ALONE: dict[str, Any] = {"per_transaction": [cap_json(auto_max="0")]}
ANYBODY: dict[str, Any] = {"counterparties": counterparties_json(mode="any")}
GUARDED: dict[str, Any] = {"duplicate_window_seconds": 600}
VELOCITY_5: dict[str, Any] = {"velocity": {"max_count": 5, "seconds": 60}}
BEFORE = Earlier(EVENT, NOW)
RULE: dict[str, Any] = {"role": "finance", "quorum": 2, "ttl_seconds": 60, "step_up": True}


def rule_json(when: dict[str, Any], **form: Any) -> dict[str, Any]:
    return form | {"approvals": [approval_json(when, **RULE)]}
