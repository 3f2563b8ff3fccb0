"""The sandbox's provider: in this process, deterministic, with books of its own, so that asking works after a crash.

It keeps its side in its own tables and transactions, as a provider does on the other side of the network.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bursar.features.payments import signing
from bursar.features.payments.ports import (
    BalanceTransaction,
    Charge,
    Follow,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Payout,
    ProviderEvent,
    ProviderRefused,
    Question,
    Report,
)
from bursar.features.payments.providers import sandbox_acting as acting
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers import sandbox_telling as telling
from bursar.features.payments.providers.magic import Fault, magic_of
from bursar.features.payments.registry import Clock, system_clock
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Database, Tx

NAME = "sandbox"


class SandboxProvider:
    """One tenant's account at the sandbox's provider."""

    name = NAME
    key_window_seconds = 86_400

    def __init__(self, database: Database, tenant_id: UUID, clock: Clock = system_clock) -> None:
        """It shares the service's database and nothing else of it."""
        self._database = database
        self._tenant_id = tenant_id
        self._clock = clock

    async def charge(self, order: Charge) -> Report:
        """Create and confirm a payment: what happens is chosen by the method."""
        magic, asked = magic_of(order.method), canonical(order._asdict())

        async def do(tx: Tx) -> bool:
            return await acting.charged(tx, order, magic, asked, self._clock())

        return await self._do(order.key, magic.fault, do)

    async def follow(self, order: Follow) -> Report:
        """Capture, cancel or refund."""
        async with self._database.transaction(self._tenant_id) as tx:
            charge = await store.lock_charge(tx, order.reference)
        if charge is None:
            raise ProviderRefused("no_such_payment")
        magic, refunds = magic_of(charge.method), order.kind == "refund"
        if refunds and magic.refund_decline:
            raise ProviderRefused(magic.refund_decline)

        async def do(tx: Tx) -> bool:
            locked = await store.lock_charge(tx, order.reference)
            assert locked
            return await acting.act_on(tx, order, locked, canonical(order._asdict()), self._clock())

        return await self._do(order.key, magic.refund_fault if refunds else None, do)

    async def pay_out(self, order: Payout) -> Report:
        """Pay out of the balance: it is under way until the bank has it."""
        magic = magic_of(order.destination)

        async def do(tx: Tx) -> bool:
            return await acting.paid_out(tx, order, magic, canonical(order._asdict()), self._clock())

        return await self._do(order.key, magic.fault, do)

    async def _do(self, key: str, fault: Fault | None, do: Callable[[Tx], Awaitable[bool]]) -> Report:
        """Do it once, and have go wrong what is to go wrong the first time."""
        async with self._database.transaction(self._tenant_id) as tx:
            if fault in ("before", "unsent") and await store.note_first(tx, key, self._clock()):
                new = True
            else:
                new = await do(tx) and fault not in ("before", "unsent")
        if new and fault:
            raise {"unsent": NotSent, "malformed": Malformed}.get(fault, OutcomeUnknown)
        report = await self._stands(key)
        assert report
        if report.standing == "failed" and report.failure and report.kind in ("charge", "payout"):
            raise ProviderRefused(report.failure, report.reference)
        return report

    async def ask(self, question: Question) -> Report | None:
        """How a call stands, by its key."""
        return await self._stands(question.key)

    async def _stands(self, key: str) -> Report | None:
        async with self._database.transaction(self._tenant_id) as tx:
            return await telling.report_of(tx, key)

    def read_event(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
    ) -> ProviderEvent:
        """An event as this provider tells it, signed in Stripe's scheme."""
        signing.verify(body, headers.get(signing.HEADER), secrets, now)
        return telling.read_event(body)

    def parse_event(self, body: bytes) -> ProviderEvent:
        """An event that was verified when it came."""
        return telling.read_event(body)

    async def list_balance_transactions(
        self, since: datetime, until: datetime, after: str | None = None, limit: int = 100
    ) -> list[BalanceTransaction]:
        """Its books."""
        async with self._database.transaction(self._tenant_id) as tx:
            return [telling.row_of(row) for row in await store.list_transactions(tx, since, until, after, limit)]

    async def balances(self) -> dict[str, int]:
        """What the tenant has here in each currency, in minor units."""
        async with self._database.transaction(self._tenant_id) as tx:
            return await store.balances(tx)
