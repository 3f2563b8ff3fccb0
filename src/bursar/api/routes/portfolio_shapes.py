"""The portfolio as the wire shows it."""

from datetime import date

from bursar.features.lending.portfolio import Report
from bursar.features.lending.portfolio_store import CashFlow, Outstanding, Vintage
from bursar.features.lending.rounding import PPM
from bursar.kernel.money import show_minor
from bursar.wire import portfolio as wire


def show_outstanding(report: Report[Outstanding]) -> wire.Report[wire.LoanOutstanding]:
    """What is owed."""
    return wire.Report[wire.LoanOutstanding](day=report.day, rows=[_outstanding(row) for row in report.rows])


def show_vintages(report: Report[Vintage]) -> wire.Report[wire.LoanVintage]:
    """What became of each month's loans."""
    return wire.Report[wire.LoanVintage](day=report.day, rows=[_vintage(row) for row in report.rows])


def show_cash_flows(report: Report[CashFlow]) -> wire.Report[wire.LoanCashFlow]:
    """What money comes and when."""
    return wire.Report[wire.LoanCashFlow](day=report.day, rows=[_cash_flow(row) for row in report.rows])


def _outstanding(row: Outstanding) -> wire.LoanOutstanding:
    return wire.LoanOutstanding(
        product=row.product,
        currency=row.currency,
        bucket=row.bucket,
        loans=row.loans,
        principal=show_minor(row.principal, row.currency),
        interest=show_minor(row.interest, row.currency),
        fees=show_minor(row.fees, row.currency),
        penalties=show_minor(row.penalties, row.currency),
        total=show_minor(row.principal + row.interest + row.fees + row.penalties, row.currency),
    )


def _vintage(row: Vintage) -> wire.LoanVintage:
    return wire.LoanVintage(
        product=row.product,
        currency=row.currency,
        month=_month(row.month),
        months_on_book=row.months_on_book,
        day=row.day,
        loans=row.loans,
        disbursed=show_minor(row.disbursed, row.currency),
        outstanding=show_minor(row.outstanding, row.currency),
        over_30_ppm=_share(row.over_30, row.outstanding),
        over_90_ppm=_share(row.over_90, row.outstanding),
        charged_off=show_minor(row.charged_off, row.currency),
    )


def _cash_flow(row: CashFlow) -> wire.LoanCashFlow:
    due = row.due_principal + row.due_interest + row.due_fees + row.due_penalties
    return wire.LoanCashFlow(
        product=row.product,
        currency=row.currency,
        month=_month(row.month),
        due_principal=show_minor(row.due_principal, row.currency),
        due_interest=show_minor(row.due_interest, row.currency),
        due_fees=show_minor(row.due_fees, row.currency),
        due_penalties=show_minor(row.due_penalties, row.currency),
        due=show_minor(due, row.currency),
        unpaid=show_minor(row.unpaid, row.currency),
        disbursed=show_minor(row.disbursed, row.currency),
        received=show_minor(row.received, row.currency),
        returned=show_minor(row.returned, row.currency),
    )


def _month(first: date) -> str:
    return first.strftime("%Y-%m")


def _share(part: int, whole: int) -> int:
    return part * PPM // whole if whole else 0
