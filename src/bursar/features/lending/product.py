"""What is agreed: the terms of a loan product, and those of one loan under it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from bursar.features.lending.business_days import BusinessDay, holidays_of
from bursar.features.lending.day_count import DayCount
from bursar.features.lending.rounding import PPM, share
from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument

Method: TypeAlias = Literal["equal_installments", "equal_principal", "interest_only", "balloon"]
InterestOn: TypeAlias = Literal["declining", "flat"]
Unit: TypeAlias = Literal["week", "month"]
Part: TypeAlias = Literal["penalty", "fee", "interest", "principal"]

MAX_INSTALLMENTS = 1200
MAX_YEARS = 100
YEARS = range(1900, 2200)
# 1,000 % a year.
MAX_RATE_PPM = 10 * PPM


@dataclass(frozen=True, slots=True)
class Charge:
    """A sum in minor units, a share of what it is charged on in millionths, or both together."""

    minor: int = 0
    ppm: int = 0

    def on(self, minor: int) -> int:
        """What is charged on an amount."""
        return self.minor + share(minor, self.ppm)


NO_CHARGE = Charge()


@dataclass(frozen=True, slots=True)
class Penalties:
    """What an overdue installment costs once its days past due exceed the days of grace.

    The late fee is charged once, on what the installment still owes of principal and interest; `rate_ppm` a year is
    charged for each day after the grace on the principal that is overdue.
    """

    grace_days: int = 0
    late_fee: Charge = NO_CHARGE
    rate_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Provisions:
    """The share of the principal owed, in millionths, that is set aside for losses, by delinquency bucket."""

    current: int = 0
    days_1_30: int = 0
    days_31_60: int = 0
    days_61_90: int = 0
    days_over_90: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """The terms of a loan product. Amounts are minor units, rates and shares are millionths (of a year's interest).

    `principal_grace` installments pay no principal; interest of the first `interest_grace` is put off to the next one,
    and the first `interest_free` bear none. `calendar` is a country as `holidays` knows it, such as `US` or `DE-BY`.
    """

    currency: str
    amount: tuple[int, int]
    installments: tuple[int, int]
    rate_ppm: int
    method: Method = "equal_installments"
    interest_on: InterestOn = "declining"
    day_count: DayCount = "30/360"
    every: int = 1
    unit: Unit = "month"
    month_end: bool = False
    business_day: BusinessDay = "none"
    calendar: str | None = None
    principal_grace: int = 0
    interest_grace: int = 0
    interest_free: int = 0
    balloon_ppm: int = 0
    disbursement_fee: Charge = NO_CHARGE
    installment_fee: Charge = NO_CHARGE
    penalties: Penalties = Penalties()
    allocation: tuple[Part, ...] = ("penalty", "fee", "interest", "principal")
    provisions: Provisions = Provisions()

    def __post_init__(self) -> None:
        """Refuse terms that make no loan."""
        _range("amount", self.amount, MAX_MINOR)
        _range("installments", self.installments, MAX_INSTALLMENTS)
        _within("every", self.every - 1, 51)
        check_term(self, self.installments[1])
        check_rate("rate_ppm", self.rate_ppm)
        check_rate("penalties.rate_ppm", self.penalties.rate_ppm)
        _within("balloon_ppm", self.balloon_ppm, PPM - 1)
        _within("principal_grace", self.principal_grace, self.installments[0] - 1)
        _within("interest_grace", self.interest_grace, self.principal_grace)
        _within("interest_free", self.interest_free, self.installments[0])
        _within("penalties.grace_days", self.penalties.grace_days, 366)
        if (self.method == "balloon") != (self.balloon_ppm > 0):
            raise InvalidArgument("balloon_ppm", "is above 0 for a balloon, and only then")
        if sorted(self.allocation) != ["fee", "interest", "penalty", "principal"]:
            raise InvalidArgument("allocation", "names penalty, fee, interest and principal once each")
        if self.calendar is not None:
            holidays_of(self.calendar)
        for name, charge in self._charges():
            _within(f"{name}.minor", charge.minor, MAX_MINOR)
            _within(f"{name}.ppm", charge.ppm, PPM)

    def _charges(self) -> tuple[tuple[str, Charge], ...]:
        return (
            ("disbursement_fee", self.disbursement_fee),
            ("installment_fee", self.installment_fee),
            ("penalties.late_fee", self.penalties.late_fee),
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """One loan under a product: `principal` in minor units, paid out on `disbursed_on`.

    The first installment falls due on `first_due`, or else one period after the loan was paid out.
    """

    product: Product
    principal: int
    installments: int
    disbursed_on: date
    first_due: date | None = None

    def __post_init__(self) -> None:
        """Refuse what the product does not offer."""
        low, high = self.product.amount
        if not low <= self.principal <= high:
            raise InvalidArgument("principal", f"must be from {low} to {high} minor units for this product")
        low, high = self.product.installments
        if not low <= self.installments <= high:
            raise InvalidArgument("installments", f"must be from {low} to {high} for this product")
        check_days(self.disbursed_on, self.first_due)
        if self.product.disbursement_fee.on(self.principal) >= self.principal:
            raise InvalidArgument("disbursement_fee", "must be less than the principal")


def check_term(product: Product, installments: int) -> None:
    """Refuse more installments than a hundred years have, or none."""
    a_year = 52 if product.unit == "week" else 12
    if not 1 <= installments * product.every <= MAX_YEARS * a_year or installments > MAX_INSTALLMENTS:
        raise InvalidArgument("installments", f"must be from 1 to {MAX_INSTALLMENTS}, and within {MAX_YEARS} years")


def check_rate(argument: str, rate_ppm: int) -> None:
    """Refuse a rate that is no rate of a loan."""
    _within(argument, rate_ppm, MAX_RATE_PPM)


def check_days(start: date, first_due: date | None) -> None:
    """Refuse a schedule that begins in no year of ours, or whose first installment is due before it begins."""
    if start.year not in YEARS:
        raise InvalidArgument("disbursed_on", f"must be from {YEARS[0]} to {YEARS[-1]}")
    if first_due is not None and not (start < first_due and first_due.year in YEARS):
        raise InvalidArgument("first_due", f"must be after the schedule begins, and not after {YEARS[-1]}")


def _within(argument: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise InvalidArgument(argument, f"is out of its range by {-value if value < 0 else value - most}")


def _range(argument: str, pair: tuple[int, int], most: int) -> None:
    if not 1 <= pair[0] <= pair[1] <= most:
        raise InvalidArgument(argument, f"must be a lowest and a highest from 1 to {most}")
