"""Chunks settled one after the other: each in a transaction whose fate is known before the next one begins."""

from collections.abc import Callable, Sequence
from uuid import UUID

from bursar.core.events import service as events
from bursar.core.idempotency.model import lock_of
from bursar.features.reconciliation.booking import ACTION, Booked, Plan, Source, book
from bursar.features.reconciliation.model import BadLine, ImportReport, Progress, total
from bursar.kernel.db import Busy, CommitLost, Database, OutcomeUnknown, UpstreamUnavailable, retrying
from bursar.kernel.money import Money

_ATTEMPTS = 5


class Clerk:
    """Settles the plans of one import; remembers which accounts exist."""

    def __init__(self, database: Database, tenant_id: UUID, source: Source, meanwhile: Callable[[], None]) -> None:
        """`meanwhile` is called when there is hardly more to do for a plan than to wait for the database."""
        self._database = database
        self._tenant_id = tenant_id
        self._source = source
        self._meanwhile = meanwhile
        self._lock = lock_of(tenant_id, ACTION, source.mapping)
        self._accounts: set[str] = set()

    async def settle(self, plan: Plan) -> Booked:
        """Book a plan and know what became of it; what is known to have had no effect is tried again."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                booked = await retrying(lambda: self._attempt(plan))
            except (Busy, UpstreamUnavailable):
                if not left:
                    raise
                continue
            if booked:
                self._accounts.update(number for m in booked.new for number in (m.source, m.target))
                return booked
        raise UpstreamUnavailable

    async def _attempt(self, plan: Plan) -> Booked | None:
        """One transaction, in turn with other imports of the mapping; None when its commit was lost without effect."""
        booked: Booked | None = None
        try:
            async with self._database.transaction(self._tenant_id, locks=[self._lock]) as tx:
                booked = await book(tx, self._source, plan, self._accounts, self._meanwhile)
        except CommitLost as lost:
            assert booked
            return booked if await self._took_effect(lost, booked.event_id) else None
        return booked

    async def _took_effect(self, lost: CommitLost, event_id: UUID | None) -> bool:
        if event_id is None:  # There was nothing to commit.
            return True
        fate = await self._database.fate_of(lost, self._tenant_id, lambda tx: events.has(tx, event_id))
        if fate == "unknown":
            raise OutcomeUnknown
        return fate == "committed"


class Tally:
    """What the settled chunks come to."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._new = self._already_there = self._opened = self._credits = self._debits = 0
        self._bad_lines: list[BadLine] = []

    def add(self, booked: Booked, unreadable: Sequence[BadLine]) -> None:
        """Add a chunk: what was booked of it, and its lines that could not be read."""
        self._new += len(booked.new)
        self._already_there += booked.already_there
        self._opened += len(booked.opened)
        self._credits += total(booked.new, "credit", self._currency).minor
        self._debits += total(booked.new, "debit", self._currency).minor
        self._bad_lines += sorted([*unreadable, *booked.refused], key=lambda bad: bad.line)

    def progress(self, bytes_read: int, bytes_in_all: int) -> Progress:
        """How far the import is."""
        return Progress(bytes_read, bytes_in_all, self._new, self._already_there, len(self._bad_lines))

    def report(self) -> ImportReport:
        """What the import did."""
        lines = self._new + self._already_there + len(self._bad_lines)
        credits, debits = Money(self._credits, self._currency), Money(self._debits, self._currency)
        return ImportReport(lines, self._new, self._already_there, self._opened, credits, debits, self._bad_lines)
