"""How wide terms can be: the widest there are, and that a mandate gives no more than the one above it."""

from collections.abc import Mapping
from typing import Any

from bursar.core.authority.mandate import Cap, Terms
from bursar.kernel.refusal import InvalidArgument

# The widest terms there are: every action, any payee, and only the funds limit it.
WIDEST: dict[str, Any] = {
    "accounts": None,
    "actions": [
        "create_transfer", "create_transfers", "reverse_transfer", "create_hold", "capture_hold", "release_hold",
        "create_payment", "confirm_payment", "refund_payment", "create_payout",
        "decide_application", "accept_offer", "disburse_loan", "repay_loan", "create_reminder",
    ],
    "approvals": [],
    "counterparties": {"allow": [], "cool_off_seconds": 0, "mode": "any"},
    "duplicate_window_seconds": None,
    "hours": None,
    "per_transaction": None,
    "purpose": "Everything",
    "rails": ["book", "provider"],
    "velocity": None,
    "windows": [],
}  # fmt: skip


def refuse_wider(child: Terms, parent: Terms) -> None:
    """Refuse terms that give what the parent does not. Windows need no look: use counts on every mandate above."""
    for name, mine, theirs in (
        ("actions", child.actions, parent.actions),
        ("accounts", child.accounts, parent.accounts),
        ("rails", child.rails, parent.rails),
        ("per_transaction", _names(child.caps), _names(parent.caps)),
    ):
        if theirs is not None and (mine is None or not mine <= theirs):
            raise InvalidArgument(f"terms.{name}", "gives more than the parent mandate does")
    for currency, cap in (child.caps or {}).items():
        above = (parent.caps or {}).get(currency, cap)
        if cap.max_minor > above.max_minor or cap.auto_max_minor > above.auto_max_minor:
            raise InvalidArgument("terms.per_transaction", f"gives more {currency} than the parent mandate does")


def _names(caps: Mapping[str, Cap] | None) -> frozenset[str] | None:
    return None if caps is None else frozenset(caps)
