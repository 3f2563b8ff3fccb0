"""Which of what is due a repayment pays: the oldest installment first, and of it the parts in the product's order."""

from collections.abc import Sequence

from bursar.features.lending.product import Part
from bursar.features.lending.state import Due, Parts


def allocate(rows: Sequence[Due], minor: int, order: Sequence[Part]) -> tuple[tuple[Due, ...], Parts]:
    """The rows after so much of them is paid, and what was paid of each part; never more than is unpaid."""
    left = minor
    after: list[Due] = []
    paid = dict.fromkeys(Parts._fields, 0)
    for row in rows:
        unpaid = row.unpaid
        for part in order if left else ():
            taken = min(left, getattr(unpaid, part))
            unpaid = unpaid._replace(**{part: getattr(unpaid, part) - taken})
            paid[part] += taken
            left -= taken
        after.append(row._replace(unpaid=unpaid))
    return tuple(after), Parts(**paid)
