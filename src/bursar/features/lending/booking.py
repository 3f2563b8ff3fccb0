"""The accounts of loans in the general ledger, and how the arrows of loans are posted to them.

Their numbers begin with `world:`: what borrowers owe is outside the book, and nobody but Bursar and operators with
`world:move` posts there.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from bursar.core.authority.settling import Ground, settle
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.features.lending.postings import Account, Movement
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal

# The short ones fit the number of an account with the longest code of a product.
SHORT: Mapping[Account, str] = {"provision_expense": "provisions"}
DEBIT: frozenset[Account] = frozenset({"principal", "interest", "fees", "penalties", "provision_expense"})
ACCOUNTS: tuple[Account, ...] = (
    "funding", "principal", "interest", "fees", "penalties", "credit", "allowance", "interest_income", "fee_income",
    "penalty_income", "recovery_income", "provision_expense",
)  # fmt: skip


def number_of(product: str, currency: str, account: Account) -> str:
    """The number of an account of a product's loans."""
    return f"world:loans:{product}:{currency}:{SHORT.get(account, account)}"


async def open_accounts(tx: Tx, product: str, currency: str) -> None:
    """Open the accounts of a product's loans, as far as they are not there."""
    await accounts.open_many(
        tx,
        [
            OpenAccount(
                number_of(product, currency, account), f"Loans {product}: {account.replace('_', ' ')}", currency,
                "debit" if account in DEBIT else "credit", None,
            )
            for account in ACCOUNTS
        ],
    )  # fmt: skip


async def book(
    tx: Tx,
    ground: Ground,
    product: str,
    currency: str,
    movements: Iterable[Movement],
    what: str,
    on: date | None = None,
) -> None:
    """Post what went along the arrows of loans of a product, as one entry with the sum of each arrow."""
    sums: dict[tuple[Account, Account], int] = {}
    for source, target, minor in movements:
        sums[source, target] = sums.get((source, target), 0) + minor
    moves = tuple(
        Move(number_of(product, currency, source), number_of(product, currency, target), Money(minor, currency))
        for (source, target), minor in sums.items()
    )
    if not moves:
        return
    at = datetime.combine(on, time(), UTC) if on else None
    order = SendMoney(new_id(), new_id(), moves, "loan", at, what, {"loan_product": product}, world=True)
    (outcome,) = await settle(tx, ground, [order])
    if not isinstance(outcome, Done):
        assert isinstance(outcome, Refusal)
        raise outcome
