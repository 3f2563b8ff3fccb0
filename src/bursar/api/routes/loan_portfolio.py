"""`/v1/loan-portfolio`: what is owed, what became of each month's loans, what money comes and when."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from bursar.api.door import CallerOf, json_response
from bursar.api.problems import READ_PROBLEMS
from bursar.api.routes.portfolio_shapes import show_cash_flows, show_outstanding, show_vintages
from bursar.api.routing import GatedRoute
from bursar.api.tables import CSV, WantsCsv, csv_response
from bursar.features.lending import portfolio
from bursar.wire import portfolio as wire
from bursar.wire.loans import Day

router = APIRouter(prefix="/v1/loan-portfolio", tags=["lending"], route_class=GatedRoute)

OfDay = Annotated[Day | None, Query(description="A past day, at its opening as it was known then. Default: now.")]
Row = TypeVar("Row", bound=BaseModel)


@router.get("/outstanding", response_model=wire.Report[wire.LoanOutstanding], responses=READ_PROBLEMS | CSV)
async def get_loan_outstanding(caller: CallerOf, wants_csv: WantsCsv, day: OfDay = None) -> Response:
    """What is owed on all loans by product, currency and days past due: what the accounts of the products say."""
    async with caller.reading("get_loan_outstanding") as (tx, _):
        report = show_outstanding(await portfolio.outstanding(tx, day))
    return _answer(report, wire.LoanOutstanding, wants_csv=wants_csv)


@router.get("/vintages", response_model=wire.Report[wire.LoanVintage], responses=READ_PROBLEMS | CSV)
async def get_loan_vintages(caller: CallerOf, wants_csv: WantsCsv, day: OfDay = None) -> Response:
    """What became of the loans that were paid out in a month, at the end of each month from then on."""
    async with caller.reading("get_loan_vintages") as (tx, _):
        report = show_vintages(await portfolio.vintages(tx, day))
    return _answer(report, wire.LoanVintage, wants_csv=wants_csv)


@router.get("/cash-flows", response_model=wire.Report[wire.LoanCashFlow], responses=READ_PROBLEMS | CSV)
async def get_loan_cash_flows(caller: CallerOf, wants_csv: WantsCsv) -> Response:
    """What falls due month by month, what of it is unpaid, and the money that came and went; as it is known now."""
    async with caller.reading("get_loan_cash_flows") as (tx, _):
        report = show_cash_flows(await portfolio.cash_flows(tx))
    return _answer(report, wire.LoanCashFlow, wants_csv=wants_csv)


def _answer(report: wire.Report[Row], shape: type[Row], *, wants_csv: bool) -> Response:
    return csv_response(shape, report.rows) if wants_csv else json_response(report)
