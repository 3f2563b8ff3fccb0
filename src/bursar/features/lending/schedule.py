"""The schedule of a loan: what each installment pays, in minor units that sum to the principal exactly.

Interest of a period is the balance times rate times the part of a year, to the nearest minor unit, a half up.
Installments are equal and the last takes what rounding left. Where that would be more than one minor unit for each
installment (a tiny loan, or a huge rate over a long term), each installment is levelled anew on what is still owed,
and they differ by little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from bursar.features.lending.calendar import due_dates, periods
from bursar.features.lending.day_count import BASIS, DayCount, units
from bursar.features.lending.product import NO_CHARGE, Charge, InterestOn, Method, Terms
from bursar.features.lending.rounding import PPM, nearest, share

# Discount factors are whole numbers of this.
ONE = 1 << 128


class Installment(NamedTuple):
    """What falls due on a day, in minor units; `earned` is the interest of the days from `start` to `due`."""

    number: int
    start: date
    due: date
    principal: int
    interest: int
    fee: int
    earned: int

    @property
    def total(self) -> int:
        """All that falls due."""
        return self.principal + self.interest + self.fee


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be paid off, and how. `carried` is interest from before `start` that is due with the next interest.

    With `payment` nothing is levelled: each installment pays so much (of principal only, for equal principal) until
    nothing is left.
    """

    principal: int
    start: date
    dues: Sequence[date]
    rate_ppm: int
    method: Method
    interest_on: InterestOn
    day_count: DayCount
    balloon: int = 0
    principal_grace: int = 0
    interest_grace: int = 0
    interest_free: int = 0
    carried: int = 0
    fee: Charge = NO_CHARGE
    first_number: int = 1
    payment: int | None = None


# From the number of an installment in its plan, the balance and the interest carried, what it pays.
_Pays = Callable[[int, int, int], int]


def schedule_of(terms: Terms) -> tuple[Installment, ...]:
    """The schedule of a loan when it is paid out."""
    product = terms.product
    return amortize(
        Plan(
            principal=terms.principal,
            start=terms.disbursed_on,
            dues=due_dates(product, terms.disbursed_on, terms.first_due, terms.installments),
            rate_ppm=product.rate_ppm,
            method=product.method,
            interest_on=product.interest_on,
            day_count=product.day_count,
            balloon=share(terms.principal, product.balloon_ppm),
            principal_grace=product.principal_grace,
            interest_grace=product.interest_grace,
            interest_free=product.interest_free,
            fee=product.installment_fee,
        )
    )


def amortize(plan: Plan) -> tuple[Installment, ...]:
    """Installments that pay the principal off exactly, no part of them negative; none after nothing is left."""
    growth = _growth(plan)
    if plan.method == "interest_only":
        return _laid_out(plan, growth, _always(0))
    if plan.payment is not None:
        return _laid_out(plan, growth, _always(plan.payment))
    level = _levelled(plan, growth)
    first = min(plan.principal_grace, len(plan.dues) - 1)
    carried = plan.carried + sum(nearest(plan.principal * g, _year(plan)) for g in growth[: plan.interest_grace])
    fixed = level(first, plan.principal, carried if first == plan.interest_grace else 0)
    even = _laid_out(plan, growth, _always(fixed))
    return even if _is_even(plan, even, fixed) else _laid_out(plan, growth, level)


def _always(minor: int) -> _Pays:
    return lambda _n, _balance, _carried: minor


def _growth(plan: Plan) -> list[int]:
    """The interest of each period on a minor unit, as parts of `_year`."""
    spans = periods(plan.start, plan.dues)
    rates = [plan.rate_ppm * units(plan.day_count, start, end) for start, end in spans]
    return [0] * min(plan.interest_free, len(rates)) + rates[plan.interest_free :]


def _year(plan: Plan) -> int:
    return PPM * BASIS[plan.day_count]


def _laid_out(plan: Plan, growth: Sequence[int], pays: _Pays) -> tuple[Installment, ...]:
    """The installments, given what each of them pays; the last pays whatever is left."""
    year, last = _year(plan), len(plan.dues) - 1
    balance, carried = plan.principal, plan.carried
    rows: list[Installment] = []
    for n, (start, due) in enumerate(periods(plan.start, plan.dues)):
        base = plan.principal if plan.interest_on == "flat" else balance
        earned = nearest(base * growth[n], year) if balance else 0
        interest = carried + earned if n >= plan.interest_grace or n == last else 0
        principal = _principal(plan, n, balance, interest, pays(n, balance, carried)) if n < last else balance
        fee = plan.fee.on(principal + interest)
        rows.append(Installment(plan.first_number + n, start, due, principal, interest, fee, earned))
        balance, carried = balance - principal, carried + earned - interest
        if not balance and not carried:
            break
    return tuple(rows)


def _principal(plan: Plan, n: int, balance: int, interest: int, pays: int) -> int:
    if n < plan.principal_grace:
        return 0
    least = 0 if plan.method in {"equal_principal", "interest_only"} else interest
    return min(max(pays - least, 0), balance)


def _levelled(plan: Plan, growth: Sequence[int]) -> _Pays:
    """What an installment pays when it and all after it pay the same."""
    count = len(plan.dues)
    if plan.method == "equal_principal":
        return lambda n, balance, _: nearest(balance, count - n)
    if plan.interest_on == "flat":
        year = _year(plan)
        ahead = [0]
        for growing in reversed(growth):
            ahead.append(ahead[-1] + nearest(plan.principal * growing, year))
        return lambda n, balance, carried: nearest(
            max(balance + carried + ahead[count - n] - plan.balloon, 0), count - n
        )
    return _annuity(plan, growth)


def _annuity(plan: Plan, growth: Sequence[int]) -> _Pays:
    year = _year(plan)
    # The worth, at the start of a period, of one unit at each due date from then on, and of one at the last.
    each, at_last = [0], [ONE]
    for growing in reversed(growth):
        each.append((ONE + each[-1]) * year // (year + growing))
        at_last.append(at_last[-1] * year // (year + growing))
    each.reverse()
    at_last.reverse()

    def pays(n: int, balance: int, carried: int) -> int:
        worth = balance * ONE + carried * ONE * year // (year + growth[n]) - plan.balloon * at_last[n]
        return nearest(max(worth, 0), each[n])

    return pays


def _is_even(plan: Plan, rows: Sequence[Installment], fixed: int) -> bool:
    """Whether the last installment is near enough to the others."""
    if len(rows) < len(plan.dues):
        return False
    *_, last = rows
    whole = last.principal if plan.method == "equal_principal" else last.principal + last.interest
    return abs(whole - plan.balloon - fixed) <= min(len(rows), fixed)
