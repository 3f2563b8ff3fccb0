"""Two sides compared: each rule by an example, and what must be true of all findings."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.features.reconciliation.combining import MOST_STEPS, Search, only_combination
from bursar.features.reconciliation.items import Break, Findings, Item, Match, Rules, plain, plain_all, total
from bursar.features.reconciliation.matching import match
from bursar.kernel.refusal import InvalidArgument

FIRST = date(2026, 3, 1)


def item(text: str) -> Item:
    """`id day change [ref=…] [with=…]`, say `a 5 -1200 ref=INV1 with=BAKER`."""
    id, day, change, *more = text.split()
    named = dict(word.split("=") for word in more)
    references = plain_all(*named["ref"].split(",")) if "ref" in named else frozenset[str]()
    return Item(id, FIRST + timedelta(days=int(day)), int(change), references, plain(named.get("with")))


def compared(left: list[str], right: list[str], rules: Rules | None = None) -> Findings:
    return match([item(t) for t in left], [item(t) for t in right], rules or Rules(), ("ledger", "bank"))


def told(findings: Findings) -> set[tuple[str, str, str]]:
    """Each finding as how or kind, and the ids on its sides."""
    return {
        (f.how if isinstance(f, Match) else f.kind, _ids(f.left), _ids(f.right))
        for f in (*findings.matches, *findings.breaks)
    }


def _ids(items: tuple[Item, ...]) -> str:
    return " ".join(sorted(i.id for i in items))


NARROW = Rules(counterparty_decides=True)


@pytest.mark.parametrize(
    ("left", "right", "rules", "found"),
    [
        (["a 1 -500 ref=INV-1"], ["x 2 -500 ref=inv1"], Rules(), {("reference", "a", "x")}),
        (["a 1 -500"], ["x 4 -500"], Rules(), {("amount_and_date", "a", "x")}),
        (["a 1 -500"], ["x 5 -500"], Rules(), {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x")}),
        (["a 1 -500"], ["x 1 500"], Rules(), {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x")}),
        (["a 1 -500"], ["x 1 -501"], Rules(tolerance_minor=1), {("amount_and_date", "a", "x")}),
        (["a 1 -500"], ["x 1 -501"], Rules(), {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x")}),
        # A reference is surer than an amount: the pair by amount alone would be the wrong one.
        (["a 1 -500 ref=R1", "b 1 -500"], ["x 1 -500", "y 3 -500 ref=R1"], Rules(),
         {("reference", "a", "y"), ("amount_and_date", "b", "x")}),
        (["a 1 -500 ref=R1"], ["x 1 -450 ref=R1"], Rules(), {("amount_differs", "a", "x")}),
        (["a 1 -500 ref=R1"], ["x 1 500 ref=R1"], Rules(), {("amount_differs", "a", "x")}),
        (["a 1 -500 ref=R1"], ["x 20 -500 ref=R1"], Rules(), {("date_differs", "a", "x")}),
        (["a 1 -500 ref=R1"], ["x 1 -500 ref=R1", "y 1 -500 ref=R1"], Rules(),
         {("reference", "a", "x"), ("duplicate", "", "y")}),
        (["a 1 -500 ref=R1", "b 1 -500 ref=R1"], ["x 1 -500 ref=R1"], Rules(),
         {("reference", "a", "x"), ("duplicate", "b", "")}),
        # One to many and many to one, by reference and by amounts.
        (["a 1 -900 ref=R1"], ["x 1 -500 ref=R1", "y 2 -400 ref=R1"], Rules(), {("references_together", "a", "x y")}),
        (["a 1 -500 ref=R1", "b 1 -400 ref=R2"], ["x 1 -900 ref=R1,R2"], Rules(),
         {("references_together", "a b", "x")}),
        (["a 1 -500", "b 1 -400"], ["x 1 -900"], Rules(), {("amounts_together", "a b", "x")}),
        (["a 1 -900"], ["x 1 -500", "y 1 -400", "z 1 -7"], Rules(),
         {("amounts_together", "a", "x y"), ("missing_in_ledger", "", "z")}),
        (["a 1 -900 with=B"], ["x 2 -500 with=B", "y 3 -400 with=B"], Rules(), {("amounts_together", "a", "x y")}),
        # Amounts alone on different days are no group.
        (["a 1 -900"], ["x 2 -500", "y 3 -400"], Rules(),
         {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x"), ("missing_in_ledger", "", "y")}),
        # Two ways to add up: who could say which?
        (["a 1 -900"], ["x 1 -500", "y 1 -400", "v 1 -600", "w 1 -300"], Rules(),
         {("missing_at_bank", "a", ""), *(("missing_in_ledger", "", i) for i in "vwxy")}),
        (["a 1 -900 ref=R"], ["x 1 -500 ref=R", "y 1 -300 ref=R"], Rules(), {("amount_differs", "a", "x y")}),
        (["a 1 -900 ref=R"], ["x 1 -500 ref=R", "y 1 -400 ref=R", "z 1 -7 ref=R"], Rules(),
         {("references_together", "a", "x y"), ("missing_in_ledger", "", "z")}),
        # Counterparties.
        (["a 1 -500 with=B", "b 1 -500 with=C"], ["x 1 -500 with=C", "y 1 -500 with=B"], Rules(),
         {("amount_and_date", "a", "y"), ("amount_and_date", "b", "x")}),
        (["a 1 -500 with=B"], ["x 1 -500 with=C"], Rules(), {("amount_and_date", "a", "x")}),
        (["a 1 -500 with=B"], ["x 1 -500 with=C"], NARROW,
         {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x")}),
        (["a 1 -500 with=B"], ["x 1 -500"], NARROW, {("amount_and_date", "a", "x")}),
        (["a 1 -500 with=B"], ["x 1 -450 with=B"], NARROW, {("amount_differs", "a", "x")}),
        (["a 1 -500 with=B"], ["x 9 -500 with=B"], NARROW, {("date_differs", "a", "x")}),
        (["a 1 -500 with=B"], ["x 30 -500 with=B"], NARROW,
         {("missing_at_bank", "a", ""), ("missing_in_ledger", "", "x")}),
    ],
)  # fmt: skip
def test_what_is_found(left: list[str], right: list[str], rules: Rules, found: set[tuple[str, str, str]]) -> None:
    assert told(compared(left, right, rules)) == found


def test_references_are_compared_without_what_banks_add_and_drop() -> None:
    assert plain_all("inv-1 / 2026", None, "NONREF") == {"INV12026", "INV1"}
    assert plain_all("INV-1;INV-2 2026-03-04") == {"INV1INV220260304", "INV1", "INV2"}


def test_every_finding_says_why() -> None:
    findings = compared(["a 1 -500 ref=R1", "b 1 -7"], ["x 1 -450 ref=R1", "y 1 -8"], Rules(tolerance_minor=1))
    assert [f.why for f in findings.breaks] == ["The same reference R1, 50 minor units more or less."]
    assert [f.why for f in findings.matches] == [
        "The same but for -1 minor units, which is within the tolerance, and the date fits."
    ]


def test_what_only_the_right_has_can_be_none_of_its_business() -> None:
    findings = match([item("a 1 -5")], [item("x 1 -7")], Rules(), ("provider", "bank"), right_may_have_more=True)
    assert told(findings) == {("missing_at_bank", "a", "")}


def numbered(items: list[Item]) -> list[Item]:
    return [item._replace(id=f"i{number}") for number, item in enumerate(items)]


ITEMS = st.lists(
    st.builds(
        Item,
        st.just(""),
        st.integers(0, 12).map(lambda day: FIRST + timedelta(days=day)),
        st.integers(-6, 6).filter(bool),
        st.frozensets(st.sampled_from(["R1", "R2", "R3"]), max_size=2),
        st.sampled_from([None, "B", "C"]),
    ),
    max_size=14,
).map(numbered)
RULES = st.builds(Rules, tolerance_minor=st.integers(0, 2), days=st.integers(0, 4), counterparty_decides=st.booleans())


@given(ITEMS, ITEMS, RULES, st.randoms(use_true_random=False))
def test_each_item_is_in_one_finding_and_the_order_of_input_changes_nothing(
    left: list[Item], right: list[Item], rules: Rules, dice: Random
) -> None:
    findings = match(left, right, rules, ("ledger", "bank"))
    everything: list[Match | Break] = [*findings.matches, *findings.breaks]
    assert sorted(i.id for f in everything for i in f.left) == sorted(i.id for i in left)
    assert sorted(i.id for f in everything for i in f.right) == sorted(i.id for i in right)
    for found in findings.matches:
        assert 1 in (len(found.left), len(found.right))
        assert found.left
        assert found.right
        assert abs(total(found.left) - total(found.right)) <= rules.tolerance_minor
        days = [i.day for i in (*found.left, *found.right)]
        assert (max(days) - min(days)).days <= 2 * rules.days
    shuffled = [list(left), list(right)]
    for items in shuffled:
        dice.shuffle(items)
    assert match(shuffled[0], shuffled[1], rules, ("ledger", "bank")) == findings


@given(ITEMS, RULES)
def test_two_sides_that_are_the_same_have_no_breaks(items: list[Item], rules: Rules) -> None:
    findings = match(items, [i._replace(id=f"their {i.id}") for i in items], rules, ("ledger", "bank"))
    assert findings.breaks == []


def test_a_search_that_would_not_end_is_given_up_after_its_bound() -> None:
    """Forty amounts that are all even never add up to an odd one; all ways to try would be millions."""
    candidates = [item(f"x{n} 1 -{2 * n + 10_000}") for n in range(40)]
    assert only_combination(candidates, -60_001, 0, 6) is None
    search = Search(sorted(candidates, key=lambda c: c.change_minor), 0, 6)
    search.go(0, 60_001, ())
    assert MOST_STEPS < search.steps <= MOST_STEPS + 6 * len(candidates)


def test_ten_thousand_equal_amounts_are_all_paired() -> None:
    left = [Item(f"a{n}", FIRST + timedelta(days=n % 300), -500) for n in range(10_000)]
    right = [Item(f"x{n}", FIRST + timedelta(days=n % 300 + 1), -500) for n in range(10_000)]
    findings = match(left, right, Rules(), ("ledger", "bank"))
    assert (len(findings.matches), findings.breaks) == (10_000, [])


@pytest.mark.parametrize(
    ("argument", "values"), [("tolerance_minor", (-1, 3, 14)), ("days", (0, 32, 40)), ("far_days", (0, 3, 2))]
)
def test_rules_that_make_no_sense_are_refused(argument: str, values: tuple[int, int, int]) -> None:
    tolerance_minor, days, far_days = values
    with pytest.raises(InvalidArgument, match=argument):
        Rules(tolerance_minor, days, far_days=far_days)
