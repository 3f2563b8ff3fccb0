"""What a score looks at, measured on a summary: pure and in whole numbers, so the same one gives the same values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from bursar.features.lending.summary import Summary
from bursar.kernel.money import MAX_MINOR

Feature: TypeAlias = Literal[
    "history_months",
    "income_minor",
    "income_variation_bps",
    "lowest_minor",
    "average_minor",
    "days_under_bps",
    "days_overdrawn_bps",
    "penalties",
    "debt_service_bps",
]

_WHOLE_BPS = 10_000
# Beyond a thousand times, how much more does not matter.
_MOST_BPS = 1_000 * _WHOLE_BPS
_LEAST_WHOLE_MONTHS = 2


@dataclass(frozen=True, slots=True)
class Features:
    """Values of one account; None is what its history does not tell. Shares are in basis points, rounded down.

    Income is a month's on average; its variation is how far whole months depart from their average, on average and as a
    share of it. Debt service is a share of income.
    """

    history_months: int
    income_minor: int | None = None
    income_variation_bps: int | None = None
    lowest_minor: int | None = None
    average_minor: int | None = None
    days_under_bps: int | None = None
    days_overdrawn_bps: int | None = None
    penalties: int | None = None
    debt_service_bps: int | None = None


def values_of(features: Features) -> Mapping[str, int | None]:
    """The values by the names of the features."""
    return asdict(features)


def measure(summary: Summary, installment_minor: int = 0) -> Features:
    """Measure a summary; a monthly installment that is asked for counts as debt service beside what is paid already."""
    months = summary.months
    days = sum(m.days for m in months)
    if not days:
        return Features(history_months=0)
    # A month is a twelfth of 365 days.
    monthly = Fraction(365, 12 * days)
    income = sum(m.income_minor for m in months) * monthly
    debt_service = sum(m.debt_service_minor for m in months) * monthly + installment_minor
    return Features(
        history_months=12 * days // 365,
        income_minor=min(int(income), MAX_MINOR),
        income_variation_bps=_variation_bps([m.income_minor for m in months if m.is_whole]),
        lowest_minor=min(m.lowest_minor for m in months),
        average_minor=sum(m.days * m.average_minor for m in months) // days,
        days_under_bps=_WHOLE_BPS * sum(m.days_under for m in months) // days,
        days_overdrawn_bps=_WHOLE_BPS * sum(m.days_overdrawn for m in months) // days,
        penalties=sum(m.penalties for m in months),
        debt_service_bps=min(int(_WHOLE_BPS * debt_service / income), _MOST_BPS) if income else None,
    )


def _variation_bps(incomes: list[int]) -> int | None:
    total, months = sum(incomes), len(incomes)
    if months < _LEAST_WHOLE_MONTHS or not total:
        return None
    return _WHOLE_BPS * sum(abs(months * income - total) for income in incomes) // (months * total)
