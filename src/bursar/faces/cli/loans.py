"""`bursar lending loans|products|portfolio`: loans from the machine that holds the database."""

import sys
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from bursar.api.door import KEY_SHAPE, Caller, Door
from bursar.api.routes.application_shapes import show_product
from bursar.api.routes.loan_shapes import edges_of, show_line, show_loan, show_schedule
from bursar.api.routes.loans import move
from bursar.api.routes.portfolio_shapes import show_cash_flows, show_outstanding, show_vintages
from bursar.core.authority.desk import Desk
from bursar.core.identity.keys import read_key
from bursar.faces.cli.place import opened
from bursar.features.lending import loan_store, store, telling
from bursar.features.lending import portfolio as reports
from bursar.features.lending.delinquency import Bucket
from bursar.features.lending.loan import Loan, Wish
from bursar.features.lending.moving import Moving
from bursar.features.lending.state import Status
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from bursar.wire import loans as wire
from bursar.wire.fields import Told
from bursar.wire.loan_products import LoanProduct

_MOST_LISTED = 1_000


class StatementInFull(Told):
    """A statement with all its lines, the opening and the closing among them."""

    loan_id: str
    currency: str
    opening_balance: str
    lines: list[wire.LoanStatementLine]
    closing_balance: str


async def listed(
    status: Status | None, bucket: Bucket | None, tenant: str | None, data: Path | None
) -> list[wire.Loan]:
    """Loans, oldest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [show_loan(loan) for loan in await loan_store.list_loans(tx, None, status, bucket, None, _MOST_LISTED)]


async def shown(loan_id: str, tenant: str | None, data: Path | None) -> wire.Loan:
    """One loan."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return show_loan(await _find(tx, loan_id))


async def schedule(loan_id: str, tenant: str | None, data: Path | None) -> wire.LoanSchedule:
    """Its schedule."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await _find(tx, loan_id)
        if found.status == "pending":
            raise UnknownObject("schedule")
        return show_schedule(found, found.known(*await loan_store.find_plan(tx, found.id)))


async def statement(
    loan_id: str, first: date | None, last: date | None, tenant: str | None, data: Path | None
) -> StatementInFull:
    """Its statement."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await _find(tx, loan_id)
        told, facts = await telling.statement(tx, found, first, last)
    opening, closing = edges_of(told, found.currency)
    lines = [show_line(line, facts.get(line.seq), found.currency) for line in told.lines]
    return StatementInFull(
        loan_id=found.name,
        currency=found.currency,
        opening_balance=show_minor(told.opening.balance, found.currency),
        lines=[opening, *lines, closing],
        closing_balance=show_minor(told.closing.balance, found.currency),
    )


async def repay(
    loan_id: str,
    account: str,
    amount: str,
    keeps: Literal["installment", "term"] | None,
    on: date | None,
    once: str,
    key: str,
    data: Path | None,
) -> int:
    """Have money moved at the desk for whoever the key is of, as the API does; what is told goes to standard output."""
    body = _asked(account, amount, keeps, on)
    if not KEY_SHAPE.fullmatch(once):
        raise InvalidArgument("once", "must be 1 to 200 visible ASCII characters")
    async with opened(data) as place:
        desk = Desk(place.database, assess)
        caller = Caller(Door(place.database, desk), show("req", new_id()), read_key(key))
        ask = caller.ask("repay_loan", once, body, loan_id)
        wish = Wish("prepaid" if keeps else "repaid", account, on=on, keeps=keeps)
        answer = await move(caller, Moving(ask, read("loan", loan_id), wish, amount=amount))
        await desk.drain()
    sys.stdout.write(bytes(answer.body).decode() + "\n")
    return {200: 0, 202: 2}.get(answer.status_code, 1)


async def products(tenant: str | None, data: Path | None) -> list[LoanProduct]:
    """Every version of every product."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [show_product(kept) for kept in await store.list_products(tx, ("", 0), _MOST_LISTED)]


async def portfolio(
    which: Literal["outstanding", "vintages", "cash-flows"], day: date | None, tenant: str | None, data: Path | None
) -> BaseModel:
    """One of the reports on all loans."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        match which:
            case "outstanding":
                return show_outstanding(await reports.outstanding(tx, day))
            case "vintages":
                return show_vintages(await reports.vintages(tx, day))
            case "cash-flows":
                return show_cash_flows(await reports.cash_flows(tx))


def _asked(account: str, amount: str, keeps: Literal["installment", "term"] | None, on: date | None) -> wire.RepayLoan:
    try:
        return wire.RepayLoan(account=account, amount=amount, keeps=keeps, on=on)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidArgument(str(first["loc"][0]), f"is refused: {first['msg']}") from None


async def _find(tx: Tx, loan_id: str) -> Loan:
    known = read("loan", loan_id)
    found = await loan_store.find_loan(tx, known) if known else None
    if found is None:
        raise UnknownObject("loan")
    return found
