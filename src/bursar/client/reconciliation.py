"""Reconciliation: file what the outside says, compare three ways, settle what differs."""

import base64
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any, Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.reconciliation import (
    BankStatement,
    BreakKind,
    BreakState,
    Imported,
    ReconciliationBreak,
    ReconciliationMatch,
    ReconciliationRun,
)
from bursar.wire.transfers import Transfer

_PATH = "/v1/reconciliation"


class Reconciliation(Room):
    """People import, run and settle; agents read."""

    async def import_bank_statement(
        self,
        *,
        source: str,
        format: Literal["csv", "camt053", "mt940"],
        content: bytes,
        mapping: Mapping[str, Any] | None = None,
        account: str | None = None,
        idempotency_key: str | None = None,
    ) -> Imported:
        """File a bank's statement, the bytes of its file; what was filed before is not filed again."""
        text = base64.b64encode(content).decode()
        body = given(source=source, format=format, content=text, mapping=mapping, account=account)
        return await self._change(Imported, "import_bank_statement", f"{_PATH}/statements", body, idempotency_key)

    async def list_bank_statements(
        self, *, source: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[BankStatement]:
        """Statements in the order of their filing, a page at a time."""
        query = given(source=source, cursor=cursor, limit=limit)
        return await self._read(Page[BankStatement], "list_bank_statements", f"{_PATH}/statements", query)

    async def import_provider_transactions(
        self, *, provider: str, content: bytes, idempotency_key: str | None = None
    ) -> Imported:
        """Keep a provider's balance transactions, as CSV: id,kind,day,currency,amount,fee,reference."""
        body = given(provider=provider, content=base64.b64encode(content).decode())
        path = f"{_PATH}/provider-transactions"
        return await self._change(Imported, "import_provider_transactions", path, body, idempotency_key)

    async def fetch_provider_transactions(
        self, *, provider: str, first_day: date, last_day: date, idempotency_key: str | None = None
    ) -> Imported:
        """Have a provider that the service is connected to asked for its balance transactions of these days."""
        body = {"provider": provider, "first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        path = f"{_PATH}/provider-transactions/fetch"
        return await self._change(Imported, "fetch_provider_transactions", path, body, idempotency_key)

    async def run_reconciliation(
        self,
        *,
        first_day: date,
        last_day: date,
        currency: str,
        account: str | None = None,
        source: str | None = None,
        bank_account: str | None = None,
        provider: str | None = None,
        clearing: str | None = None,
        tolerance_minor: int | None = None,
        days: int | None = None,
        far_days: int | None = None,
        counterparty_decides: bool | None = None,
        owner: str | None = None,
        idempotency_key: str | None = None,
    ) -> ReconciliationRun:
        """Compare what is named: `account` with `source` and `bank_account`, `clearing` with `provider`, or all."""
        body = given(
            first_day=first_day.isoformat(),
            last_day=last_day.isoformat(),
            currency=currency,
            account=account,
            source=source,
            bank_account=bank_account,
            provider=provider,
            clearing=clearing,
            tolerance_minor=tolerance_minor,
            days=days,
            far_days=far_days,
            counterparty_decides=counterparty_decides,
            owner=owner,
        )
        return await self._change(ReconciliationRun, "run_reconciliation", f"{_PATH}/runs", body, idempotency_key)

    async def list_reconciliation_runs(
        self, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[ReconciliationRun]:
        """Runs, oldest first, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[ReconciliationRun], "list_reconciliation_runs", f"{_PATH}/runs", query)

    async def get_reconciliation_run(self, run_id: str) -> ReconciliationRun:
        """One run and what it came to."""
        return await self._read(ReconciliationRun, "get_reconciliation_run", f"{_PATH}/runs/{segment(run_id)}")

    async def list_reconciliation_matches(
        self, run_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[ReconciliationMatch]:
        """What a run took for one, and why, a page at a time."""
        path = f"{_PATH}/runs/{segment(run_id)}/matches"
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[ReconciliationMatch], "list_reconciliation_matches", path, query)

    async def list_reconciliation_breaks(
        self,
        *,
        break_state: BreakState | None = None,
        break_kind: BreakKind | None = None,
        run: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[ReconciliationBreak]:
        """Breaks in the order in which they were found first, a page at a time."""
        query = given(break_state=break_state, break_kind=break_kind, run=run, cursor=cursor, limit=limit)
        return await self._read(Page[ReconciliationBreak], "list_reconciliation_breaks", f"{_PATH}/breaks", query)

    def iterate_reconciliation_breaks(
        self, *, break_state: BreakState | None = None, run: str | None = None
    ) -> AsyncIterator[ReconciliationBreak]:
        """All breaks in the order in which they were found first."""
        return items_of(
            lambda cursor: self.list_reconciliation_breaks(break_state=break_state, run=run, cursor=cursor, limit=500)
        )

    async def get_reconciliation_break(self, break_id: str) -> ReconciliationBreak:
        """One break as it stands."""
        return await self._read(ReconciliationBreak, "get_reconciliation_break", f"{_PATH}/breaks/{segment(break_id)}")

    async def accept_reconciliation_break(
        self, break_id: str, *, reason: str, note: str, idempotency_key: str | None = None
    ) -> ReconciliationBreak:
        """Leave the books as they are, and say why."""
        path, body = f"{_PATH}/breaks/{segment(break_id)}/accept", {"reason": reason, "note": note}
        return await self._change(
            ReconciliationBreak, "accept_reconciliation_break", path, body, idempotency_key
        )  # fmt: skip

    async def post_reconciliation_break(
        self, break_id: str, *, reason: str, counter: str, note: str | None = None, idempotency_key: str
    ) -> Transfer:
        """Post what the ledger lacks, between its account and `counter`."""
        path, body = f"{_PATH}/breaks/{segment(break_id)}/post", given(reason=reason, counter=counter, note=note)
        return await self._change(Transfer, "post_reconciliation_break", path, body, idempotency_key)
