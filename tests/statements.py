"""A bank's statements for tests: lines in the shape of the Berka data, and an office that imports and compares them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from uuid import UUID

from bursar.core.ledger import reading
from bursar.features.reconciliation import service
from bursar.features.reconciliation.mapping import find_mapping
from bursar.features.reconciliation.model import ImportReport, Progress, ReconciliationReport
from bursar.kernel.db import Database

BERKA = find_mapping("berka")
HEADER = "trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account"
SAMPLE = Path(str(files("bursar.features.reconciliation") / "sample" / "berka.csv"))


def line(
    reference: str = "1",
    account: str = "1787",
    date: str = "930101",
    kind: str = "PRIJEM",
    amount: str = "100.00",
    balance: str = "100.00",
    operation: str = "VKLAD",
    symbol: str = "",
) -> str:
    """A credit of 100.00 in cash, but for what is said otherwise."""
    return f"{reference};{account};{date};{kind};{operation};{amount};{balance};{symbol};;"


def no_progress(progress: Progress) -> None:
    """For tests that do not look at it."""


@dataclass(frozen=True, slots=True)
class Office:
    """Imports and compares files for one tenant."""

    database: Database
    tenant_id: UUID
    folder: Path

    def write(self, *lines: str) -> Path:
        """A file of these lines after the header."""
        path = self.folder / "statement.csv"
        path.write_bytes("".join(f"{text}\r\n" for text in (HEADER, *lines)).encode())
        return path

    async def bring(
        self, path: Path, on_progress: Callable[[Progress], None] = no_progress, at_once: int = 2000
    ) -> ImportReport:
        """Import a file."""
        return await service.import_statement(self.database, self.tenant_id, path, BERKA, on_progress, at_once)

    async def bring_lines(self, *lines: str) -> ImportReport:
        """Import a file of these lines."""
        return await self.bring(self.write(*lines))

    async def compare(self, path: Path, tolerance_minor: int = 100) -> ReconciliationReport:
        """Compare a file with the book."""
        return await service.reconcile(self.database, self.tenant_id, path, BERKA, tolerance_minor)

    async def balance(self, number: str) -> int:
        """An account's balance in minor units."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            return (await reading.find_account(tx, number)).balance.posted

    async def counts(self) -> tuple[int, int, int]:
        """How many entries, booked references and events there are."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            entries = await tx.value(int, "SELECT count(*) FROM entry")
            booked = await tx.value(int, "SELECT count(*) FROM statement_movement")
            return entries, booked, await tx.value(int, "SELECT count(*) FROM event")
