"""What an offer says: the schedule of a loan under a product of the catalogue, and what it costs a year."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from bursar.features.lending import catalog
from bursar.features.lending.apr import apr_eu, flows_of
from bursar.features.lending.product import Product, Terms
from bursar.features.lending.schedule import Installment, schedule_of


class Quote(NamedTuple):
    """A schedule, and what the loan costs a year with all that is paid, in millionths."""

    installments: Sequence[Installment]
    apr_ppm: int


def quote(product: catalog.Product, principal_minor: int, installments: int, from_day: date) -> Quote:
    """The schedule of so many minor units in so many installments, paid out on a day; refuses what is not offered."""
    terms = Terms(terms_of(product), principal_minor, installments, from_day)
    schedule = schedule_of(terms)
    return Quote(schedule, apr_eu(*flows_of(terms, schedule)))


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
    )
