"""Which few of several items add up to another: a search with a bound, that takes an answer only if it is the one."""

from collections.abc import Sequence

from bursar.features.reconciliation.items import Item

# Whatever the input, one search looks at no more sums than this; what it has not found by then is no match.
MOST_STEPS = 20_000


def only_combination(
    candidates: Sequence[Item], wanted_minor: int, tolerance_minor: int, most_items: int
) -> tuple[Item, ...] | None:
    """Two to `most_items` candidates whose sum is within the tolerance of what is wanted.

    None when there are none, when there are several such combinations (who could say which?), or when the bound is
    reached. All candidates have the sign of what is wanted.
    """
    search = Search(sorted(candidates, key=lambda c: (-abs(c.change_minor), c.day, c.id)), tolerance_minor, most_items)
    search.go(0, abs(wanted_minor), ())
    return search.found[0] if len(search.found) == 1 and search.steps <= MOST_STEPS else None


class Search:
    """Depth first over candidates from the largest down; a branch that cannot reach the sum any more is left."""

    def __init__(self, candidates: Sequence[Item], tolerance_minor: int, most_items: int) -> None:
        """`candidates` come with the largest amounts first."""
        self._candidates = candidates
        self._sizes = [abs(candidate.change_minor) for candidate in candidates]
        # What all candidates from a place on come to.
        self._rest = [sum(self._sizes[i:]) for i in range(len(candidates) + 1)]
        self._tolerance = tolerance_minor
        self._most = most_items
        self.found: list[tuple[Item, ...]] = []
        self.steps = 0

    def go(self, start: int, left: int, taken: tuple[Item, ...]) -> None:
        """Find what of the candidates from `start` on comes to what is left, beside those taken."""
        if len(taken) >= 2 and abs(left) <= self._tolerance:
            self.found.append(taken)
            return
        for index in range(start, len(self._candidates) if len(taken) < self._most else start):
            self.steps += 1
            if self.steps > MOST_STEPS or len(self.found) > 1 or left - self._rest[index] > self._tolerance:
                return
            if left - self._sizes[index] >= -self._tolerance:
                self.go(index + 1, left - self._sizes[index], (*taken, self._candidates[index]))
