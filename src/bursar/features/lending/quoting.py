"""What an offer says: the schedule of a loan under a product of the catalogue, and what it costs a year."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from bursar.features.lending import catalog
from bursar.features.lending.apr import apr_eu, flows_of
from bursar.features.lending.product import Charge, Penalties, Product, Provisions, Terms
from bursar.features.lending.schedule import Installment, schedule_of
from bursar.kernel.money import read_amount


class Quote(NamedTuple):
    """A schedule, the fee that is kept of what is paid out, and what all that costs a year, in millionths."""

    installments: Sequence[Installment]
    fee_minor: int
    apr_ppm: int


def quote(product: catalog.Product, principal_minor: int, installments: int, from_day: date) -> Quote:
    """The schedule of so many minor units in so many installments, paid out on a day; refuses what is not offered."""
    terms = Terms(terms_of(product), principal_minor, installments, from_day)
    schedule = schedule_of(terms)
    return Quote(schedule, terms.product.disbursement_fee.on(principal_minor), apr_eu(*flows_of(terms, schedule)))


@lru_cache(maxsize=256)
def terms_of(product: catalog.Product) -> Product:
    """The terms of a version of a product, as schedules are made from them; refuses terms that make no loan."""
    facts = product.facts
    return Product(
        currency=product.currency,
        amount=(product.min_minor, product.max_minor),
        installments=(product.min_installments, product.max_installments),
        rate_ppm=facts["rate_ppm"],
        method=facts["method"],
        interest_on=facts["interest_on"],
        day_count=facts["day_count"],
        every=facts["every"],
        unit=facts["unit"],
        balloon_ppm=facts.get("balloon_ppm", 0),
        **_more(facts, product.currency),
    )


def _more(facts: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """What the product that comes with Bursar does not name."""
    if "charges" not in facts:
        return {}
    charges = facts["charges"]
    late_fee = _charge(charges["late_fee"], currency)
    return {
        **facts["rhythm"],
        "disbursement_fee": _charge(charges["disbursement_fee"], currency),
        "installment_fee": _charge(charges["installment_fee"], currency),
        "penalties": Penalties(charges["grace_days"], late_fee, charges["penalty_rate_ppm"]),
        "allocation": tuple(facts["allocation"]),
        "provisions": Provisions(**facts["provisions"]),
    }


def _charge(facts: Mapping[str, Any], currency: str) -> Charge:
    fixed = facts["fixed"]
    return Charge(read_amount(fixed, currency, "charges").minor if fixed.strip("0.") else 0, facts["ppm"])
