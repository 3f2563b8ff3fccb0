"""Four ledgers play the same game and must agree: a plain one, the pure core, the service, and sums in SQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, LiteralString, NamedTuple, TypeAlias
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bursar.core.authority.model import PendingApproval
from bursar.core.identity import service as identity
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.book import Book
from bursar.core.ledger.decide import decide
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    Move,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
)
from bursar.core.ledger.outcomes import Outcome
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.core.ledger.pages import turned
from tests.core.ledger.plain import Plain, PlainAccount
from tests.stories import Story

# Number, whether debit-normal, floor.
ACCOUNTS = (("a", False, 0), ("b", False, 0), ("c", False, -5000), ("d", False, None), ("e", True, None))
NUMBERS = st.sampled_from([number for number, _, _ in ACCOUNTS])
MINORS = st.integers(1, 9000)
Made: TypeAlias = UUID | MultipleResults[UUID]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

SUMS: LiteralString = """
SELECT
    a.number,
    (SELECT coalesce(sum(change_minor), 0)::bigint FROM line AS l WHERE l.account_id = a.id),
    (SELECT coalesce(sum(amount_minor), 0)::bigint FROM hold AS h
     WHERE h.account_id = a.id AND h.status = 'pending' AND coalesce(h.expires_at > now(), true)),
    (SELECT count(*) FROM line AS l WHERE l.account_id = a.id)
FROM account AS a
"""


class Game(RuleBasedStateMachine):
    """Each rule gives one order to all ledgers."""

    holds = Bundle[UUID]("holds")
    entries = Bundle[UUID]("entries")

    url: ClassVar[str]

    def __init__(self) -> None:
        """Begin with a tenant of its own in the database of `url`."""
        super().__init__()
        self.loop = asyncio.Runner()
        self.plain = Plain()
        self.database = self.loop.run(Database.open(self.url, connections=2))
        self.story = self.loop.run(self._begin())
        self.book = Book.of(datetime.now(UTC), self.loop.run(self._accounts()))

    async def _begin(self) -> Story:
        tenant_id = new_id()
        async with self.database.transaction(tenant_id) as tx:
            await identity.create_tenant(tx, tenant_id.hex)
            for number, debit, floor in ACCOUNTS:
                side = "debit" if debit else "credit"
                await accounts.open_account(tx, OpenAccount(number, number, "USD", side, floor))
                self.plain.accounts[number] = PlainAccount(debit, floor)
        return await Story.begin(self.database, tenant_id)

    async def _accounts(self) -> list[Account]:
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            return [await reading.find_account(tx, number) for number, _, _ in ACCOUNTS]

    def teardown(self) -> None:
        self.loop.run(self.database.close())
        self.loop.close()

    def play(self, order: SingleOrder) -> bool:
        """Give the order to all; they must say the same. Tells whether it was done."""
        expected = self.plain.carry_out(order)
        self.book = replace(self.book, now=datetime.now(UTC))
        (decided,), page = decide(self.book, [order])
        (served,) = self.loop.run(self.story.carry_out([order]))
        assert (order, _code(decided), _code(served)) == (order, expected, expected)
        self.book = turned(self.book, page)
        return not expected

    def made(self, order: SingleOrder, made: UUID) -> Made:
        """Play the order; what it made can be named by later ones, if it was done."""
        nothing: MultipleResults[UUID] = multiple()
        return made if self.play(order) else nothing

    @initialize(target=entries)
    def pay_in(self) -> MultipleResults[UUID]:
        orders = [SendMoney(new_id(), new_id(), (Move("d", number, Money(5000, "USD")),)) for number in ("a", "b", "c")]
        for order in orders:
            assert self.play(order)
        return multiple(*(order.entry_id for order in orders))

    @rule(target=entries, source=NUMBERS, to=NUMBERS, minor=MINORS)
    def send(self, source: str, to: str, minor: int) -> Made:
        order = SendMoney(new_id(), new_id(), (Move(source, to, Money(minor, "USD")),))
        return self.made(order, order.entry_id)

    @rule(target=entries, ends=st.lists(st.tuples(NUMBERS, NUMBERS, MINORS), min_size=2, max_size=4))
    def send_several(self, ends: list[tuple[str, str, int]]) -> Made:
        moves = tuple(Move(source, to, Money(minor, "USD")) for source, to, minor in ends)
        order = SendMoney(new_id(), new_id(), moves)
        return self.made(order, order.entry_id)

    @rule(target=holds, number=NUMBERS, to=st.none() | NUMBERS, minor=MINORS)
    def place(self, number: str, to: str | None, minor: int) -> Made:
        order = PlaceHold(new_id(), new_id(), number, to, Money(minor, "USD"))
        return self.made(order, order.hold_id)

    @rule(target=entries, hold=holds, minor=st.none() | MINORS, to=st.none() | NUMBERS)
    def capture(self, hold: UUID, minor: int | None, to: str | None) -> Made:
        amount = str(Money(minor, "USD")) if minor else None
        order = CaptureHold(new_id(), new_id(), hold, amount, to)
        return self.made(order, order.entry_id)

    @rule(hold=holds)
    def release(self, hold: UUID) -> None:
        self.play(ReleaseHold(new_id(), hold))

    @rule(hold=consumes(holds))
    def run_out(self, hold: UUID) -> None:
        """The clock cannot be turned, so the hold's end is moved before now; only pending ones have one."""
        if self.plain.holds[hold].status != "pending":
            return
        self.loop.run(self._move_end(hold))
        self.plain.run_out(self.plain.holds[hold])
        self.book.holds[hold] = replace(self.book.holds[hold], expires_at=LONG_AGO)
        _, page = decide(self.book, [ExpireHold(new_id(), hold)])
        self.book = turned(self.book, page)

    async def _move_end(self, hold: UUID) -> None:
        async with self.database.transaction(self.story.tenant_id) as tx:
            await tx.run("UPDATE hold SET expires_at = $2 WHERE id = $1", hold, LONG_AGO)

    @rule(target=entries, entry=entries, minor=st.none() | MINORS)
    def reverse(self, entry: UUID, minor: int | None) -> Made:
        order = ReverseEntry(new_id(), new_id(), entry, str(Money(minor, "USD")) if minor else None)
        return self.made(order, order.entry_id)

    @rule(number=NUMBERS)
    def freeze_or_unfreeze(self, number: str) -> None:
        account = self.plain.accounts[number]
        account.frozen = not account.frozen
        status = "frozen" if account.frozen else "open"
        self.loop.run(self.story.becomes(number, status, None))
        known = self.book.accounts[self.book.numbers[number]]
        self.book.accounts[known.id] = known._replace(status=status)

    @invariant()
    def all_agree(self) -> None:
        """The four say the same of every account."""
        plain = {number: (a.posted, a.held, a.version) for number, a in self.plain.accounts.items()}
        assert {a.number: tuple(a.balance) for a in self.book.accounts.values()} == plain
        assert {a.number: tuple(a.balance) for a in self.loop.run(self._accounts())} == plain
        assert self.loop.run(self._sums()) == plain

    async def _sums(self) -> dict[str, tuple[int, int, int]]:
        async with self.database.transaction(self.story.tenant_id, read_only=True) as tx:
            return {row.number: (row.posted, row.held, row.version) for row in await tx.rows(_Sum, SUMS)}


class _Sum(NamedTuple):
    number: str
    posted: int
    held: int
    version: int


def _code(outcome: Outcome | PendingApproval) -> str:
    return outcome.code if isinstance(outcome, Refusal) else ""


def _play(url: str, games: int, orders: int) -> None:
    here = type("Here", (Game,), {"url": url})
    run_state_machine_as_test(here, settings=settings(max_examples=games, stateful_step_count=orders))


def test_four_ledgers_agree(database_url: str) -> None:
    _play(database_url, games=20, orders=40)


@pytest.mark.soak
def test_four_ledgers_agree_in_long_games(database_url: str) -> None:
    _play(database_url, games=300, orders=120)
