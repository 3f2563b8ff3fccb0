"""The portfolio: what is owed on all loans, what became of each month's, and what money comes and when."""

from collections.abc import Sequence
from datetime import date
from typing import Generic, NamedTuple, TypeVar

from bursar.features.lending import loan_store, portfolio_store
from bursar.features.lending.portfolio_store import CashFlow, Outstanding, Vintage
from bursar.kernel.db import Tx
from bursar.kernel.refusal import InvalidArgument

Row = TypeVar("Row")


class Report(NamedTuple, Generic[Row]):
    """A report as at a day: the present one is told as it stands, a past one as it was known at its opening."""

    day: date
    rows: Sequence[Row]


async def outstanding(tx: Tx, day: date | None) -> Report[Outstanding]:
    """What is owed by product, currency and bucket."""
    today = await _until(tx, day)
    past = day if day and day < today else None
    return Report(past or today, await portfolio_store.list_outstanding(tx, past))


async def vintages(tx: Tx, day: date | None) -> Report[Vintage]:
    """What became of the loans of each month, month by month."""
    today = await _until(tx, day)
    until = day or today
    return Report(until, await portfolio_store.list_vintages(tx, until, now=until == today))


async def cash_flows(tx: Tx) -> Report[CashFlow]:
    """What is due and what was paid, month by month, also those to come."""
    return Report(await _until(tx, None), await portfolio_store.list_cash_flows(tx))


async def _until(tx: Tx, day: date | None) -> date:
    today = await loan_store.today(tx)
    if day and day > today:
        raise InvalidArgument("day", "lies in the future")
    return today
