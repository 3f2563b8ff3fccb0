"""The annual percentage rate of a loan, by the European and by the US rule, found without floats.

Both equate what is lent and what is paid, each discounted to the start. The European rule (Directive 2008/48/EC,
Annex I) compounds over the year; the US rule (Regulation Z, Appendix J) multiplies the rate of a period by the
periods of a year and counts the odd days before the first period as simple interest. For the same loan the European
figure is the higher one.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, localcontext

from bursar.features.lending.calendar import add_months
from bursar.features.lending.product import Terms, Unit
from bursar.features.lending.rounding import PPM
from bursar.features.lending.schedule import Installment
from bursar.kernel.refusal import InvalidArgument

# A day, and minor units that change hands on it.
Flow = tuple[date, int]

DIGITS = 40
# Halvings of an interval: what is left of it is far below a millionth, even as a day's part of a rate.
HALVINGS = 80


def flows_of(terms: Terms, schedule: Sequence[Installment]) -> tuple[Flow, list[Flow]]:
    """What the borrower gets, less what is kept of it as a fee, and what they pay."""
    fee = terms.product.disbursement_fee.on(terms.principal)
    return (terms.disbursed_on, terms.principal - fee), [(row.due, row.total) for row in schedule]


def apr_eu(lent: Flow, paid: Sequence[Flow]) -> int:
    """The European rate in millionths, to the nearest.

    Time is counted in twelfths of a year if all payments are whole months after the start, in weeks (52 a year) if
    all are whole weeks after it, else in days (365 a year).
    """
    times, a_year = _times(lent[0], [day for day, _ in paid])
    with localcontext(prec=DIGITS):
        factor = _root(
            _checked(lent, paid), lambda v: _worth([(t, p) for t, (_, p) in zip(times, paid, strict=True)], v)
        )
        return _ppm(factor**-a_year - 1)


def _times(start: date, days: Sequence[date]) -> tuple[list[int], int]:
    months = [12 * (day.year - start.year) + day.month - start.month for day in days]
    if all(add_months(start, n) == day for n, day in zip(months, days, strict=True)):
        return months, 12
    lengths = [(day - start).days for day in days]
    if all(length % 7 == 0 for length in lengths):
        return [length // 7 for length in lengths], 52
    return lengths, 365


def _worth(paid: Sequence[tuple[int, int]], factor: Decimal) -> Decimal:
    """What payments are worth at the start; `factor` is what a unit after one period is worth there."""
    worth, power, at = Decimal(0), Decimal(1), 0
    for time, minor in sorted(paid):
        power *= factor ** (time - at)
        worth, at = worth + power * minor, time
    return worth


def apr_us(lent: Flow, paid: Sequence[Flow], every: int, unit: Unit) -> int:
    """The US actuarial rate in millionths, to the nearest, of payments every so many weeks or months.

    One payment alone is a period of its own, of whole months if it is so long, else of days (365 a year); after more
    than a year it is one of periods of a year.
    """
    sum_lent = _checked(lent, paid)
    if len(paid) == 1 and (paid[0][0] - lent[0]).days < 365:
        months = _whole_months(lent[0], paid[0][0])
        a_year = Decimal(12) / months if months else Decimal(365) / (paid[0][0] - lent[0]).days
        return _ppm((Decimal(paid[0][1]) / lent[1] - 1) * a_year)
    if len(paid) == 1:
        every, unit = 12, "month"
    terms = [(*_periods(lent[0], day, every, unit), minor) for day, minor in paid]

    def worth(factor: Decimal) -> Decimal:
        rate = 1 / factor - 1
        return sum((minor * factor**whole / (1 + rate * odd) for whole, odd, minor in terms), Decimal(0))

    with localcontext(prec=DIGITS):
        return _ppm((1 / _root(sum_lent, worth) - 1) * (12 if unit == "month" else 52) / every)


def _whole_months(start: date, day: date) -> int:
    months = 12 * (day.year - start.year) + day.month - start.month
    return months if add_months(start, months) == day else 0


def _periods(start: date, day: date, every: int, unit: Unit) -> tuple[int, Decimal]:
    """Whole periods counted back from a payment, and what part of one is left at the start.

    A month that is left has 30 days, but for periods of a year, of which days are left as parts of 365.
    """
    if unit == "week":
        whole, days = divmod((day - start).days, 7 * every)
        return whole, Decimal(days) / (7 * every)
    months = _months_back(start, day)
    whole, odd = divmod(months, every)
    days = (add_months(day, -months) - start).days
    if every == 12 and days:
        return whole, Decimal((add_months(day, -12 * whole) - start).days) / 365
    return whole, Decimal(30 * odd + days) / (30 * every)


def _months_back(start: date, day: date) -> int:
    """As many months as lie between the two days, counted back from the later one."""
    months = 12 * (day.year - start.year) + day.month - start.month
    return months if add_months(day, -months) >= start else months - 1


def _checked(lent: Flow, paid: Sequence[Flow]) -> int:
    if not paid or min(day for day, _ in paid) <= lent[0]:
        raise InvalidArgument("paid", "must begin after the loan is paid out")
    if not 0 < lent[1] <= sum(minor for _, minor in paid):
        raise InvalidArgument("lent", "must be above 0 and at most what is paid")
    return lent[1]


def _root(lent: int, worth: Callable[[Decimal], Decimal]) -> Decimal:
    """The factor from 0 to 1 at which what is paid is worth what is lent; the worth grows with the factor."""
    low, high = Decimal(0), Decimal(1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if worth(middle) < lent else (low, middle)
    return high


def _ppm(rate: Decimal) -> int:
    return int((rate * PPM).to_integral_value())
