"""What a process remembers of accounts: learnt in one round trip, and made room for by what was learnt first."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from bursar.core.authority import memory
from bursar.core.authority.memory import Memory, Room
from bursar.core.ledger import accounts
from bursar.core.ledger import service as ledger
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.model import Account, AccountRef
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, Unforeseen
from bursar.kernel.ids import new_id


@pytest.fixture
async def remembered(database: Database, tenant_id: UUID) -> Memory:
    """A memory that knows nothing yet of the accounts a-0 to a-9."""
    async with database.transaction(tenant_id) as tx:
        await accounts.open_many(tx, [OpenAccount(f"a-{n}", "", "USD") for n in range(10)])
    return Memory(database, tenant_id, Room(), assess)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[AccountRef]]:
    """What the database was asked for."""
    seen: list[set[AccountRef]] = []
    real = ledger.recall

    async def recall(database: Database, tenant_id: UUID, refs: Iterable[AccountRef]) -> tuple[list[Account], datetime]:
        seen.append(set(refs))
        return await real(database, tenant_id, refs)

    monkeypatch.setattr(ledger, "recall", recall)
    return seen


async def test_accounts_are_learnt_by_number_and_by_id_without_a_transaction(
    remembered: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await remembered.book(["a-0"])
    (known,) = first.accounts.values()
    remembered.forget((), [known.id])

    def transaction(*_: Any, **__: Any) -> None:
        raise AssertionError("one statement is enough")

    monkeypatch.setattr(Database, "transaction", transaction)
    book = await remembered.book([known.id, "a-1", "a-2"])
    assert {account.number for account in book.accounts.values()} == {"a-0", "a-1", "a-2"}
    assert book.accounts[known.id] == known
    assert book.now >= first.now


async def test_what_is_not_there_is_unforeseen(remembered: Memory) -> None:
    for ref in ("a-10", new_id()):
        with pytest.raises(Unforeseen):
            await remembered.book(["a-0", ref])


async def test_room_is_made_by_those_learnt_first(
    remembered: Memory, asked: list[set[AccountRef]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MOST_ACCOUNTS", 5)
    for numbers in (("a-0", "a-1"), ("a-2", "a-3"), ("a-4", "a-5"), ("a-6", "a-7"), ("a-4", "a-6"), ("a-0", "a-4")):
        await remembered.book(numbers)
    assert asked == [{"a-0", "a-1"}, {"a-2", "a-3"}, {"a-4", "a-5"}, {"a-6", "a-7"}, {"a-0"}]
