"""Loans on the wire."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bursar.wire.fields import AccountRef, Amount, Asked, MoneyText, Time, Told
from bursar.wire.lending import Installments, Reason

LoanStatus = Literal["pending", "active", "settled", "charged_off", "written_off"]
Bucket = Literal["current", "1-30", "31-60", "61-90", "90+"]


def _read_day(value: object) -> object:
    """A day as text; anything else is left for the type to refuse."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a day such as 2026-11-21") from None
    if isinstance(value, str):
        raise ValueError("must be a day such as 2026-11-21")  # noqa: TRY004 -- pydantic makes a refusal of it
    return value


Day = Annotated[
    date,
    BeforeValidator(_read_day),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-21"]}),
]
Mandate = Annotated[str, Field(max_length=64, description="Your mandate, if you have several.")]
On = Annotated[Day, Field(description="The day from which it counts, today if none is named; only people date back.")]


class DisburseLoan(Asked):
    """Where the loan is paid to. Its interest runs from the day it is paid out."""

    account: AccountRef
    on: On | None = None
    mandate: Mandate | None = None


class RepayLoan(Asked):
    """Money of the borrower's. What is due is paid first; with `keeps` the rest pays principal that is not due yet.

    `keeps` says what then stays as it was: the size of the installments, so that there are fewer, or their number.
    """

    account: AccountRef
    amount: Amount
    keeps: Literal["installment", "term"] | None = None
    on: On | None = None
    mandate: Mandate | None = None


class AdjustLoan(Asked):
    """What people change about a loan, from which day on, and why."""

    reason: Reason
    on: On | None = None


class WaiveLoan(AdjustLoan):
    """How much of which part is forgiven."""

    part: Literal["penalty", "fee", "interest"]
    amount: Amount


class RescheduleLoan(AdjustLoan):
    """In how many installments the principal is spread anew, from which due date on, and at which rate if another."""

    installments: Installments
    first_due: Day | None = None
    rate_ppm: Annotated[int, Field(ge=0, le=10_000_000, examples=[99_000])] | None = None


class ReverseRepayment(Asked):
    """Which repayment is taken back, by its `seq` among the facts."""

    repayment: Annotated[int, Field(ge=1, le=1_000_000_000, examples=[2])]
    reason: Reason


class ReturnCredit(Asked):
    """How much of the credit goes back, and where to."""

    account: AccountRef
    amount: Amount
    reason: Reason


class ScheduleRow(Told):
    """An installment: what falls due on a day, and what of it is unpaid."""

    due: Day
    principal: MoneyText
    interest: MoneyText
    fee: MoneyText
    penalty: MoneyText
    total: MoneyText
    unpaid: MoneyText
    state: Literal["paid", "due", "overdue", "planned"]


class Loan(Told):
    """A loan at the opening of `day`, or after what happened on it.

    `interest` has accrued and may not be due yet; `credit` came and is not used yet. `bucket` is days past due.
    """

    id: str
    application_id: str
    product: str
    product_version: int
    status: LoanStatus
    currency: str
    amount: MoneyText
    installments: int
    principal: MoneyText
    interest: MoneyText
    fees: MoneyText
    penalties: MoneyText
    credit: MoneyText
    bucket: Bucket
    disbursed_on: Day | None
    day: Day | None
    next_due: Day | None
    approval_id: str | None
    facts: int
    made_by: str
    decider: str
    created_at: Time


class LoanSchedule(Told):
    """The schedule of a loan as it stands; `payoff` settles it on this day, `overdue` is due and unpaid."""

    loan_id: str
    currency: str
    overdue: MoneyText
    payoff: MoneyText
    rows: list[ScheduleRow]


class LoanFact(Told):
    """What happened to a loan. `remade`: it came late, and the state was made anew from its day."""

    seq: int
    type: str
    on: Day
    amount: MoneyText | None
    facts: dict[str, Any]
    transfer_id: str | None
    account_id: str | None
    actor: str | None
    remade: bool
    event_id: str
    recorded_at: Time


class LoanRepayment(Told):
    """A repayment and what it paid when it came: parts and what is left of it sum to `amount`.

    `credit` waits for the next due date, `recovered` came for a loan that is off the books. One that was `reversed`
    paid nothing.
    """

    seq: int
    on: Day
    amount: MoneyText
    principal: MoneyText
    interest: MoneyText
    fees: MoneyText
    penalties: MoneyText
    credit: MoneyText
    recovered: MoneyText
    reversed: bool
    transfer_id: str
    account_id: str
    actor: str | None
    recorded_at: Time


class LoanStatementLine(Told):
    """A fact, or the days since the line before (`type` is `days`): by how much each part of what is owed changed.

    `balance` is owed after it, less the credit. A repayment that is `undone` was reversed later.
    """

    on: Day
    seq: int | None
    type: str
    amount: MoneyText | None
    principal: MoneyText
    interest: MoneyText
    fees: MoneyText
    penalties: MoneyText
    credit: MoneyText
    recovered: MoneyText
    balance: MoneyText
    undone: bool
    transfer_id: str | None


class LoanStatement(Told):
    """What was owed before the first day, each line, what is owed after the last; page on with `next_cursor`."""

    loan_id: str
    currency: str
    first_day: Day
    last_day: Day
    opening_balance: MoneyText
    lines: list[LoanStatementLine]
    closing_balance: MoneyText
    next_cursor: str | None
