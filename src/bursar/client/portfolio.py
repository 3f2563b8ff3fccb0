"""The portfolio of loans."""

from bursar.client.arguments import given
from bursar.client.room import Room
from bursar.wire.portfolio import LoanCashFlow, LoanOutstanding, LoanVintage, Report


class Portfolio(Room):
    """Reports on all loans, for people; a day is text such as `2026-11-21`."""

    async def get_loan_outstanding(self, *, day: str | None = None) -> Report[LoanOutstanding]:
        """What is owed by product, currency and days past due, now or at the opening of a past day."""
        path = "/v1/loan-portfolio/outstanding"
        return await self._read(Report[LoanOutstanding], "get_loan_outstanding", path, given(day=day))

    async def get_loan_vintages(self, *, day: str | None = None) -> Report[LoanVintage]:
        """What became of the loans that were paid out in a month, month by month."""
        path = "/v1/loan-portfolio/vintages"
        return await self._read(Report[LoanVintage], "get_loan_vintages", path, given(day=day))

    async def get_loan_cash_flows(self) -> Report[LoanCashFlow]:
        """What falls due month by month, what of it is unpaid, and the money that came and went."""
        return await self._read(Report[LoanCashFlow], "get_loan_cash_flows", "/v1/loan-portfolio/cash-flows")
