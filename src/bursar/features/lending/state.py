"""What a loan has come to at the opening of a day, or after what happened on it."""

from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from bursar.features.lending.day_count import DayCount, units
from bursar.features.lending.postings import Flows
from bursar.features.lending.schedule import Installment

Status: TypeAlias = Literal["pending", "active", "settled", "charged_off", "written_off"]


class Parts(NamedTuple):
    """Minor units of each part; named as an order of allocation names them."""

    penalty: int = 0
    fee: int = 0
    interest: int = 0
    principal: int = 0


class Due(NamedTuple):
    """What fell due on a day and what of it is unpaid.

    Days past due are counted from `clock`: the due date, moved on by the days the loan was paused. `is_late` once its
    late fee was charged; `carry` is what has been earned of a minor unit of penalty, in parts of the year's.
    """

    due: date
    owed: Parts
    unpaid: Parts
    clock: date
    is_late: bool = False
    carry: int = 0


class LoanState(NamedTuple):
    """A loan: `plan` is not due yet, `open` is due and unpaid, oldest first, `closed` is due and paid.

    `base` is what had accrued when the period of the plan's first installment began, `pending` what of that is not
    due yet.
    """

    status: Status
    day: date
    rate_ppm: int
    plan: tuple[Installment, ...] = ()
    open: tuple[Due, ...] = ()
    closed: tuple[Due, ...] = ()
    base: int = 0
    pending: int = 0
    paused_since: date | None = None
    flows: Flows = Flows()

    @property
    def not_yet_due(self) -> int:
        """Interest that has accrued and is not due yet."""
        return self.pending + self.flows.accrued - self.base

    @property
    def overdue(self) -> int:
        """All that is due and unpaid."""
        return sum(sum(row.unpaid) for row in self.open)

    @property
    def payoff(self) -> int:
        """What settles the loan on this day, after the credit it has."""
        ahead = sum(row.principal for row in self.plan)
        return self.overdue + ahead + self.not_yet_due - self.flows.credit


def accrued(state: LoanState, day_count: DayCount, day: date) -> int:
    """All interest earned up to a day of the present period: the days' shares of a period sum to its whole interest."""
    if not state.plan:
        return state.base
    row = state.plan[0]
    if day >= row.due:
        return state.base + row.earned
    whole = units(day_count, row.start, row.due)
    return state.base + (row.earned * units(day_count, row.start, day) // whole if whole else 0)
