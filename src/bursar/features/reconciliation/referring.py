"""What a reference in common makes one: the surest pass of matching."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from bursar.features.reconciliation.combining import only_combination
from bursar.features.reconciliation.items import Break, Item, Match, Rules, canonical_order, days_apart, total
from bursar.features.reconciliation.pairing import pair_exactly

_MOST_DAYS = 36_600


def by_reference(left: Sequence[Item], right: Sequence[Item], rules: Rules) -> Iterator[Match | Break]:
    """Matches and breaks among items that share references, each item in one at most; the rest is left to others."""
    for ours, theirs, shared in _families(left, right):
        yield from _settle(ours, theirs, f"The same reference {shared}", rules)


def _families(left: Sequence[Item], right: Sequence[Item]) -> Iterator[tuple[list[Item], list[Item], str]]:
    """Items that hang together by references, directly or through others, where both sides have some."""
    kin = _Kin()
    for item in chain(left, right):
        kin.bind(sorted(item.references))
    families: defaultdict[str, tuple[list[Item], list[Item]]] = defaultdict(lambda: ([], []))
    for place, items in enumerate((left, right)):
        for item in sorted((i for i in items if i.references), key=canonical_order):
            families[kin.first_of(min(item.references))][place].append(item)
    for name in sorted(families):
        ours, theirs = families[name]
        if ours and theirs:
            yield ours, theirs, min(_references(ours) & _references(theirs))


class _Kin:
    """References that hang together, each family named by its first."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def first_of(self, reference: str) -> str:
        while (above := self._above.setdefault(reference, reference)) != reference:
            self._above[reference] = self._above[above]
            reference = above
        return reference

    def bind(self, references: Sequence[str]) -> None:
        for other in references[1:]:
            one, two = sorted((self.first_of(references[0]), self.first_of(other)))
            self._above[two] = one


def _references(items: Sequence[Item]) -> set[str]:
    return {reference for item in items for reference in item.references}


def _settle(ours: list[Item], theirs: list[Item], words: str, rules: Rules) -> Iterator[Match | Break]:
    ours, theirs = list(ours), list(theirs)
    for days in (rules.days, _MOST_DAYS):
        for one, other in list(pair_exactly(ours, theirs, lambda i: i.change_minor, days, Rules())):
            ours.remove(one)
            theirs.remove(other)
            yield _pair(one, other, words, rules)
    if len(ours) == 1 and len(theirs) == 1:
        yield _pair(ours[0], theirs[0], words, rules)
    elif ours and theirs:
        yield from _together(ours, theirs, words, rules)


def _pair(one: Item, other: Item, words: str, rules: Rules) -> Match | Break:
    off = other.change_minor - one.change_minor
    if abs(off) > rules.tolerance_minor or one.change_minor * other.change_minor < 0:
        return Break("amount_differs", (one,), (other,), f"{words}, {off} minor units more or less.")
    if days_apart(one, other) > rules.days:
        return Break("date_differs", (one,), (other,), f"{words} and amount, {days_apart(one, other)} days apart.")
    return Match((one,), (other,), "reference", f"{words} and amount.")


def _together(ours: list[Item], theirs: list[Item], words: str, rules: Rules) -> Iterator[Match | Break]:
    """One on a side, several on the other: all of them, or those of them that add up."""
    if 1 not in (len(ours), len(theirs)):
        return
    single, several = (ours[0], theirs) if len(ours) == 1 else (theirs[0], ours)
    off = total(several) - single.change_minor
    near = [item for item in several if days_apart(single, item) <= rules.days]
    parts: Sequence[Item] | None = several if abs(off) <= rules.tolerance_minor and len(near) == len(several) else None
    if parts is None:
        fitting = [i for i in near if i.change_minor * single.change_minor > 0][: rules.most_candidates]
        parts = only_combination(fitting, single.change_minor, rules.tolerance_minor, rules.most_in_a_group)
    if parts is None:
        why = f"{words} on {len(several)} that do not add up, {off} minor units more or less."
        yield Break("amount_differs", tuple(ours), tuple(theirs), why)
        return
    together = tuple(sorted(parts, key=canonical_order))
    pair = ((single,), together) if single is ours[0] else (together, (single,))
    yield Match(*pair, "references_together", f"{words} on {len(together)} that add up.")
