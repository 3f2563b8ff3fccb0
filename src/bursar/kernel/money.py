"""Money is an integer of minor units and a currency, read from and shown as exact decimal text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from iso4217 import Currency

from bursar.kernel.refusal import InvalidArgument

# One order moves at most this; balances of 9,000 such orders still fit a BIGINT.
MAX_MINOR = 10**15

# Exponents come from the official ISO 4217 table; units without one (gold, test codes) are not money here.
EXPONENTS: dict[str, int] = {c.code: int(c.exponent) for c in Currency if c.exponent is not None}

# Minor units of one major unit, by the exponent.
_UNITS = [10**exponent for exponent in range(max(EXPONENTS.values()) + 1)]
# How they are written, by the exponent.
_SHOWN = [f"%d.%0{exponent}d" for exponent in range(len(_UNITS))]

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `minor` units (cents for USD) of an ISO 4217 `currency`."""

    minor: int
    currency: str

    def __str__(self) -> str:
        """Decimal text in major units: `125.50`."""
        return show_minor(self.minor, self.currency)


def exponent_of(currency: str, argument: str = "currency") -> int:
    """How many decimals the currency has; refuses a code that ISO 4217 does not list."""
    exponent = EXPONENTS.get(currency)
    if exponent is None:
        raise InvalidArgument(argument, "not an ISO 4217 currency code")
    return exponent


def show_minor(minor: int, currency: str) -> str:
    """Minor units as decimal text in major units: (12550, USD) -> `125.50`."""
    exponent = EXPONENTS[currency]
    if not exponent:
        return str(minor)
    shown = _SHOWN[exponent] % divmod(abs(minor), _UNITS[exponent])
    return f"-{shown}" if minor < 0 else shown


def read_amount(amount: str, currency: str, argument: str = "amount") -> Money:
    """Read a positive amount exactly; refuses more decimals than the currency has, signs, exponents and blanks."""
    exponent = exponent_of(currency)
    match = _AMOUNT.fullmatch(amount)
    if not match:
        raise InvalidArgument(argument, "must be a plain decimal number such as 125.50, of at most 15 digits")
    decimals = match[2] or ""
    if len(decimals) > exponent:
        raise InvalidArgument(argument, f"{currency} has {exponent} decimals")
    minor = int(match[1] + decimals.ljust(exponent, "0"))
    if not 0 < minor <= MAX_MINOR:
        raise InvalidArgument(argument, f"must be above 0 and at most {show_minor(MAX_MINOR, currency)}")
    return Money(minor, currency)


def plain(number: int | Decimal, argument: str = "amount") -> str:
    """A JSON number as the text it stands for, without trailing zeros; a huge exponent is never expanded."""
    decimal = Decimal(number)
    if not decimal.is_finite() or abs(decimal.adjusted()) > 20 or len(decimal.as_tuple().digits) > 40:
        raise InvalidArgument(argument, "must be a plain decimal number such as 125.50, of at most 15 digits")
    text = f"{decimal:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def refuse_not_positive(text: str, argument: str = "amount") -> None:
    """Refuse text that is no amount in any currency, before its currency is known."""
    match = _AMOUNT.fullmatch(text)
    if not match or not int(match[1] + (match[2] or "")):
        raise InvalidArgument(argument, "must be a plain decimal number above 0, such as 125.50")


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Shares of an amount of minor units in proportion to positive weights, which sum to it exactly.

    By the largest remainder (Hamilton's method): what rounding down leaves goes, one unit each, to the shares that lost
    most by it; of equal ones to those that come first.
    """
    total = sum(weights)
    shares = [minor * weight // total for weight in weights]
    lost = sorted(range(len(weights)), key=lambda n: (-(minor * weights[n] % total), n))
    for n in lost[: minor - sum(shares)]:
        shares[n] += 1
    return shares
