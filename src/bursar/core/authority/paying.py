"""What an order comes to, seen as a payment: from which account, to whom, how much."""

from bursar.core.authority.facts import Asks
from bursar.core.ledger.book import Page
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Undertake,
)
from bursar.kernel.money import Money, read_amount
from bursar.kernel.refusal import UnknownObject


def come_to(page: Page, order: SingleOrder) -> tuple[Account, Account | None, Money]:
    """What an order would move: from which account, to which, how much. Raises the book's own refusals."""
    match order:
        case SendMoney():
            move = order.moves[0]
            source, target = page.account(move.source, "source"), page.account(move.target, "target")
            money = move.money if isinstance(move.money, Money) else read_amount(move.money, source.currency)
            return source, target, money
        case PlaceHold():
            target = page.account(order.target, "target") if order.target is not None else None
            return page.account(order.account, "account"), target, order.money
        case Undertake():
            return page.account(order.account, "account"), None, order.money
        case CaptureHold():
            hold = page.hold(order.hold_id)
            named = order.target if order.target is not None else hold.target_id
            target = page.account(named, "target") if named is not None else None
            amount = read_amount(order.amount, hold.currency).minor if order.amount else hold.amount_minor
            return page.book.accounts[hold.account_id], target, Money(amount, hold.currency)
        case ReverseEntry():
            original = page.book.originals.get(order.reverses_id)
            if original is None:
                raise UnknownObject("transfer")
            posting = original.postings[0]
            left = original.total_minor - page.taken_back(original)
            amount = read_amount(order.amount, posting.currency).minor if order.amount else left
            accounts = page.book.accounts
            return accounts[posting.target_id], accounts[posting.source_id], Money(amount, posting.currency)
        case ReleaseHold() | ExpireHold():
            raise AssertionError("nothing is paid")


def asks_of(page: Page, order: SingleOrder) -> Asks:
    """Which of the rules an order has yet to pass."""
    if isinstance(order, Undertake) and not order.counts:
        return "payee"
    if not isinstance(order, CaptureHold):
        return "everything"
    return "payee" if page.hold(order.hold_id).target_id else "payee_and_its_limits"
