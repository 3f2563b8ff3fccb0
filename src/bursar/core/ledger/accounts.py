"""The verbs of accounts: open, find, list, change status; balances and statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from bursar.core.ledger import reading, store
from bursar.core.ledger.model import WORLD, Account, AccountRef, AccountStatus, Balance, Metadata, NormalSide
from bursar.core.ledger.outcomes import StateConflict, UnknownAccount
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read
from bursar.kernel.money import exponent_of
from bursar.kernel.refusal import Conflict, InvalidArgument


class NumberTaken(Conflict):
    """Another account has this number."""

    next: ClassVar[str] = "Read that account with GET /v1/accounts/{account}, or choose another number."

    @property
    def code(self) -> str:
        """A clash of numbers is a state conflict."""
        return "state_conflict"


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account as its opener describes it. `floor_minor`: None, 0, or minus a credit limit, in minor units."""

    number: str
    name: str
    currency: str
    normal_side: NormalSide = "credit"
    floor_minor: int | None = 0
    metadata: Metadata | None = None


async def open_account(tx: Tx, order: OpenAccount) -> Account:
    """Open an account with zero balances."""
    exponent_of(order.currency)
    if read("acct", order.number):
        raise InvalidArgument("number", "has the form of an account's id")
    if order.number.startswith(WORLD) and order.floor_minor is not None:
        raise InvalidArgument("floor", "a world account has no floor: it stands for what is outside the book")
    now = await reading.clock(tx)
    account = _new(order, now)
    if not await store.insert_account(tx, account):
        raise NumberTaken
    return account


async def open_many(tx: Tx, orders: Sequence[OpenAccount]) -> None:
    """Open those accounts whose numbers are free; for imports, which may have opened some before."""
    now = await reading.clock(tx)
    await store.insert_accounts(tx, [_new(order, now) for order in orders])


def _new(order: OpenAccount, now: datetime) -> Account:
    return Account(
        new_id(), order.number, order.name, order.currency, order.normal_side, order.floor_minor, "open",
        Balance(0, 0, 0), order.metadata or {}, now,
    )  # fmt: skip


async def live_upstream(tx: Tx, ref: AccountRef, number: str) -> Account:
    """From now on the money of this account lives upstream, under this number there, for good.

    Refuses an account that holds money or did before, and a number that another account has.
    """
    accounts, _ = await store.lock_accounts(tx, [ref])
    if not accounts:
        raise UnknownAccount("account")
    (account,) = accounts
    if account.upstream is not None:
        raise StateConflict(f"{account.number} lives upstream already, as {account.upstream}.")
    if account.status != "open":
        raise StateConflict(f"{account.number} is {account.status}.")
    if account.balance != Balance(0, 0, 0):
        raise StateConflict(f"{account.number} has been used in this book.")
    if account.is_world or account.normal_side != "credit":
        raise StateConflict(f"{account.number} is one of this book's own accounts.")
    other = await store.find_by_upstream(tx, number)
    if other is not None:
        raise StateConflict(f"{other} has that number upstream.")
    await store.mark_upstream(tx, account.id, number)
    return await reading.find_account(tx, account.id)


_ALLOWED: dict[AccountStatus, tuple[AccountStatus, ...]] = {
    "frozen": ("open",),
    "open": ("frozen",),
    "closed": ("open", "frozen"),
}


async def change_status(tx: Tx, ref: AccountRef, status: AccountStatus) -> Account:
    """Freeze, unfreeze or close; under the same lock as money, so nothing new leaves after a freeze commits."""
    accounts, _ = await store.lock_accounts(tx, [ref])
    if not accounts:
        raise UnknownAccount("account")
    (account,) = accounts
    if account.status not in _ALLOWED[status]:
        raise StateConflict(f"{account.number} is {account.status}.")
    if status == "closed" and (account.balance.posted or account.balance.held):
        raise StateConflict(f"{account.number} still has a balance or holds.")
    await store.mark_account(tx, account.id, status)
    return await reading.find_account(tx, account.id)


async def ids_of(tx: Tx, numbers: Sequence[str]) -> dict[str, UUID]:
    """The ids of these numbers, where they exist."""
    return await reading.ids_of(tx, numbers)
