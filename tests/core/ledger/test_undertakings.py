"""What is undertaken moves nothing and holds nothing; only what will hold when the money comes is looked at."""

from typing import Any
from uuid import UUID

import pytest

from bursar.core.ledger.book import Book
from bursar.core.ledger.decide import decide
from bursar.core.ledger.model import Account, Balance
from bursar.core.ledger.orders import Propose, SingleOrder, Together, Undertake
from bursar.core.ledger.outcomes import AllDone, Done, Pending, Refused
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.core.ledger.books import NOW

SHOP = Account(UUID(int=1), "shop", "Shop", "USD", "credit", 0, "open", Balance(5, 2, 7), {}, NOW)


def undertake(minor: int = 100, currency: str = "USD", account: str = "shop") -> Undertake:
    return Undertake(new_id(), account, Money(minor, currency))


@pytest.mark.parametrize(("minor", "status"), [(1, "open"), (10**15, "open"), (1, "frozen")])
def test_more_than_there_is_may_be_undertaken_and_nothing_is_written(minor: int, status: Any) -> None:
    book = Book.of(NOW, [SHOP._replace(status=status)], [], [])
    (outcome,), page = decide(book, [undertake(minor)])
    assert isinstance(outcome, Done)
    assert (outcome.account.id, outcome.account.balance) == (SHOP.id, SHOP.balance)
    assert (outcome.entry, outcome.hold) == (None, None)
    assert (page.accounts, page.entries, page.postings, page.holds) == ({}, [], [], {})


@pytest.mark.parametrize(
    ("account", "order", "code"),
    [
        ({"status": "closed"}, undertake(), "state_conflict"),
        ({"upstream": "there"}, undertake(), "state_conflict"),
        ({}, undertake(currency="EUR"), "currency_not_allowed"),
        ({}, undertake(account="nobody"), "unknown_account"),
    ],
)
def test_what_could_not_be_done_when_the_money_comes_is_refused_at_once(
    account: dict[str, Any], order: Undertake, code: str
) -> None:
    (outcome,), _ = decide(Book.of(NOW, [SHOP._replace(**account)], [], []), [order])
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_with_others_it_is_undone_by_what_is_refused() -> None:
    book = Book.of(NOW, [SHOP], [], [])
    (both,), _ = decide(book, [Together((undertake(), undertake()))])
    (none,), _ = decide(book, [Together((undertake(), undertake(currency="EUR")))])
    assert isinstance(both, AllDone)
    assert isinstance(none, Refused)


def test_one_that_waits_for_people_sets_no_funds_aside() -> None:
    def ask_people(_: object, order: SingleOrder) -> Propose:
        assert isinstance(order, Undertake)
        return Propose(new_id(), new_id(), order)

    (outcome,), page = decide(Book.of(NOW, [SHOP], [], []), [undertake()], ask_people)
    assert isinstance(outcome, Pending)
    assert (outcome.hold, page.holds) == (None, {})
