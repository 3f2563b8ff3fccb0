"""What is known before a payment, worked out in memory: what a query over stored decisions has to agree with."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from bursar.features.risk.model import (
    HABIT_DAYS,
    MOST_COUNTED,
    MOST_HABITS,
    MOST_LOOKED_AT,
    Decided,
    History,
    Payment,
)

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def look_back(
    decided: Sequence[Decided],
    source_last_at: datetime | None,
    payment: Payment,
    near_minor: tuple[int, int] | None,
) -> History:
    """The history of a payment.

    `decided` is what was decided of the agent before it, oldest first; `near_minor` are the least and the most amount
    just under the threshold. Windows begin after their first moment: a payment exactly an hour old is out of the last
    hour.
    """
    let_through = [d.payment for d in decided if d.let_through]
    habits = [p for p in let_through if p.at > payment.at - HABIT_DAYS * _DAY][-MOST_HABITS:]
    last_hour = [d for d in decided if d.payment.at > payment.at - _HOUR][-MOST_LOOKED_AT:]
    near = [d for d in decided if d.asked and near_minor and _is_near(d.payment, payment, near_minor)]
    by_clock = Counter(p.at.replace(minute=0, second=0, microsecond=0) for p in habits)
    by_hour = Counter(p.at.hour for p in habits)
    amounts = sorted(p.amount_minor for p in habits if p.currency == payment.currency)
    return History(
        payments=len(habits),
        busiest_hour=max(by_clock.values(), default=0),
        hours=tuple(by_hour[hour] for hour in range(24)),
        payments_in_currency=len(amounts),
        usual_most_minor=_at_most_19_of_20(amounts),
        last_hour=min(sum(d.asked for d in last_hour), MOST_COUNTED),
        near_threshold=min(len(near), MOST_COUNTED),
        payee_since=min((p.at for p in let_through if payment.target_id == p.target_id is not None), default=None),
        source_last_at=source_last_at,
        habits_since=min((p.at for p in habits), default=None),
    )


def _at_most_19_of_20(amounts: Sequence[int]) -> int:
    """The 95th percentile as PostgreSQL's `percentile_disc(0.95)` has it: always one of the (sorted) amounts."""
    return amounts[-(-len(amounts) * 19 // 20) - 1] if amounts else 0


def _is_near(earlier: Payment, payment: Payment, near_minor: tuple[int, int]) -> bool:
    least, most = near_minor
    recent = earlier.at > payment.at - _DAY
    return recent and earlier.currency == payment.currency and least <= earlier.amount_minor <= most
