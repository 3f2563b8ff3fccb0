"""Whatever is ordered of whatever book, the pure core keeps what a ledger promises."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given

from bursar.core.ledger.book import Book
from bursar.core.ledger.decide import MAX_BALANCE_MINOR, decide
from bursar.core.ledger.model import Account, Balance
from bursar.core.ledger.orders import Move, Order, SendMoney
from bursar.core.ledger.outcomes import Done, InsufficientFunds, Refused
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument
from tests.core.ledger.books import ACCOUNTS, NOW, books, orders
from tests.core.ledger.pages import in_turn, pending_minor, turned


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
            assert (page.accounts, page.entries, page.postings, page.holds, page.reversed_minor) == ({}, [], [], {}, {})


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
        # What a provider has done was authorised before.
        if isinstance(order, SendMoney) and order.kind != "payment" and isinstance(outcome, Done):
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
    assert abs(page.accounts[ACCOUNTS[1]].balance.posted) == MAX_BALANCE_MINOR < 2**63


def test_an_account_that_is_below_its_floor_takes_money_and_gives_none() -> None:
    """So it is when its limit was lowered."""
    below = Account(ACCOUNTS[0], "a1", "", "USD", "credit", 0, "open", Balance(-100, 0, 1), {}, NOW)
    rich = Account(ACCOUNTS[1], "a2", "", "USD", "credit", 0, "open", Balance(100, 0, 1), {}, NOW)
    cent = Money(1, "USD")
    orders = [SendMoney(new_id(), new_id(), (Move(*ends, cent),)) for ends in (("a2", "a1"), ("a1", "a2"))]
    (taken, given), _ = decide(Book.of(NOW, [below, rich]), orders)
    assert isinstance(taken, Done)
    assert isinstance(given, InsufficientFunds)
