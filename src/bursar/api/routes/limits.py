"""What is left of limits as the wire shows it, before a payment and after one."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from bursar.core.authority.mandate import Velocity, Window
from bursar.core.authority.remaining import Left, authorised_of
from bursar.core.ledger.outcomes import Done
from bursar.kernel.canonical import Json
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.wire import mandates as wire
from bursar.wire.fields import show_time


def show_left(left: Left) -> wire.LimitLeft:
    """One limit."""
    return wire.LimitLeft.model_validate(_facts_of(left))


def authority_facts_of(done: Done) -> dict[str, Json] | None:
    """What let an agent's order go, as JSON of the shape of `wire.Authorised`; None for whom no mandate limits."""
    authorised = authorised_of(done)
    if authorised is None:
        return None
    return {
        "decision_id": show("evt", authorised.decision_id),
        "mandate": show("mnd", authorised.mandate.id),
        "mandate_version": authorised.mandate.version,
        "limits": [_facts_of(left) for left in authorised.left],
    }


def _facts_of(left: Left) -> dict[str, Json]:
    (mandate, _, _, limit, span), (amount_minor, uses) = left
    facts = _said_of(mandate.id, limit, span.resets_at).copy()
    if limit.max_count is not None:
        facts["left_count"] = max(0, limit.max_count - uses)
    if isinstance(limit, Window) and limit.max_minor is not None and limit.currency:
        facts["left_amount"] = show_minor(max(0, limit.max_minor - amount_minor), limit.currency)
    return facts


@lru_cache(maxsize=1024)
def _said_of(mandate_id: UUID, limit: Window | Velocity, resets_at: datetime | None) -> dict[str, Json]:
    """What is the same for every payment of a while; what is left comes in its place."""
    if isinstance(limit, Velocity):
        name, currency, most, per_payee = f"any {limit.seconds} seconds", None, None, False
    else:
        name, currency, most = f"{limit.kind} {limit.period}", limit.currency, limit.max_minor
        per_payee = limit.per_payee
    return {
        "mandate": show("mnd", mandate_id),
        "limit": name,
        "per_payee": per_payee,
        "currency": currency,
        "max_amount": show_minor(most, currency) if most is not None and currency else None,
        "left_amount": None,
        "max_count": limit.max_count,
        "left_count": None,
        "resets_at": show_time(resets_at) if resets_at else None,
    }
