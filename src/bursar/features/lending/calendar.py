"""On which days installments fall due: every n weeks or months, at the end of months, and off holidays."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from bursar.features.lending.business_days import business_day
from bursar.features.lending.product import Product


def due_dates(product: Product, start: date, first_due: date | None, count: int) -> tuple[date, ...]:
    """The due dates of `count` installments, none before the one ahead of it or before `start`.

    They are counted from `first_due` if it is given, else from `start`, so that a loan of the 31st comes back to the
    31st after a short month. Only then is each moved off a weekend or holiday as the product says.
    """
    anchor, skipped = (first_due, 0) if first_due else (start, 1)
    days: list[date] = []
    for number in range(skipped, count + skipped):
        day = business_day(step(product, anchor, number), product.business_day, product.calendar)
        days.append(max(day, days[-1] if days else start))
    return tuple(days)


def step(product: Product, anchor: date, number: int) -> date:
    """The day that is `number` periods of the product after the anchor."""
    if product.unit == "week":
        return anchor + timedelta(weeks=number * product.every)
    return add_months(anchor, number * product.every, month_end=product.month_end)


def add_months(day: date, months: int, *, month_end: bool = False) -> date:
    """The same day of a later month, or its last one; with `month_end` the last day of a month stays the last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    ends = month_end and day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if ends else min(day.day, last))


def periods(start: date, dues: Sequence[date]) -> list[tuple[date, date]]:
    """From when to when each installment's interest runs."""
    return list(zip([start, *dues[:-1]], dues, strict=True))
