"""`/v1/reconciliation`: file what the outside says, compare three ways, see what was found and settle it."""

import base64
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import (
    CallerOf,
    IdempotencyKey,
    OptionalIdempotencyKey,
    json_answer,
    json_response,
)
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.provider_books import list_transactions
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, read_cursor
from bursar.api.routes.transfers import one_transfer
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Order
from bursar.features.reconciliation import filing, running
from bursar.features.reconciliation import settling_breaks as breaks
from bursar.features.reconciliation.csv_statement import read_mapping
from bursar.features.reconciliation.filing import Filing
from bursar.features.reconciliation.finding_store import Found, Matched, Run
from bursar.features.reconciliation.items import Rules
from bursar.features.reconciliation.legs import Scope
from bursar.features.reconciliation.line_store import Filed
from bursar.features.reconciliation.parsing import read_statements
from bursar.features.reconciliation.provider import ProviderTransaction, read_transactions
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from bursar.wire import reconciliation as wire
from bursar.wire import transfers as transfer_wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"], route_class=GatedRoute)


@router.post("/statements", status_code=201, response_model=wire.Imported, responses=WRITE_PROBLEMS)
async def import_bank_statement(
    caller: CallerOf, body: wire.ImportBankStatement, key: OptionalIdempotencyKey = None
) -> Response:
    """File a bank's statement: as CSV by a mapping, camt.053 or MT940. What was filed before is not filed again.

    A file whose lines do not lead from its opening to its closing balance is refused as a whole.
    """
    mapping = read_mapping(body.mapping.model_dump(exclude_none=True)) if body.mapping else None
    statements = read_statements(base64.b64decode(body.content), body.format, mapping, body.account)

    async def work(tx: Tx, actor: Actor) -> tuple[Filing, Happening]:
        return await filing.file_statements(tx, actor, body.source, body.format, statements)

    ask = caller.ask("import_bank_statement", key, body)
    return await caller.act(ask, work, lambda filed: json_answer(_show_filing(filed), 201))


@router.get("/statements", response_model=Page[wire.BankStatement], responses=READ_PROBLEMS)
async def list_bank_statements(
    caller: CallerOf,
    source: Annotated[wire.SourceName | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Statements, in the order of their filing."""
    after = read_cursor("stm", cursor)
    async with caller.reading("list_bank_statements") as (tx, _):
        found = await filing.list_statements(tx, source, after, limit + 1)
    items = [_show_statement(one) for one in found[:limit]]
    more = items[-1].id if len(found) > limit else None
    return json_response(Page[wire.BankStatement](items=items, next_cursor=more))


@router.post("/provider-transactions", status_code=201, response_model=wire.Imported, responses=WRITE_PROBLEMS)
async def import_provider_transactions(
    caller: CallerOf, body: wire.ImportProviderTransactions, key: OptionalIdempotencyKey = None
) -> Response:
    """Keep a provider's balance transactions. What is there already stays as it is."""

    async def work(tx: Tx, _: Actor) -> tuple[Filing, Happening]:
        return await filing.file_transactions(tx, body.provider, read_transactions(base64.b64decode(body.content)))

    ask = caller.ask("import_provider_transactions", key, body)
    return await caller.act(ask, work, lambda filed: json_answer(_show_filing(filed), 201))


@router.post("/provider-transactions/fetch", status_code=201, response_model=wire.Imported, responses=WRITE_PROBLEMS)
async def fetch_provider_transactions(
    caller: CallerOf, body: wire.FetchProviderTransactions, key: OptionalIdempotencyKey = None
) -> Response:
    """Ask a provider that this service is connected to for its balance transactions, and keep them."""
    ask = caller.ask("fetch_provider_transactions", key, body)
    found: list[ProviderTransaction] = []
    if await caller.may(ask):
        found = await list_transactions(
            caller.door.providers, ask.credential.tenant_id, body.provider, body.first_day, body.last_day
        )

    async def work(tx: Tx, _: Actor) -> tuple[Filing, Happening]:
        return await filing.file_transactions(tx, body.provider, found)

    return await caller.act(ask, work, lambda filed: json_answer(_show_filing(filed), 201))


@router.post("/runs", status_code=201, response_model=wire.ReconciliationRun, responses=WRITE_PROBLEMS)
async def run_reconciliation(
    caller: CallerOf, body: wire.RunReconciliation, key: OptionalIdempotencyKey = None
) -> Response:
    """Compare the ledger with the bank, the ledger with the provider, the provider with the bank: what is named of it.

    Each break has a case. A break that a later run does not find any more is cleared, and its case resolved.
    """

    async def work(tx: Tx, actor: Actor) -> tuple[Run, Happening]:
        gathered = await running.gather(tx, _scope(body))
        compared = await running.compare(gathered)
        return await running.keep(tx, actor, gathered, compared, body.owner)

    ask = caller.ask("run_reconciliation", key, body)
    return await caller.act(ask, work, lambda run: json_answer(_show_run(run), 201))


def _scope(body: wire.RunReconciliation) -> Scope:
    rules = Rules(body.tolerance_minor, body.days, body.counterparty_decides, body.far_days)
    return Scope(
        body.first_day, body.last_day, body.currency, body.account, body.source, body.bank_account, body.provider,
        body.clearing, rules,
    )  # fmt: skip


@router.get("/runs", response_model=Page[wire.ReconciliationRun], responses=READ_PROBLEMS)
async def list_reconciliation_runs(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Runs, oldest first."""
    after = read_cursor("rec", cursor)
    async with caller.reading("list_reconciliation_runs") as (tx, _):
        found = await breaks.list_runs(tx, after, limit + 1)
    items = [_show_run(run) for run in found[:limit]]
    more = items[-1].id if len(found) > limit else None
    return json_response(Page[wire.ReconciliationRun](items=items, next_cursor=more))


@router.get("/runs/{run_id}", response_model=wire.ReconciliationRun, responses=READ_PROBLEMS)
async def get_reconciliation_run(caller: CallerOf, run_id: IdPath) -> Response:
    """One run and what it came to; its breaks are listed by `run`."""
    async with caller.reading("get_reconciliation_run") as (tx, _):
        return json_response(_show_run(await breaks.find_run(tx, read("rec", run_id))))


@router.get("/runs/{run_id}/matches", response_model=Page[wire.ReconciliationMatch], responses=READ_PROBLEMS)
async def list_reconciliation_matches(
    caller: CallerOf, run_id: IdPath, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """What a run took for one, and why."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 9):
        raise InvalidArgument("cursor", "is not a cursor of this list")
    async with caller.reading("list_reconciliation_matches") as (tx, _):
        found = await breaks.list_matches(tx, read("rec", run_id), int(cursor or 0), limit + 1)
    items = [_show_match(one) for one in found[:limit]]
    more = str(items[-1].number) if len(found) > limit else None
    return json_response(Page[wire.ReconciliationMatch](items=items, next_cursor=more))


@router.get("/breaks", response_model=Page[wire.ReconciliationBreak], responses=READ_PROBLEMS)
async def list_reconciliation_breaks(
    caller: CallerOf,
    break_state: Annotated[wire.BreakState | None, Query(description="Only those that stand here.")] = None,
    break_kind: Annotated[wire.BreakKind | None, Query(description="Only those of this kind.")] = None,
    run: Annotated[str | None, Query(max_length=64, description="Only those that this run found last.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Breaks, in the order in which they were found first."""
    after = read_cursor("brk", cursor)
    async with caller.reading("list_reconciliation_breaks") as (tx, _):
        run_id = _run_id(run)
        found = await breaks.list_breaks(tx, break_state, break_kind, run_id, after, limit + 1)
    items = [_show_break(one) for one in found[:limit]]
    more = items[-1].id if len(found) > limit else None
    return json_response(Page[wire.ReconciliationBreak](items=items, next_cursor=more))


def _run_id(text: str | None) -> UUID | None:
    run_id = read("rec", text) if text else None
    if text is not None and run_id is None:
        raise InvalidArgument("run", "is not the id of a run")
    return run_id


@router.get("/breaks/{break_id}", response_model=wire.ReconciliationBreak, responses=READ_PROBLEMS)
async def get_reconciliation_break(caller: CallerOf, break_id: IdPath) -> Response:
    """One break as it stands."""
    async with caller.reading("get_reconciliation_break") as (tx, _):
        return json_response(_show_break(await breaks.find_break(tx, read("brk", break_id))))


@router.post("/breaks/{break_id}/accept", response_model=wire.ReconciliationBreak, responses=WRITE_PROBLEMS)
async def accept_reconciliation_break(
    caller: CallerOf, break_id: IdPath, body: wire.AcceptReconciliationBreak, key: OptionalIdempotencyKey = None
) -> Response:
    """Leave the books as they are: the difference is known, and later runs look at its items no more."""

    async def work(tx: Tx, actor: Actor) -> tuple[Found, Happening]:
        return await breaks.accept(tx, actor, read("brk", break_id), body.reason, body.note)

    ask = caller.ask("accept_reconciliation_break", key, body, break_id)
    return await caller.act(ask, work, lambda found: json_answer(_show_break(found)))


@router.post(
    "/breaks/{break_id}/post", status_code=201, response_model=transfer_wire.Transfer, responses=WRITE_PROBLEMS
)
async def post_reconciliation_break(
    caller: CallerOf, break_id: IdPath, key: IdempotencyKey, body: wire.PostReconciliationBreak
) -> Response:
    """Post what the ledger lacks, between its account and `counter`, on the day of the break: that settles it."""
    ask = caller.ask("post_reconciliation_break", key, body, break_id)
    # What is read here only says what to post. Whether it is open is asked under its lock, with the posting.
    async with caller.door.database.transaction(ask.credential.tenant_id, read_only=True) as tx:
        found = await breaks.look_up(tx, read("brk", break_id))
        side = await breaks.side_of(tx, found) if found else "credit"

    def orders(actor: Actor) -> list[Order]:
        if found is None:
            raise UnknownObject("break")
        return [breaks.posting(actor, found, side, account_ref(body.counter), body.reason)]

    settle = breaks.settle_with(found.id, body.reason, body.note) if found else None
    return await caller.move(ask, orders, one_transfer(caller.request_id), with_it=settle)


def _show_filing(filed: Filing) -> wire.Imported:
    return wire.Imported(statements=filed.statements, lines=filed.lines, new=filed.new, accounts=list(filed.accounts))


def _show_statement(one: Filed) -> wire.BankStatement:
    opening, closing = [
        show_minor(minor, one.currency) if minor is not None else None
        for minor in (one.opening_minor, one.closing_minor)
    ]
    return wire.BankStatement(
        id=show("stm", one.id), source=one.source, account=one.account, currency=one.currency, format=one.format,
        number=one.number, opening_balance=opening, closing_balance=closing, lines=one.lines,
        imported_at=one.imported_at,
    )  # fmt: skip


def _show_run(run: Run) -> wire.ReconciliationRun:
    return wire.ReconciliationRun(
        id=show("rec", run.id), scope=orjson.loads(run.scope), matched=run.matched, broken=run.broken,
        settled=run.settled, cleared=run.cleared, ran_by=show("prn", run.ran_by), ran_at=run.ran_at,
    )  # fmt: skip


def _show_match(one: Matched) -> wire.ReconciliationMatch:
    items = wire.ReconciliationItems.model_validate(orjson.loads(one.items))
    return wire.ReconciliationMatch(number=one.number, leg=one.leg, how=one.how, why=one.why, items=items)


def _show_break(found: Found) -> wire.ReconciliationBreak:
    return wire.ReconciliationBreak(
        id=show("brk", found.id),
        leg=found.leg,
        kind=found.kind,
        day=found.day,
        currency=found.currency,
        difference=show_minor(found.difference_minor, found.currency),
        items=wire.ReconciliationItems.model_validate(orjson.loads(found.items)),
        why=found.why,
        state=found.state,
        reason=found.reason,
        transfer_id=show("tr", found.entry_id) if found.entry_id else None,
        case_id=show("case", found.case_id) if found.case_id else None,
        run_id=show("rec", found.run_id),
        found_at=found.found_at,
    )
