"""The story language of the ledger's tests: one line for each movement, played through the desk like any request.

    alice has 100.00 USD                                      (opens the account if need be, and pays in)
    alice opens in USD [debit] [floor none | floor -50.00]    alice frozen | open | closed [!]
    alice -> bob 30.00 USD [on 2020-02-01] [as t1]            entry: alice -> bob 9.00 USD, alice -> fees 1.00 USD
    alice holds 20.00 USD as h1 [for bob] [until +0.2s]       h1 runs out    (waits for the database's clock)
    capture h1 [5.00] [to bob] [as t2]                        release h1
    reverse t1 [2.00] [as t3]                                 agent: ORDER   (asked with an agent's key)
    batch: ORDER; ORDER !; ORDER    (each on its own)         together: ORDER; ORDER    (all or none)

    alice = 70.00 USD     alice held 20.00 USD     alice available 50.00 USD     h1 is posted [5.00]

An order that ends in `!` is refused; `! insufficient_funds` says by which code, `! state_conflict: is closed` also
what the detail contains. What follows # is a comment.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.desk import Desk
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity.model import KeyCredential
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.model import Account, AccountStatus
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import Done
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money, read_amount
from bursar.kernel.refusal import Refusal
from tests.people import enrol
from tests.story_orders import AMOUNT, Reader

FUNDING = "world:funding:"
MONEY = rf"(-?{AMOUNT}) ([A-Z]{{3}})"


@dataclass(slots=True)
class Story:
    """A tenant with an operator and an agent who ask, and the ids that lines gave names to."""

    database: Database
    tenant_id: UUID
    operator: KeyCredential
    agent: KeyCredential
    desk: Desk
    names: dict[str, UUID] = field(default_factory=dict[str, UUID])

    @classmethod
    async def begin(cls, database: Database, tenant_id: UUID) -> "Story":
        """Start with an empty book."""
        operator = await enrol(database, tenant_id, "operator", "teller")
        agent = await enrol(database, tenant_id, "agent", "spender")
        return cls(database, tenant_id, operator, agent, Desk(database, assess))

    async def tell(self, text: str) -> None:
        """Play the lines one after the other; the first that does not come true fails the test."""
        for raw in text.splitlines():
            line = raw.partition("#")[0].strip()
            if line:
                await self._play(line)

    async def try_line(self, line: str) -> bool:
        """Ask for one order and tell whether it was done; for races, whose outcome no line can know."""
        (outcome,) = await self.carry_out([Reader(self.names, world=True).read(line)])
        return isinstance(outcome, Done)

    async def _play(self, line: str) -> None:
        for pattern, verb in _FACTS:
            if found := re.fullmatch(pattern, line):
                await verb(self, *found.groups())
                return
        agent = line.startswith("agent: ")
        await self._order(line.removeprefix("agent: "), self.agent if agent else self.operator)

    async def _order(self, line: str, who: KeyCredential) -> None:
        reader = Reader(self.names, world=who == self.operator)
        parts = line.removeprefix("batch: ").split(";") if line.startswith("batch: ") else [line]
        wanted = [part.partition("!") for part in parts]
        outcomes = await self.carry_out([_read(reader, order) for order, _, _ in wanted], who)
        for part, (_, refused, why), outcome in zip(parts, wanted, outcomes, strict=True):
            _check(part, why if refused else None, outcome)

    async def carry_out(self, orders: Sequence[Order], who: KeyCredential | None = None) -> list[Told]:
        """Have the orders carried out as one request of `who` (the operator), and return what became of each."""
        kept: list[Told] = []

        def answer(outcomes: Sequence[Told]) -> Answer:
            # What has to be tried again is answered again.
            kept[:] = outcomes
            return Answer(200, b"")

        ask = Ask(who or self.operator, ACTIONS["create_transfers"], "story", Claim(new_id().hex, bytes(32)))
        reply = await self.desk.submit(Instruction(ask, lambda _: orders, answer, len(orders)))
        assert isinstance(reply, Answer), reply
        return kept

    async def opens(self, number: str, currency: str, debit: str | None, floor: str | None) -> None:
        """Open an account; the floor is zero unless it says otherwise."""
        amount = floor.removeprefix("-") if floor and floor != "none" else None
        limit = -read_amount(amount, currency).minor if amount else None if floor else 0
        order = OpenAccount(number, number, currency, "debit" if debit else "credit", limit)
        async with self.database.transaction(self.tenant_id) as tx:
            await accounts.open_account(tx, order)

    async def has(self, number: str, amount: str, currency: str) -> None:
        """Pay an amount in from outside."""
        world = OpenAccount(FUNDING + currency, "outside", currency, floor_minor=None)
        async with self.database.transaction(self.tenant_id) as tx:
            await accounts.open_many(tx, [world, OpenAccount(number, number, currency)])
        if float(amount):
            await self.tell(f"{world.number} -> {number} {amount} {currency}")

    async def becomes(self, number: str, status: AccountStatus, refused: str | None) -> None:
        """Change an account's status."""
        outcome: Account | Refusal
        try:
            async with self.database.transaction(self.tenant_id) as tx:
                outcome = await accounts.change_status(tx, number, status)
        except Refusal as refusal:
            outcome = refusal
        _check(f"{number} {status}", refused, outcome)

    async def stands(self, number: str, which: str, amount: str, currency: str) -> None:
        """Compare a balance."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            account = await reading.find_account(tx, number)
        balance = account.balance
        minor = {"=": balance.posted, "held": balance.held, "available": balance.available}[which]
        assert f"{number} {which} {Money(minor, account.currency)} {account.currency}" == (
            f"{number} {which} {amount} {currency}"
        )

    async def hold_is(self, name: str, status: str, captured: str | None) -> None:
        """Compare a hold's status, and how much of it was captured."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            hold = await reading.find_hold(tx, self.names[name])
        assert (name, hold.status) == (name, status)
        if captured:
            assert f"{name} captured {Money(hold.captured_minor, hold.currency)}" == f"{name} captured {captured}"

    async def runs_out(self, name: str) -> None:
        """Let the database wait until its own clock says that the hold is over."""
        async with self.database.transaction(self.tenant_id) as tx:
            hold = await reading.find_hold(tx, self.names[name])
            await tx.run("SELECT pg_sleep(extract(epoch FROM $1::timestamptz - clock_timestamp()))", hold.expires_at)


def _read(reader: Reader, line: str) -> Order:
    return reader.read_together(line.removeprefix("together: ")) if line.startswith("together: ") else reader.read(line)


def _check(line: str, why: str | None, outcome: Told | Account | Refusal) -> None:
    """`why` is None for what must be done, else what follows its exclamation mark."""
    if why is None:
        assert not isinstance(outcome, Refusal | PendingApproval), f"{line}: {outcome!r}"
        return
    assert isinstance(outcome, Refusal), f"{line}: {outcome!r}"
    code, _, fact = why.strip().partition(": ")
    assert (line, outcome.code) == (line, code or outcome.code)
    assert outcome.money_moved == "no"
    assert fact in outcome.detail, f"{line}: {outcome.detail}"


_FACTS: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"(\S+) opens in ([A-Z]{3})( debit)?(?: floor (\S+))?", Story.opens),
    (rf"(\S+) has {MONEY}", Story.has),
    (r"(\S+) (frozen|open|closed)(?: !(.*))?", Story.becomes),
    (rf"(\S+) (=|held|available) {MONEY}", Story.stands),
    (rf"(\S+) is (pending|posted|voided|expired)(?: ({AMOUNT}))?", Story.hold_is),
    (r"(\S+) runs out", Story.runs_out),
)
