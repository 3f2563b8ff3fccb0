"""Products: what loans there are, as versioned data. An application goes by the version that it was made for."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from bursar.kernel.canonical import canonical
from bursar.kernel.money import exponent_of, read_amount
from bursar.kernel.refusal import InvalidArgument

# The product of those who name none: it comes with Bursar and is kept when it is first used.
QUICK = "quickstart"
QUICK_TERMS = canonical(
    {
        "account": "lending:USD", "application_days": 30, "consents": [], "currency": "USD", "day_count": "30/360",
        "every": 1, "interest_on": "declining", "max_amount": "1000000.00", "max_installments": 360,
        "method": "equal_installments", "min_amount": "0.01", "min_installments": 1, "offer_days": 14, "rate_ppm": 0,
        "unit": "month",
        "policy": {"max_debt_service_percent": None, "min_points": None, "review_below_points": None},
    }
)  # fmt: skip
QUICK_INSTALLMENTS = 12


class Product(NamedTuple):
    """One version of a product; `terms` is canonical JSON, whose shape the door has checked."""

    code: str
    version: int
    terms: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """The terms, read."""
        return _read(self.terms)

    @property
    def account(self) -> str:
        """The number of the account that its loans are paid from."""
        return self.facts["account"]

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.facts["currency"]

    @property
    def min_minor(self) -> int:
        """The smallest loan."""
        return read_amount(self.facts["min_amount"], self.currency, "min_amount").minor

    @property
    def max_minor(self) -> int:
        """The largest loan."""
        return read_amount(self.facts["max_amount"], self.currency, "max_amount").minor

    @property
    def min_installments(self) -> int:
        """The fewest installments."""
        return self.facts["min_installments"]

    @property
    def max_installments(self) -> int:
        """The most installments."""
        return self.facts["max_installments"]

    @property
    def consents(self) -> list[str]:
        """What applicants must have consented to."""
        return self.facts["consents"]

    @property
    def application_days(self) -> int:
        """How long an application is good for."""
        return self.facts["application_days"]

    @property
    def offer_days(self) -> int:
        """How long an offer is good for."""
        return self.facts["offer_days"]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the terms."""
        return sha256(self.terms.encode()).digest()


@lru_cache(maxsize=256)
def _read(terms: str) -> Mapping[str, Any]:
    return orjson.loads(terms)


def refuse_terms(product: Product) -> None:
    """Refuse what makes no sense."""
    exponent_of(product.currency)
    if product.min_minor > product.max_minor:
        raise InvalidArgument("max_amount", "is below min_amount")
    if product.min_installments > product.max_installments:
        raise InvalidArgument("max_installments", "is below min_installments")
    policy = product.facts["policy"]
    low, high = policy["min_points"], policy["review_below_points"]
    if high is not None and low is not None and high < low:
        raise InvalidArgument("policy.review_below_points", "is below min_points")


class Version(NamedTuple):
    """A product as it is kept, with whose it is."""

    product: Product
    made_by: UUID
    made_at: Any
