"""Books and orders of every make, for properties that must hold of all of them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from bursar.core.ledger.book import Book
from bursar.core.ledger.decide import MAX_BALANCE_MINOR
from bursar.core.ledger.model import (
    Account,
    AccountStatus,
    Balance,
    Entry,
    EntryKind,
    Hold,
    NormalSide,
    Original,
    Posting,
)
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    Move,
    Order,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Together,
)
from bursar.kernel.ids import new_id
from bursar.kernel.money import MAX_MINOR, Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = [UUID(int=n) for n in range(1, 7)]
HOLDS = [UUID(int=n) for n in range(11, 15)]
ENTRIES = [UUID(int=n) for n in range(21, 24)]
STATUSES: tuple[AccountStatus, ...] = ("open", "open", "open", "open", "open", "open", "frozen", "closed")
SIDES: tuple[NormalSide, ...] = ("credit", "credit", "debit")
KINDS: tuple[EntryKind, ...] = ("transfer", "transfer", "reversal")


def _named(orders: list[Order]) -> list[Order]:
    """The first hold that is placed has an id that others may draw, too."""
    names = iter(HOLDS[3:4])

    def name(order: SingleOrder) -> SingleOrder:
        return order._replace(hold_id=next(names, order.hold_id)) if isinstance(order, PlaceHold) else order

    return [Together(tuple(map(name, o.orders))) if isinstance(o, Together) else name(o) for o in orders]


# Most of what is drawn is fit to be done, so that the refusals do not hide the rest.
minors = st.one_of(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, MAX_MINOR))
amounts = st.none() | st.integers(1, 20).map(lambda minor: f"0.{minor:02}")
refs = st.sampled_from([*ACCOUNTS * 3, *(f"a{n}" for n in range(1, 7)), UUID(int=99), "nobody"])
monies = st.builds(Money, minors, st.sampled_from(["USD"] * 7 + ["EUR"]))
likely = st.builds(Move, st.sampled_from([*ACCOUNTS[:3], "a1"]), st.sampled_from([*ACCOUNTS[3:], "a2"]), monies)
moves = likely | st.builds(Move, refs, refs, monies)
fresh = st.builds(new_id)
allowed = st.sampled_from([True, True, True, False])
past = st.sampled_from([None, None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])
future = st.sampled_from([None, None, NOW + timedelta(days=1), NOW, NOW - timedelta(days=1)])

parts = st.lists(moves, min_size=1, max_size=3).map(tuple)
sends = st.builds(SendMoney, fresh, fresh, parts, effective_at=past, world=allowed)
places = st.builds(PlaceHold, fresh, fresh, refs, st.none() | refs, monies, future, world=allowed)
captures = st.builds(CaptureHold, fresh, fresh, st.sampled_from(HOLDS[:4]), amounts, st.none() | refs, allowed)
releases = st.builds(ReleaseHold, fresh, st.sampled_from(HOLDS[:4]))
expiries = st.builds(ExpireHold, fresh, st.sampled_from(HOLDS[:4]))
reversals = st.builds(ReverseEntry, fresh, fresh, st.sampled_from(ENTRIES), amounts, world=allowed)
singles: st.SearchStrategy[SingleOrder] = st.one_of(sends, places, captures, releases, expiries, reversals)
togethers = st.builds(Together, st.lists(singles, min_size=1, max_size=3).map(tuple))
order: st.SearchStrategy[Order] = st.one_of(sends, captures, singles, togethers)
orders = st.lists(order, min_size=3, max_size=8).map(_named)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Accounts of every make, some holds on them, some entries to take back."""
    hold_minors = draw(st.lists(st.integers(1, 40), min_size=3, max_size=3))
    accounts = [_account(draw, n, sum(hold_minors) if n == 1 else 0) for n in range(1, 7)]
    return Book.of(
        NOW, accounts, [_hold(draw, n, hold_minors[n]) for n in range(3)], [_original(draw, n) for n in range(3)]
    )


def _account(draw: st.DrawFn, n: int, held: int) -> Account:
    floor = draw(st.sampled_from([None, 0, -50]))
    posted = draw(st.sampled_from([200, 200, 60, held + (floor or 0), MAX_BALANCE_MINOR - 20]))
    side: NormalSide = "credit" if held else draw(st.sampled_from(SIDES))
    number = f"world:a{n}" if floor is None and draw(st.booleans()) and not held else f"a{n}"
    return Account(
        ACCOUNTS[n - 1], number, number, draw(st.sampled_from(["USD"] * 7 + ["EUR"])) if n > 2 else "USD",
        side, floor, draw(st.sampled_from(STATUSES)) if n > 2 else "open",
        Balance(posted, held, draw(st.integers(0, 9))), {}, NOW,
    )  # fmt: skip


def _hold(draw: st.DrawFn, n: int, minor: int) -> Hold:
    target = draw(st.none() | st.sampled_from(ACCOUNTS[1:]))
    return Hold(HOLDS[n], ACCOUNTS[0], target, "USD", minor, 0, "pending", None, {}, NOW, draw(future), None)


def _original(draw: st.DrawFn, n: int) -> Original:
    """Accounts 1 and 2 are in USD; that each entry is between them keeps its currency right."""
    kind = draw(st.sampled_from(KINDS))
    parts = draw(st.lists(st.integers(1, 60), min_size=1, max_size=2))
    entry = Entry(ENTRIES[n], kind, new_id(), None, None, None, {}, NOW, NOW)
    postings = tuple(
        Posting(entry.id, seq, ACCOUNTS[0], ACCOUNTS[1], "USD", minor, 1, 0, 1, 0, NOW)
        for seq, minor in enumerate(parts)
    )
    return Original(entry, postings, draw(st.integers(0, parts[0])) if len(parts) == 1 else 0)
