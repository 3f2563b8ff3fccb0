"""How late a loan is: days past due and its bucket, with the days it was paused left out."""

from datetime import date
from typing import Literal, TypeAlias

from bursar.features.lending.product import Product
from bursar.features.lending.rounding import share
from bursar.features.lending.state import LoanState

Bucket: TypeAlias = Literal["current", "1-30", "31-60", "61-90", "90+"]
BUCKETS: tuple[tuple[int, Bucket], ...] = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"))


def days_past_due(state: LoanState) -> int:
    """Of what is unpaid, how many days the oldest has been due; 0 when nothing is."""
    if not state.open:
        return 0
    end = state.paused_since or state.day
    return max(0, (end - min(row.clock for row in state.open)).days)


def bucket_of(days: int) -> Bucket:
    """The delinquency bucket of so many days past due."""
    for most, bucket in BUCKETS:
        if days <= most:
            return bucket
    return "90+"


def allowance_of(product: Product, state: LoanState) -> int:
    """What is to be set aside for losses on the loan."""
    rates = product.provisions
    by_bucket: dict[Bucket, int] = {
        "current": rates.current,
        "1-30": rates.days_1_30,
        "31-60": rates.days_31_60,
        "61-90": rates.days_61_90,
        "90+": rates.days_over_90,
    }
    return share(state.flows.principal, by_bucket[bucket_of(days_past_due(state))])


def resumed(clock: date, since: date, until: date) -> date:
    """From when days past due are counted after a pause from `since` to `until`."""
    return clock + (until - max(since, clock)) if clock < until else clock
