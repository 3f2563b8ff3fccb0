"""What an account refuses, each as a fact with a name."""

from datetime import datetime
from uuid import UUID

from bursar.core.ledger.book import Page
from bursar.core.ledger.model import Account, Balance, Hold
from bursar.core.ledger.orders import PlaceHold
from bursar.core.ledger.outcomes import (
    AccountFrozen,
    CurrencyNotAllowed,
    InsufficientFunds,
    LivesUpstream,
    StateConflict,
)
from bursar.kernel.money import Money


def refuse_closed(account: Account) -> None:
    """Nothing goes to or from a closed account."""
    if account.status == "closed":
        raise StateConflict(f"{account.number} is closed.")


def refuse_frozen(account: Account) -> None:
    """A frozen account takes no new debits or holds."""
    if account.status == "frozen":
        raise AccountFrozen(account.number)


def refuse_currency(account: Account, money: Money) -> None:
    """An account has one currency."""
    if account.currency != money.currency:
        raise CurrencyNotAllowed(account, money.currency)


def refuse_below_floor(account: Account, before: Balance, after: Balance, asked_minor: int) -> None:
    """What is available stays on or above the floor; amounts in minor units."""
    if account.floor_minor is not None and after.available < account.floor_minor:
        raise InsufficientFunds(account, before, asked_minor)


def refuse_upstream(account: Account) -> None:
    """Money that lives in another service does not move by an entry here."""
    if account.upstream is not None:
        raise LivesUpstream(account.number)


def refuse_half_upstream(page: Page, order: PlaceHold) -> None:
    """Money that lives upstream is set aside only for a call that moves it there, from one account to another."""
    account = page.account(order.account, "account")
    target = page.account(order.target, "target") if order.target is not None else None
    if order.owner_id is None or target is None or not (account.upstream and target.upstream):
        for known in (account, target) if target else (account,):
            refuse_upstream(known)


def refuse_ended(hold: Hold, now: datetime, approval_id: UUID | None, owner_id: UUID | None) -> None:
    """Only who a hold was placed for ends it, and once."""
    if hold.approval_id != approval_id:
        raise StateConflict("The hold belongs to an approval.")
    if hold.owner_id != owner_id:
        raise StateConflict("The hold belongs to a payment or job that is under way, and only that ends it.")
    if hold.is_due(now):
        raise StateConflict("The hold is expired.")
    if hold.status != "pending":
        raise StateConflict(f"The hold is {hold.status}.")
