"""What an account refuses, each as a fact with a name."""

from bursar.core.ledger.model import Account, Balance
from bursar.core.ledger.outcomes import AccountFrozen, CurrencyNotAllowed, InsufficientFunds, StateConflict
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
