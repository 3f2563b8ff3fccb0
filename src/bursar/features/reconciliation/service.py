"""The verbs of reconciliation: bring a bank's statement into the book, compare the book with it."""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from io import BufferedReader
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from uuid import UUID

from bursar.features.reconciliation import store
from bursar.features.reconciliation.ahead import Ahead
from bursar.features.reconciliation.booking import Plan, Source, plan
from bursar.features.reconciliation.mapping import Mapping
from bursar.features.reconciliation.model import (
    BadLine,
    CannotReadFile,
    ImportReport,
    Progress,
    ReconciliationReport,
    compare,
)
from bursar.features.reconciliation.reading import Chunk, chunks, read_printed, read_statement
from bursar.features.reconciliation.settling import Clerk, Tally
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money


async def import_statement(
    database: Database,
    tenant_id: UUID,
    path: Path,
    mapping: Mapping,
    on_progress: Callable[[Progress], None],
    movements_at_once: int = 2000,
) -> ImportReport:
    """Book every movement of the file that is not booked yet, chunk by chunk, each chunk in one transaction.

    It may be stopped at any moment and run again: what was committed is found by its reference and left as it is.
    """
    with _opened(path) as file:
        sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        file.seek(0)
        source = Source(show("import", new_id()), _printable(path.name), sha256, mapping.name, mapping.currency)
        of_file = chunks(read_statement(file, mapping), movements_at_once)
        tally = Tally(mapping.currency)
        async with aclosing(Ahead(lambda: _next_plan(of_file, file))) as ahead:
            clerk = Clerk(database, tenant_id, source, ahead.begin)
            while found := await ahead.next():
                planned, bad_lines, bytes_read = found
                tally.add(await clerk.settle(planned), bad_lines)
                on_progress(tally.progress(bytes_read, size))
    return tally.report()


def _next_plan(of_file: Iterator[Chunk], file: BufferedReader) -> tuple[Plan, Sequence[BadLine], int] | None:
    """The next chunk as a plan, with its bad lines and where it ends in the file."""
    chunk = next(of_file, None)
    return (plan(chunk.movements), chunk.bad_lines, file.tell()) if chunk else None


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
