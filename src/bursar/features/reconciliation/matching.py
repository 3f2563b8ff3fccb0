"""Two sides compared: what is one, what is missing, what differs. Pure, bounded, the same for any order of input.

References come first, then amounts and dates, then groups that add up; at last, what is left is named. An item is in
exactly one match or break. With n items in all, time is n log n beside the searches for groups, of which there is at
most one per item, each over at most `most_candidates` items and `combining.MOST_STEPS` sums.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from bursar.features.reconciliation.combining import only_combination
from bursar.features.reconciliation.items import (
    MISSING,
    Break,
    Findings,
    Item,
    Match,
    Rules,
    Side,
    canonical_order,
    days_apart,
)
from bursar.features.reconciliation.pairing import compatible, pair_exactly, pair_nearly, passes_of
from bursar.features.reconciliation.referring import by_reference

Pool = dict[str, Item]


def match(
    left: Sequence[Item],
    right: Sequence[Item],
    rules: Rules,
    sides: tuple[Side, Side],
    *,
    right_may_have_more: bool = False,
) -> Findings:
    """Compare the left side with the right. With `right_may_have_more`, what only the right has is no break.

    Ids are unique on their side. The findings are in order of days.
    """
    return _Matching(left, right, rules, sides).run(right_may_have_more=right_may_have_more)


class _Matching:
    def __init__(self, left: Sequence[Item], right: Sequence[Item], rules: Rules, sides: tuple[Side, Side]) -> None:
        assert len({i.id for i in left}) == len(left), "an id occurs twice on the left"
        assert len({i.id for i in right}) == len(right), "an id occurs twice on the right"
        self._left: Pool = {i.id: i for i in sorted(left, key=canonical_order)}
        self._right: Pool = {i.id: i for i in sorted(right, key=canonical_order)}
        self._rules = rules
        self._sides = sides
        self._matches: list[Match] = []
        self._breaks: list[Break] = []

    def run(self, *, right_may_have_more: bool) -> Findings:
        self._refer()
        self._pair()
        self._group()
        self._name_duplicates()
        self._name_differences()
        self._name_missing(right_may_have_more=right_may_have_more)
        found = sorted(self._breaks, key=lambda b: (b.day, b.kind, [i.id for i in (*b.left, *b.right)]))
        return Findings(sorted(self._matches, key=lambda m: ([canonical_order(i) for i in (*m.left, *m.right)])), found)

    def _take(self, found: Match | Break) -> None:
        for item in found.left:
            del self._left[item.id]
        for item in found.right:
            del self._right[item.id]
        if isinstance(found, Match):
            self._matches.append(found)
        else:
            self._breaks.append(found)

    def _refer(self) -> None:
        for found in by_reference(list(self._left.values()), list(self._right.values()), self._rules):
            self._take(found)

    def _pair(self) -> None:
        for key, words in passes_of():
            ours, theirs = list(self._left.values()), list(self._right.values())
            for one, other in list(pair_exactly(ours, theirs, key, self._rules.days, self._rules)):
                days = days_apart(one, other)
                when = f"{days} day{'s' if days > 1 else ''} apart" if days else "on the same day"
                self._take(Match((one,), (other,), "amount_and_date", f"The same {words}, {when}."))
        if self._rules.tolerance_minor:
            for one, other in pair_nearly(list(self._left.values()), list(self._right.values()), self._rules):
                off = other.change_minor - one.change_minor
                why = f"The same but for {off} minor units, which is within the tolerance, and the date fits."
                self._take(Match((one,), (other,), "amount_and_date", why))

    def _group(self) -> None:
        """The largest first: what it is made of is not given away to smaller ones."""
        singles = [(item, True) for item in self._left.values()] + [(item, False) for item in self._right.values()]
        singles.sort(key=lambda s: (-abs(s[0].change_minor), canonical_order(s[0]), s[1]))
        for one, is_left in singles:
            ours, theirs = (self._left, self._right) if is_left else (self._right, self._left)
            if one.id not in ours:
                continue
            found = self._parts_of(one, theirs)
            if found:
                why = f"{len(found)} on one side add up to one on the other."
                parts = tuple(sorted(found, key=canonical_order))
                pair = ((one,), parts) if is_left else (parts, (one,))
                self._take(Match(*pair, "amounts_together", why))

    def _parts_of(self, one: Item, theirs: Pool) -> tuple[Item, ...] | None:
        """Which of the other side are together this one: first those of its counterparty, then those of its day."""
        near = [
            other
            for other in theirs.values()
            if days_apart(one, other) <= self._rules.days
            and 0 < other.change_minor * one.change_minor <= one.change_minor**2
        ]
        of_counterparty = [o for o in near if one.counterparty and o.counterparty == one.counterparty]
        of_day = [o for o in near if days_apart(one, o) == 0 and compatible(one, o, self._rules)]
        for candidates in (of_counterparty, of_day):
            nearest = sorted(candidates, key=lambda o: (days_apart(one, o), canonical_order(o)))
            found = only_combination(
                nearest[: self._rules.most_candidates],
                one.change_minor,
                self._rules.tolerance_minor,
                self._rules.most_in_a_group,
            )
            if found:
                return found
        return None

    def _name_duplicates(self) -> None:
        """What is left and has, on its own side, a twin that is matched: the same reference and the same amount."""
        for pool, is_left in ((self._left, True), (self._right, False)):
            twins: defaultdict[tuple[str, int], list[Item]] = defaultdict(list)
            for found in self._matches:
                for item in found.left if is_left else found.right:
                    for reference in item.references:
                        twins[reference, item.change_minor].append(item)
            side = self._sides[0] if is_left else self._sides[1]
            for item in list(pool.values()):
                if any(twins[reference, item.change_minor] for reference in item.references):
                    why = f"The {side} has it twice: another with this reference and amount is matched."
                    self._take(Break("duplicate", (item,) if is_left else (), () if is_left else (item,), why))

    def _name_differences(self) -> None:
        """Of one counterparty, known to both sides: the same amount on a far day, or another amount on a near day."""
        far, near = self._rules.far_days, self._rules.days
        for one, other in list(_nearest(self._left, self._right, far, same_amount=True)):
            why = f"The same amount and counterparty, {days_apart(one, other)} days apart."
            self._take(Break("date_differs", (one,), (other,), why))
        for one, other in list(_nearest(self._left, self._right, near, same_amount=False)):
            why = f"The same counterparty and date, {other.change_minor - one.change_minor} minor units more or less."
            self._take(Break("amount_differs", (one,), (other,), why))

    def _name_missing(self, *, right_may_have_more: bool) -> None:
        ours, theirs = self._sides
        for item in list(self._left.values()):
            self._take(Break(MISSING[theirs], (item,), (), f"The {ours} has it and the {theirs} does not."))
        for item in list(self._right.values()) if not right_may_have_more else ():
            self._take(Break(MISSING[ours], (), (item,), f"The {theirs} has it and the {ours} does not."))


def _nearest(left: Pool, right: Pool, days: int, *, same_amount: bool) -> Iterator[tuple[Item, Item]]:
    """Pairs of one counterparty and sign within so many days, the nearest first, each item once."""
    theirs: defaultdict[tuple[str, bool, int], list[Item]] = defaultdict(list)
    for other in right.values():
        theirs[_family(other, same_amount=same_amount)].append(other)
    near = [
        (days_apart(one, other), abs(one.change_minor - other.change_minor), one, other)
        for one in left.values()
        if one.counterparty
        for other in theirs[_family(one, same_amount=same_amount)]
        if days_apart(one, other) <= days
    ]
    ours_taken, theirs_taken = set[str](), set[str]()
    near.sort(key=lambda n: (n[0], n[1], canonical_order(n[2]), canonical_order(n[3])))
    for _, _, one, other in near:
        if one.id not in ours_taken and other.id not in theirs_taken:
            ours_taken.add(one.id)
            theirs_taken.add(other.id)
            yield one, other


def _family(item: Item, *, same_amount: bool) -> tuple[str, bool, int]:
    return item.counterparty or "", item.change_minor > 0, item.change_minor if same_amount else 0
