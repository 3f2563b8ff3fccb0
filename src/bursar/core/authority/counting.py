"""What the mandates of a batch count by: their limits, and the pieces of time that each looks at now."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bursar.core.authority.facts import ANY_PAYEE, NOTHING_USED, VELOCITY, Limit, Meter, Used
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.periods import span_of, span_of_velocity
from bursar.core.authority.remaining import Counter, Left


class Counters:
    """The limits of some mandates at a moment."""

    def __init__(self, mandates: Iterable[Mandate], now: datetime) -> None:
        """Where each of their limits stands now."""
        self._of = {mandate.id: {counter.key: counter for counter in counters_of(mandate, now)} for mandate in mandates}
        # For all payees, and whether each of them is counted apart.
        self._limits: dict[UUID, list[tuple[Limit, bool]]] = {
            mandate_id: [((mandate_id, counter.key, ANY_PAYEE), counter.per_payee) for counter in counters.values()]
            for mandate_id, counters in self._of.items()
        }

    def limits_of(self, chain: Iterable[Mandate], payee_id: UUID | None) -> list[Limit]:
        """What counts for a payment: windows first and then velocity, mandate by mandate."""
        return [
            (limit[0], limit[1], payee_id) if per_payee and payee_id else limit
            for mandate in chain
            for limit, per_payee in self._limits[mandate.id]
        ]

    def since(self, limit: Limit) -> datetime:
        """The moment from which on its use still counts."""
        return self._of[limit[0]][limit[1]].span.since

    def meters(self, limits: Iterable[Limit]) -> list[Meter]:
        """The counters that count what happens now."""
        return [Meter(*limit, self._of[limit[0]][limit[1]].span.bucket) for limit in limits]

    def left(self, after: Mapping[Limit, Used]) -> list[Left]:
        """What limits come to with this used of them."""
        of = self._of
        return [(of[mandate_id][key], used) for (mandate_id, key, _), used in after.items()]

    def used(
        self, limits: Iterable[Limit], before: Mapping[Limit, Used], after: Mapping[Hashable, Any]
    ) -> dict[Meter, Used]:
        """What was used of the limits on top of what was used before, by their counters."""
        changed = [limit for limit in limits if limit in after]
        used: dict[Meter, Used] = {}
        for limit, meter in zip(changed, self.meters(changed), strict=True):
            now, was = after[limit], before.get(limit, NOTHING_USED)
            used[meter] = Used(now.amount_minor - was.amount_minor, now.uses - was.uses)
        return used


def counters_of(mandate: Mandate, now: datetime) -> Sequence[Counter]:
    """The limits of a mandate where they stand now: windows first and then velocity."""
    terms = mandate.terms
    found = [Counter(mandate, w.key, w.per_payee, w, span_of(w, now)) for w in terms.windows]
    if terms.velocity:
        found.append(Counter(mandate, VELOCITY, False, terms.velocity, span_of_velocity(terms.velocity, now)))
    return found
