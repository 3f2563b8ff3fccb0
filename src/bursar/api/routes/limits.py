"""What is left of limits as the wire shows it, before a payment and after one."""

from bursar.core.authority.mandate import Velocity
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
    limit, used = left.limit, left.used
    if isinstance(limit, Velocity):
        name, currency, most, per_payee = f"any {limit.seconds} seconds", None, None, False
    else:
        name, currency, most = f"{limit.kind} {limit.period}", limit.currency, limit.max_minor
        per_payee = limit.per_payee
    left_minor = max(0, most - used.amount_minor) if most is not None else None
    return {
        "mandate": show("mnd", left.mandate.id),
        "limit": name,
        "per_payee": per_payee,
        "currency": currency,
        "max_amount": show_minor(most, currency) if most is not None and currency else None,
        "left_amount": show_minor(left_minor, currency) if left_minor is not None and currency else None,
        "max_count": limit.max_count,
        "left_count": max(0, limit.max_count - used.uses) if limit.max_count is not None else None,
        "resets_at": show_time(left.resets_at) if left.resets_at else None,
    }
