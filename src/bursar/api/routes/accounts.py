"""`/v1/accounts`: open, get, list, freeze, unfreeze, close, balance, statement."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response, refuse_cursor
from bursar.api.paying import available_now
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import AccountPath, Cursor, Limit, account_ref, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import resuming, switches
from bursar.core.authority.switches import By
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.model import Account
from bursar.core.ledger.reading import Line, Statement
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument
from bursar.wire import accounts as wire
from bursar.wire.fields import Page, Time

# Before every time that the wire takes.
_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Account, responses=WRITE_PROBLEMS)
async def open_account(caller: CallerOf, body: wire.OpenAccount, key: OptionalIdempotencyKey = None) -> Response:
    """Open an account with a zero balance. `world:…` accounts stand for what is outside the book."""
    order = _order(body)

    async def work(tx: Tx, actor: Actor) -> tuple[Account, Happening]:
        if actor.kind == "agent" and order.floor_minor != 0:
            raise InvalidArgument("floor", "an agent may only open accounts with floor zero")
        account = await accounts.open_account(tx, order)
        return account, _happening("account.opened", account)

    ask = caller.ask("open_account", key, body)
    return await caller.act(ask, work, lambda account: json_answer(show_account(account), 201))


@router.get("", response_model=Page[wire.Account], responses=READ_PROBLEMS)
async def list_accounts(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Accounts, oldest first."""
    after = read_cursor("acct", cursor)
    async with caller.reading("list_accounts") as (tx, _):
        found = await reading.list_accounts(tx, after, limit + 1)
    items = [show_account(a) for a in found[:limit]]
    return json_response(Page[wire.Account](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{account}", response_model=wire.Account, responses=READ_PROBLEMS)
async def get_account(caller: CallerOf, account: AccountPath) -> Response:
    """One account, by number or id."""
    async with caller.reading("get_account") as (tx, _):
        return json_response(show_account(await reading.find_account(tx, account_ref(account))))


@router.get("/{account}/balance", response_model=wire.Balance, responses=READ_PROBLEMS)
async def get_balance(caller: CallerOf, account: AccountPath, at: Annotated[Time | None, Query()] = None) -> Response:
    """The balance now, or with `at` the posted balance from everything effective up to that moment.

    Of an account that lives upstream, `available` is what it has there now; the rest is what was moved through here.
    """
    async with caller.reading("get_balance") as (tx, _):
        found = await reading.find_account(tx, account_ref(account))
        past = await reading.balance_at(tx, found, at) if at else None
    available = None if at else await available_now(caller, found)
    return json_response(_show_balance(found, available, at, past))


@router.get("/{account}/statement", response_model=wire.Statement, responses=READ_PROBLEMS)
async def get_statement(
    caller: CallerOf,
    account: AccountPath,
    start: Annotated[Time | None, Query(description="First moment included. Default: the beginning.")] = None,
    end: Annotated[Time | None, Query(description="First moment not included. Default: now.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Opening balance, lines in order of effect with running balance and version, closing balance."""
    after = _read_position(cursor)
    async with caller.reading("get_statement") as (tx, _):
        found = await reading.find_account(tx, account_ref(account))
        until = end or await reading.clock(tx)
        since = start or _EPOCH
        statement = await reading.statement(tx, found, since, until, after, limit)
    return json_response(_show_statement(statement, since, until))


@router.post("/{account}/freeze", response_model=wire.Account, responses=WRITE_PROBLEMS)
async def freeze_account(caller: CallerOf, account: AccountPath, key: OptionalIdempotencyKey = None) -> Response:
    """Refuse new debits and holds from the commit on, cancel what agents have under way; credits still arrive.

    Never for an agent's key. It makes the same freeze as `POST /v1/freezes`, and two operators lift it.
    """

    async def work(tx: Tx, actor: Actor) -> tuple[Account, Happening]:
        by = By(actor, caller.request_id, "freeze_account")
        stopped = await switches.freeze_account(tx, by, account_ref(account), f"{actor.name} froze the account.")
        return await reading.find_account(tx, stopped.record.object_id), switches.told_frozen(stopped)

    return await _switch(caller, "freeze_account", account, key, work)


@router.post("/{account}/unfreeze", response_model=wire.Account, responses=WRITE_PROBLEMS)
async def unfreeze_account(caller: CallerOf, account: AccountPath, key: OptionalIdempotencyKey = None) -> Response:
    """Ask to have it take debits again; it does when a second operator has asked."""

    async def work(tx: Tx, actor: Actor) -> tuple[Account, Happening]:
        by = By(actor, caller.request_id, "unfreeze_account")
        record = await resuming.resume_account(tx, by, account_ref(account))
        return await reading.find_account(tx, record.object_id), resuming.told_resumed(record)

    return await _switch(caller, "unfreeze_account", account, key, work)


@router.post("/{account}/close", response_model=wire.Account, responses=WRITE_PROBLEMS)
async def close_account(caller: CallerOf, account: AccountPath, key: OptionalIdempotencyKey = None) -> Response:
    """Close an account without balance and holds, for good; never for an agent's key."""

    async def work(tx: Tx, _: Actor) -> tuple[Account, Happening]:
        closed = await accounts.change_status(tx, account_ref(account), "closed")
        return closed, _happening("account.closed", closed)

    return await _switch(caller, "close_account", account, key, work)


async def _switch(
    caller: Caller,
    action: str,
    account: str,
    key: str | None,
    work: Callable[[Tx, Actor], Awaitable[tuple[Account, Happening]]],
) -> Response:
    ask = caller.ask(action, key, None, account)
    return await retrying(lambda: caller.act(ask, work, lambda changed: json_answer(show_account(changed))))


def _order(body: wire.OpenAccount) -> accounts.OpenAccount:
    floor = {"none": None, "zero": 0}.get(body.floor)
    if body.credit_limit is not None:
        floor = -read_amount(body.credit_limit, body.currency, "credit_limit").minor
    return accounts.OpenAccount(body.number, body.name, body.currency, body.normal_side, floor, body.metadata)


def _happening(kind: str, account: Account) -> Happening:
    payload = {"currency": account.currency, "name": account.name, "number": account.number, "status": account.status}
    return Happening(kind, account.status, payload, show("acct", account.id))


def _read_position(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    micros, dash, version = cursor.partition("-")
    if not (dash and micros.isascii() and micros.isdigit() and version.isascii() and version.isdigit()):
        raise refuse_cursor()
    if len(micros) > 18 or len(version) > 18:
        raise refuse_cursor()
    try:
        return _EPOCH + int(micros) * _TICK, int(version)
    except OverflowError:
        raise refuse_cursor() from None


def _position(line: Line) -> str:
    return f"{(line.effective_at - _EPOCH) // _TICK}-{line.version}"


def show_account(account: Account) -> wire.Account:
    """An account as the wire shows it."""
    balance, currency = account.balance, account.currency
    limit = account.floor_minor
    return wire.Account(
        id=show("acct", account.id),
        number=account.number,
        name=account.name,
        currency=currency,
        normal_side=account.normal_side,
        floor="none" if limit is None else "credit_limit" if limit else "zero",
        credit_limit=show_minor(-limit, currency) if limit else None,
        status=account.status,
        posted=show_minor(balance.posted, currency),
        held=show_minor(balance.held, currency),
        available=show_minor(balance.available, currency),
        version=balance.version,
        metadata=dict(account.metadata),
        opened_at=account.opened_at,
        upstream=account.upstream,
    )


def _show_balance(account: Account, available: str | None, at: datetime | None, past: int | None) -> wire.Balance:
    balance, currency = account.balance, account.currency
    known: dict[str, Any] = {"account": account.number, "currency": currency, "version": balance.version, "at": at}
    if past is not None:
        return wire.Balance(posted=show_minor(past, currency), held=None, available=None, **known)
    return wire.Balance(
        posted=show_minor(balance.posted, currency),
        held=show_minor(balance.held, currency),
        available=available,
        **known,
    )


def _show_statement(statement: Statement, start: datetime, end: datetime) -> wire.Statement:
    currency = statement.account.currency
    return wire.Statement(
        account=statement.account.number,
        currency=currency,
        start=start,
        end=end,
        opening_balance=show_minor(statement.opening_minor, currency),
        lines=[_show_line(line, currency) for line in statement.lines],
        closing_balance=show_minor(statement.closing_minor, currency),
        next_cursor=_position(statement.lines[-1]) if statement.more else None,
    )


def _show_line(line: Line, currency: str) -> wire.StatementLine:
    return wire.StatementLine(
        transfer_id=show("tr", line.entry_id),
        kind=line.kind,
        version=line.version,
        change=show_minor(line.change_minor, currency),
        balance=show_minor(line.balance_minor, currency),
        counterparty=line.counterparty,
        description=line.description,
        effective_at=line.effective_at,
        recorded_at=line.recorded_at,
    )
