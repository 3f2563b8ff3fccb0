"""Loans: paid out and paid back."""

from collections.abc import AsyncIterator
from typing import Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.loans import Loan, LoanFact, LoanRepayment, LoanSchedule, LoanStatement

Status = Literal["pending", "active", "settled", "charged_off", "written_off"]
Bucket = Literal["current", "1-30", "31-60", "61-90", "90+"]


class Loans(Room):
    """Agents pay out and pay back within their mandates. Days are text such as `2026-11-21`."""

    async def list_loans(
        self,
        *,
        status: Status | None = None,
        bucket: Bucket | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Loan]:
        """Loans, oldest first, a page at a time."""
        query = given(status=status, bucket=bucket, cursor=cursor, limit=limit)
        return await self._read(Page[Loan], "list_loans", "/v1/loans", query)

    def iterate_loans(self, *, status: Status | None = None) -> AsyncIterator[Loan]:
        """All loans, oldest first."""
        return items_of(lambda cursor: self.list_loans(status=status, cursor=cursor, limit=500))

    async def get_loan(self, loan_id: str) -> Loan:
        """One loan as it stands."""
        return await self._read(Loan, "get_loan", _path(loan_id))

    async def get_loan_schedule(self, loan_id: str) -> LoanSchedule:
        """What was due, is due and will be."""
        return await self._read(LoanSchedule, "get_loan_schedule", f"{_path(loan_id)}/schedule")

    async def list_loan_facts(
        self, loan_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[LoanFact]:
        """All that happened to a loan, in the order in which it became known, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[LoanFact], "list_loan_facts", f"{_path(loan_id)}/facts", query)

    async def list_loan_repayments(
        self, loan_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[LoanRepayment]:
        """What was repaid and what each repayment paid, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[LoanRepayment], "list_loan_repayments", f"{_path(loan_id)}/repayments", query)

    async def get_loan_statement(
        self,
        loan_id: str,
        *,
        first: str | None = None,
        last: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> LoanStatement:
        """What was owed, what each fact and the days between did to it, what is owed; a page of lines at a time."""
        query = given(first=first, last=last, cursor=cursor, limit=limit)
        return await self._read(LoanStatement, "get_loan_statement", f"{_path(loan_id)}/statement", query)

    async def disburse_loan(
        self, loan_id: str, *, account: str, on: str | None = None, mandate: str | None = None, idempotency_key: str
    ) -> Loan:
        """Pay it out; raises ApprovalPending when your mandate asks for a person's yes."""
        body = given(account=account, on=on, mandate=mandate)
        return await self._change(Loan, "disburse_loan", f"{_path(loan_id)}/disburse", body, idempotency_key)

    async def repay_loan(
        self,
        loan_id: str,
        *,
        account: str,
        amount: str,
        keeps: Literal["installment", "term"] | None = None,
        on: str | None = None,
        mandate: str | None = None,
        idempotency_key: str,
    ) -> Loan:
        """Pay money back; with `keeps` more than is due pays principal ahead of its time."""
        body = given(account=account, amount=amount, keeps=keeps, on=on, mandate=mandate)
        return await self._change(Loan, "repay_loan", f"{_path(loan_id)}/repay", body, idempotency_key)

    async def reverse_repayment(self, loan_id: str, *, repayment: int, reason: str, idempotency_key: str) -> Loan:
        """Take a repayment back, by its `seq` among the facts; operators only."""
        body = given(repayment=repayment, reason=reason)
        return await self._change(Loan, "reverse_repayment", f"{_path(loan_id)}/reverse", body, idempotency_key)

    async def return_credit(
        self, loan_id: str, *, account: str, amount: str, reason: str, idempotency_key: str
    ) -> Loan:
        """Pay back what came and was not used; operators only."""
        body = given(account=account, amount=amount, reason=reason)
        return await self._change(Loan, "return_credit", f"{_path(loan_id)}/return", body, idempotency_key)

    async def waive_loan(
        self,
        loan_id: str,
        *,
        part: Literal["penalty", "fee", "interest"],
        amount: str,
        reason: str,
        on: str | None = None,
        idempotency_key: str,
    ) -> Loan:
        """Forgive so much of what is due of a part; operators only."""
        body = given(part=part, amount=amount, reason=reason, on=on)
        return await self._change(Loan, "waive_loan", f"{_path(loan_id)}/waive", body, idempotency_key)

    async def reschedule_loan(
        self,
        loan_id: str,
        *,
        installments: int,
        reason: str,
        first_due: str | None = None,
        rate_ppm: int | None = None,
        on: str | None = None,
        idempotency_key: str,
    ) -> Loan:
        """Spread unpaid principal anew; operators only."""
        body = given(installments=installments, first_due=first_due, rate_ppm=rate_ppm, reason=reason, on=on)
        return await self._change(Loan, "reschedule_loan", f"{_path(loan_id)}/reschedule", body, idempotency_key)

    async def charge_off_loan(self, loan_id: str, *, reason: str, on: str | None = None, idempotency_key: str) -> Loan:
        """Take what is owed off the books; operators only."""
        body = given(reason=reason, on=on)
        return await self._change(Loan, "charge_off_loan", f"{_path(loan_id)}/charge-off", body, idempotency_key)

    async def write_off_loan(self, loan_id: str, *, reason: str, on: str | None = None, idempotency_key: str) -> Loan:
        """Give up what is owed; operators only."""
        body = given(reason=reason, on=on)
        return await self._change(Loan, "write_off_loan", f"{_path(loan_id)}/write-off", body, idempotency_key)

    async def pause_loan(self, loan_id: str, *, reason: str, on: str | None = None, idempotency_key: str) -> Loan:
        """Let days past due stand still; operators only."""
        body = given(reason=reason, on=on)
        return await self._change(Loan, "pause_loan", f"{_path(loan_id)}/pause", body, idempotency_key)

    async def resume_loan(self, loan_id: str, *, reason: str, on: str | None = None, idempotency_key: str) -> Loan:
        """Let days past due go on; operators only."""
        body = given(reason=reason, on=on)
        return await self._change(Loan, "resume_loan", f"{_path(loan_id)}/resume", body, idempotency_key)


def _path(loan_id: str) -> str:
    return f"/v1/loans/{segment(loan_id)}"
