"""The verbs of reconciliation: bring a bank's statement into the book, compare the book with it."""

import asyncio
import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from io import BufferedReader
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from uuid import UUID

from bursar.core.events import service as events
from bursar.core.idempotency.model import lock_of
from bursar.features.reconciliation import store
from bursar.features.reconciliation.booking import ACTION, Booked, Plan, Source, book, plan
from bursar.features.reconciliation.mapping import Mapping
from bursar.features.reconciliation.model import (
    BadLine,
    CannotReadFile,
    ImportReport,
    Progress,
    ReconciliationReport,
    compare,
    total,
)
from bursar.features.reconciliation.reading import Chunk, chunks, read_printed, read_statement
from bursar.kernel.db import Busy, CommitLost, Database, OutcomeUnknown, retrying
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money

_MOVEMENTS_A_CHUNK = 2000
_ATTEMPTS = 5


async def import_statement(
    database: Database, tenant_id: UUID, path: Path, mapping: Mapping, on_progress: Callable[[Progress], None]
) -> ImportReport:
    """Book every movement of the file that is not booked yet, chunk by chunk, each chunk in one transaction.

    It may be stopped at any moment and run again: what was committed is found by its reference and left as it is.
    """
    with _opened(path) as file:
        sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        file.seek(0)
        source = Source(show("import", new_id()), _printable(path.name), sha256, mapping.name, mapping.currency)
        tally = _Tally(mapping.currency)
        async with aclosing(_Ahead(file, chunks(read_statement(file, mapping), _MOVEMENTS_A_CHUNK))) as ahead:
            while found := await ahead.next():
                bad_lines, planned, bytes_read = found
                tally.add(bad_lines, await _settled(database, tenant_id, source, planned, tally.accounts, ahead.begin))
                on_progress(tally.progress(bytes_read, size))
    return tally.report()


class _Ahead:
    """Reads the next chunk in a thread while the database works on the one before."""

    def __init__(self, file: BufferedReader, of_file: Iterator[Chunk]) -> None:
        self._file = file
        self._of_file = of_file
        self._coming: asyncio.Task[tuple[Sequence[BadLine], Plan, int] | None] | None = None

    def begin(self) -> None:
        """Begin to read, if nobody did yet."""
        self._coming = self._coming or asyncio.create_task(asyncio.to_thread(self._read))

    async def next(self) -> tuple[Sequence[BadLine], Plan, int] | None:
        """A chunk as its bad lines, its plan and where it ends in the file; None after the last."""
        self.begin()
        assert self._coming
        found = await self._coming
        self._coming = None
        return found

    async def aclose(self) -> None:
        """Leave no thread behind."""
        if self._coming:
            await asyncio.wait([self._coming])

    def _read(self) -> tuple[Sequence[BadLine], Plan, int] | None:
        chunk = next(self._of_file, None)
        return (chunk.bad_lines, plan(chunk.movements), self._file.tell()) if chunk else None


@contextmanager
def _opened(path: Path) -> Generator[BufferedReader]:
    if path.exists() and not path.is_file():
        raise CannotReadFile("not a regular file")
    try:
        file = path.open("rb")
    except OSError as error:
        raise CannotReadFile(error.strerror or "unknown error") from error
    with file:
        yield file


def _printable(name: str) -> str:
    """A file's name as text: the operating system allows bytes in it that are none."""
    return name.encode(errors="replace").decode()


class _Tally:
    """What the chunks committed so far come to."""

    def __init__(self, currency: str) -> None:
        self.accounts: set[str] = set()
        self._currency = currency
        self._new = self._already_there = self._opened = self._credits = self._debits = 0
        self._bad_lines: list[BadLine] = []

    def add(self, unreadable: Sequence[BadLine], booked: Booked) -> None:
        self.accounts.update(number for m in booked.new for number in (m.source, m.target))
        self._new += len(booked.new)
        self._already_there += booked.already_there
        self._opened += len(booked.opened)
        self._credits += total(booked.new, "credit", self._currency).minor
        self._debits += total(booked.new, "debit", self._currency).minor
        self._bad_lines += sorted([*unreadable, *booked.refused], key=lambda bad: bad.line)

    def progress(self, bytes_read: int, bytes_in_all: int) -> Progress:
        return Progress(bytes_read, bytes_in_all, self._new, self._already_there, len(self._bad_lines))

    def report(self) -> ImportReport:
        lines = self._new + self._already_there + len(self._bad_lines)
        credits, debits = Money(self._credits, self._currency), Money(self._debits, self._currency)
        return ImportReport(lines, self._new, self._already_there, self._opened, credits, debits, self._bad_lines)


async def _settled(
    database: Database, tenant_id: UUID, source: Source, planned: Plan, accounts: set[str], meanwhile: Callable[[], None]
) -> Booked:
    """Book a chunk and know what became of it; what is known to have had no effect is tried again."""
    for _ in range(_ATTEMPTS):
        booked = await retrying(lambda: _attempt(database, tenant_id, source, planned, accounts, meanwhile))
        if booked:
            return booked
    raise Busy


async def _attempt(
    database: Database,
    tenant_id: UUID,
    source: Source,
    planned: Plan,
    accounts: set[str],
    meanwhile: Callable[[], None],
) -> Booked | None:
    """One transaction, in turn with other imports of the mapping; None when it is known to have had no effect."""
    booked: Booked | None = None
    try:
        async with database.transaction(tenant_id, locks=[lock_of(tenant_id, ACTION, source.mapping)]) as tx:
            booked = await book(tx, source, planned, accounts, meanwhile)
    except Busy:
        return None
    except CommitLost as lost:
        assert booked
        return booked if await _took_effect(database, tenant_id, lost, booked.event_id) else None
    return booked


async def _took_effect(database: Database, tenant_id: UUID, lost: CommitLost, event_id: UUID | None) -> bool:
    if event_id is None:  # There was nothing to commit.
        return True
    fate = await database.fate_of(lost, tenant_id, lambda tx: events.has(tx, event_id))
    if fate == "unknown":
        raise OutcomeUnknown
    return fate == "committed"


async def reconcile(
    database: Database, tenant_id: UUID, path: Path, mapping: Mapping, tolerance_minor: int
) -> ReconciliationReport:
    """Compare the balances that the bank printed with the ledger's, at the end of every day of every account."""
    with _opened(path) as file:
        printed = read_printed(file, mapping)
    currency, accounts = mapping.currency, list(printed.balances)
    start, until = _midnight(printed.first), _midnight(printed.last + timedelta(days=1))
    async with database.transaction(tenant_id, read_only=True) as tx:
        held = await store.sum_statements(tx, accounts, currency, start, until)
        ends = await store.list_day_ends(tx, accounts, currency, until)
    by_account = {number: [(day, minor) for _, day, minor in rows] for number, rows in groupby(ends, itemgetter(0))}
    return ReconciliationReport(
        held.movements,
        held.accounts,
        Money(held.credits_minor, currency),
        Money(held.debits_minor, currency),
        sum(len(days) for days in printed.balances.values()),
        compare(printed.balances, by_account, currency, tolerance_minor),
        printed.bad_lines,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
