"""The portfolio of loans on the wire."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from bursar.wire.fields import MoneyText, Told
from bursar.wire.loans import Bucket, Day

Row = TypeVar("Row")

Month = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$", examples=["2026-11"])]
Share = Annotated[int, Field(examples=[52_000], description="In millionths.")]


class Report(Told, Generic[Row]):
    """A report in full, as at that day."""

    day: Day
    rows: list[Row]


class LoanOutstanding(Told):
    """What is owed on the active loans of a product, by days past due; `total` is what the parts sum to."""

    product: str
    currency: str
    bucket: Bucket
    loans: int
    principal: MoneyText
    interest: MoneyText
    fees: MoneyText
    penalties: MoneyText
    total: MoneyText


class LoanVintage(Told):
    """The loans that were paid out in `month`, so many months later at the end of the month, or on the report's day.

    Of principal. The shares are of what is outstanding: owed on loans more than 30 and more than 90 days past due.
    """

    product: str
    currency: str
    month: Month
    months_on_book: int
    day: Day
    loans: int
    disbursed: MoneyText
    outstanding: MoneyText
    over_30_ppm: Share
    over_90_ppm: Share
    charged_off: MoneyText


class LoanCashFlow(Told):
    """What falls due in a month, by part, and what of that is unpaid; and the money that moved in it."""

    product: str
    currency: str
    month: Month
    due_principal: MoneyText
    due_interest: MoneyText
    due_fees: MoneyText
    due_penalties: MoneyText
    due: MoneyText
    unpaid: MoneyText
    disbursed: MoneyText
    received: MoneyText
    returned: MoneyText
