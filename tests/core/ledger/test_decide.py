"""Whatever is ordered of whatever book, the pure core keeps what a ledger promises."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.core.ledger.book import Book
from bursar.core.ledger.decide import MAX_BALANCE_MINOR, decide
from bursar.core.ledger.model import (
    Account,
    Balance,
    CaptureHold,
    Done,
    Entry,
    ExpireHold,
    Hold,
    Move,
    Order,
    Original,
    PlaceHold,
    Posting,
    Refused,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Together,
)
from bursar.kernel.ids import new_id
from bursar.kernel.money import MAX_MINOR, Money
from bursar.kernel.refusal import InvalidArgument
from tests.core.ledger.pages import in_turn, pending_minor, turned

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = [UUID(int=n) for n in range(1, 7)]
HOLDS = [UUID(int=n) for n in range(11, 17)]
ENTRIES = [UUID(int=n) for n in range(21, 24)]

minors = st.one_of(st.integers(1, 60), st.integers(1, MAX_MINOR))
amounts = st.none() | st.integers(1, 60).map(lambda minor: f"0.{minor:02}")
refs = st.sampled_from([*ACCOUNTS, *(f"a{n}" for n in range(1, 7)), UUID(int=99), "nobody"])
monies = st.builds(Money, minors, st.sampled_from(["USD", "USD", "USD", "EUR"]))
moves = st.builds(Move, refs, refs, monies)
fresh = st.builds(new_id)
times = st.none() | st.integers(-5, 5).map(lambda days: NOW + timedelta(days=days))

sends = st.builds(
    SendMoney, fresh, fresh, st.lists(moves, min_size=1, max_size=3).map(tuple), effective_at=times, world=st.booleans()
)
places = st.builds(
    PlaceHold, st.sampled_from(HOLDS[3:]), fresh, refs, st.none() | refs, monies, times, world=st.booleans()
)
captures = st.builds(CaptureHold, fresh, fresh, st.sampled_from(HOLDS), amounts, st.none() | refs, st.booleans())
releases = st.builds(ReleaseHold, fresh, st.sampled_from(HOLDS))
expiries = st.builds(ExpireHold, fresh, st.sampled_from(HOLDS))
reversals = st.builds(ReverseEntry, fresh, fresh, st.sampled_from(ENTRIES), amounts, world=st.booleans())
singles: st.SearchStrategy[SingleOrder] = st.one_of(sends, places, captures, releases, expiries, reversals)
togethers = st.builds(Together, st.lists(singles, max_size=4).map(tuple))
orders: st.SearchStrategy[list[Order]] = st.lists(st.one_of(singles, singles, togethers), max_size=8)


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
    posted = draw(st.integers((floor or 0) + held, 200) | st.just(MAX_BALANCE_MINOR - 20))
    side = "credit" if held else draw(st.sampled_from(["credit", "credit", "debit"]))
    number = f"world:a{n}" if floor is None and draw(st.booleans()) and not held else f"a{n}"
    return Account(
        ACCOUNTS[n - 1], number, number, draw(st.sampled_from(["USD", "USD", "USD", "EUR"])) if n > 2 else "USD",
        side, floor, draw(st.sampled_from(["open", "open", "open", "frozen", "closed"])) if n > 2 else "open",
        Balance(posted, held, draw(st.integers(0, 9))), {}, NOW,
    )  # fmt: skip


def _hold(draw: st.DrawFn, n: int, minor: int) -> Hold:
    target = draw(st.none() | st.sampled_from(ACCOUNTS[1:]))
    return Hold(HOLDS[n], ACCOUNTS[0], target, "USD", minor, 0, "pending", None, {}, NOW, draw(times), None)


def _original(draw: st.DrawFn, n: int) -> Original:
    """Accounts 1 and 2 are in USD; that each entry is between them keeps its currency right."""
    kind = draw(st.sampled_from(["transfer", "transfer", "reversal"]))
    parts = draw(st.lists(st.integers(1, 60), min_size=1, max_size=2))
    entry = Entry(ENTRIES[n], kind, new_id(), None, None, None, {}, NOW, NOW)
    postings = tuple(
        Posting(entry.id, seq, ACCOUNTS[0], ACCOUNTS[1], "USD", minor, 1, 0, 1, 0, NOW)
        for seq, minor in enumerate(parts)
    )
    return Original(entry, postings, draw(st.integers(0, parts[0])) if len(parts) == 1 else 0)


def _credits(accounts: Sequence[Account]) -> dict[str, int]:
    """The sum of each currency over all accounts, credit being positive."""
    sums: defaultdict[str, int] = defaultdict(int)
    for account in accounts:
        sums[account.currency] += account.balance.posted * (1 if account.normal_side == "credit" else -1)
    return sums


@given(books(), orders)
def test_no_money_appears_or_disappears(book: Book, orders: list[Order]) -> None:
    _, page = decide(book, orders)
    assert _credits(list(book.accounts.values())) == _credits(list(turned(book, page).accounts.values()))


@given(books(), orders)
def test_a_batch_comes_to_the_same_as_its_orders_one_by_one(book: Book, orders: list[Order]) -> None:
    outcomes, page = decide(book, orders)
    alone, after = in_turn(book, orders)
    assert list(map(repr, outcomes)) == list(map(repr, alone))
    together = turned(book, page)
    assert (together.accounts, together.holds) == (after.accounts, after.holds)
    assert {i: o.reversed_minor for i, o in together.originals.items()} == {
        i: o.reversed_minor for i, o in after.originals.items()
    }


@given(books(), orders)
def test_a_refused_order_leaves_no_trace(book: Book, orders: list[Order]) -> None:
    for order in orders:
        (outcome,), page = decide(book, [order])
        if isinstance(outcome, Refused):
            assert (page.balances, page.entries, page.postings, page.holds, page.reversed_minor) == ({}, [], [], {}, {})


@given(books(), orders)
def test_what_falls_stays_on_or_above_its_floor(book: Book, orders: list[Order]) -> None:
    after = turned(book, decide(book, orders)[1])
    for account_id, account in after.accounts.items():
        if account.floor_minor is not None and account.balance.available < book.accounts[account_id].balance.available:
            assert account.balance.available >= account.floor_minor


@given(books(), orders)
def test_what_is_held_is_what_is_pending(book: Book, orders: list[Order]) -> None:
    after = turned(book, decide(book, orders)[1])
    for account in after.accounts.values():
        assert account.balance.held == pending_minor(after, account)


@given(books(), orders)
def test_versions_and_running_balances_follow_one_another(book: Book, orders: list[Order]) -> None:
    _, page = decide(book, orders)
    running = {account_id: account.balance for account_id, account in book.accounts.items()}
    for posting in page.postings:
        for account_id, change, version, balance in (
            (posting.source_id, -posting.amount_minor, posting.source_version, posting.source_balance),
            (posting.target_id, posting.amount_minor, posting.target_version, posting.target_balance),
        ):
            before = running[account_id]
            sign = 1 if book.accounts[account_id].normal_side == "credit" else -1
            running[account_id] = before._replace(posted=balance, version=version)
            assert (version, balance) == (before.version + 1, before.posted + sign * change)
            assert abs(balance) <= MAX_BALANCE_MINOR
    after = turned(book, page)
    assert all((a.balance.posted, a.balance.version) == running[i][::2] for i, a in after.accounts.items())


@given(books(), orders)
def test_nothing_new_leaves_what_is_frozen_and_nothing_at_all_moves_on_what_is_closed(
    book: Book, orders: list[Order]
) -> None:
    outcomes, page = decide(book, orders)
    closed = {i for i, account in book.accounts.items() if account.status == "closed"}
    assert not closed & {i for posting in page.postings for i in (posting.source_id, posting.target_id)}
    frozen = {i for i, account in book.accounts.items() if account.status == "frozen"}
    for order, outcome in zip(orders, outcomes, strict=True):
        if isinstance(order, SendMoney) and isinstance(outcome, Done):
            assert not frozen & {posting.source_id for posting in outcome.postings}


@given(books(), orders)
def test_no_more_is_taken_back_than_was_moved(book: Book, orders: list[Order]) -> None:
    after = turned(book, decide(book, orders)[1])
    for original in after.originals.values():
        assert 0 <= original.reversed_minor <= original.total_minor


@pytest.mark.parametrize(("posted", "source", "target"), [(MAX_BALANCE_MINOR - 1, 2, 1), (1 - MAX_BALANCE_MINOR, 1, 2)])
def test_a_balance_that_would_leave_a_bigint_is_refused(posted: int, source: int, target: int) -> None:
    accounts = [
        Account(
            ACCOUNTS[n], f"a{n}", "", "USD", "credit", None, "open", Balance(posted if n == 1 else 0, 0, 1), {}, NOW
        )
        for n in (1, 2)
    ]
    book = Book.of(NOW, accounts)

    def send(minor: int) -> SendMoney:
        return SendMoney(new_id(), new_id(), (Move(ACCOUNTS[source], ACCOUNTS[target], Money(minor, "USD")),))

    (fits, too_much), page = decide(book, [send(1), send(1)])
    assert isinstance(fits, Done)
    assert isinstance(too_much, InvalidArgument)
    assert abs(page.balances[ACCOUNTS[1]].posted) == MAX_BALANCE_MINOR < 2**63
