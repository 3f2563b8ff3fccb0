"""What is left of limits as the wire shows it, before a payment and after one."""

from bursar.core.authority.mandate import Velocity
from bursar.core.authority.remaining import Left, authorised_of
from bursar.core.ledger.outcomes import Done
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.wire import mandates as wire


def show_left(left: Left) -> wire.LimitLeft:
    """One limit."""
    limit, used = left.limit, left.used
    if isinstance(limit, Velocity):
        name, currency, most, per_payee = f"any {limit.seconds} seconds", None, None, False
    else:
        name, currency, most = f"{limit.kind} {limit.period}", limit.currency, limit.max_minor
        per_payee = limit.per_payee
    return wire.LimitLeft(
        mandate=show("mnd", left.mandate.id),
        limit=name,
        per_payee=per_payee,
        currency=currency,
        max_amount=show_minor(most, currency) if most is not None and currency else None,
        left_amount=show_minor(max(0, most - used.amount_minor), currency) if most is not None and currency else None,
        max_count=limit.max_count,
        left_count=max(0, limit.max_count - used.uses) if limit.max_count is not None else None,
        resets_at=left.resets_at,
    )


def show_authorised(done: Done) -> wire.Authorised | None:
    """What let an agent's order go; null for whom no mandate limits."""
    authorised = authorised_of(done)
    if authorised is None:
        return None
    return wire.Authorised(
        decision_id=show("evt", authorised.decision_id),
        mandate=show("mnd", authorised.mandate.id),
        mandate_version=authorised.mandate.version,
        limits=[show_left(left) for left in authorised.left],
    )
