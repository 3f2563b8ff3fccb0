"""Pairs of one item of each side: the first passes of matching, each in time n log n."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from bursar.features.reconciliation.items import Item, Rules, canonical_order, days_apart

Pair = tuple[Item, Item]
Key = Callable[[Item], Hashable]

# How many of the other side one item is compared with, where amounts need only be near.
_MOST_NEIGHBOURS = 64


def passes_of() -> Iterator[tuple[Key, str]]:
    """Which items may be pairs, in order of trust: what must be equal, and the words for it."""
    yield (lambda i: (i.change_minor, i.counterparty or i.id)), "amount and counterparty"
    yield (lambda i: i.change_minor), "amount"


def pair_exactly(left: Sequence[Item], right: Sequence[Item], key: Key, days: int, rules: Rules) -> Iterator[Pair]:
    """Pairs of items with the same key, no more than so many days apart: those of one day first.

    Where that would leave more items alone than need be, the earliest that fit are taken: no way gives more pairs.
    """
    ours, theirs = _by_key(left, key), _by_key(right, key)
    for of_key in sorted(ours.keys() & theirs.keys(), key=repr):
        of_one_day = list(_in_step(ours[of_key], theirs[of_key], 0, rules))
        paired = {one.id for one, _ in of_one_day}, {other.id for _, other in of_one_day}
        rest = [i for i in ours[of_key] if i.id not in paired[0]], [i for i in theirs[of_key] if i.id not in paired[1]]
        nearest = [*of_one_day, *_in_step(*rest, days, rules)]
        most = list(_in_step(ours[of_key], theirs[of_key], days, rules))
        yield from most if len(most) > len(nearest) else nearest


def _by_key(items: Iterable[Item], key: Key) -> dict[Hashable, list[Item]]:
    found: defaultdict[Hashable, list[Item]] = defaultdict(list)
    for item in sorted(items, key=canonical_order):
        found[key(item)].append(item)
    return found


def _in_step(ours: list[Item], theirs: list[Item], days: int, rules: Rules) -> Iterator[Pair]:
    """The earliest that fits for each in turn; both are in order of days."""
    taken: set[str] = set()
    start = 0
    for one in ours:
        # Those too early for this one are too early for every later one.
        while start < len(theirs) and (theirs[start].id in taken or (one.day - theirs[start].day).days > days):
            start += 1
        for other in theirs[start : start + _MOST_NEIGHBOURS]:
            if (other.day - one.day).days > days:
                break
            if other.id not in taken and compatible(one, other, rules):
                taken.add(other.id)
                yield one, other
                break


def compatible(one: Item, other: Item, rules: Rules) -> bool:
    """Whether what they say of the counterparty does not forbid that they are one."""
    if not rules.counterparty_decides or one.counterparty is None or other.counterparty is None:
        return True
    return one.counterparty == other.counterparty


def pair_nearly(left: Sequence[Item], right: Sequence[Item], rules: Rules) -> list[Pair]:
    """Pairs whose amounts are within the tolerance: the nearest first. Each item is compared with 64 at most."""
    theirs = sorted(right, key=lambda i: (i.change_minor, i.day, i.id))
    amounts = [item.change_minor for item in theirs]
    near: list[tuple[int, int, Pair]] = []
    for one in sorted(left, key=canonical_order):
        start = bisect_left(amounts, one.change_minor - rules.tolerance_minor)
        for other in theirs[start : start + _MOST_NEIGHBOURS]:
            off = abs(other.change_minor - one.change_minor)
            fits = off <= rules.tolerance_minor and days_apart(one, other) <= rules.days
            if fits and other.change_minor * one.change_minor > 0 and compatible(one, other, rules):
                near.append((off, days_apart(one, other), (one, other)))
    near.sort(key=lambda n: (n[0], n[1], canonical_order(n[2][0]), canonical_order(n[2][1])))
    return list(_first_come(near))


def _first_come(near: Iterable[tuple[int, int, Pair]]) -> Iterator[Pair]:
    ours, theirs = set[str](), set[str]()
    for _, _, (one, other) in near:
        if one.id not in ours and other.id not in theirs:
            ours.add(one.id)
            theirs.add(other.id)
            yield one, other
