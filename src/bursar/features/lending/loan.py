"""A loan as it is kept: what was agreed, what it has come to, and what its callers may ask of it. No I/O."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.features.lending import catalog
from bursar.features.lending.delinquency import Bucket, bucket_of, days_past_due
from bursar.features.lending.keeping import read_state, state_text
from bursar.features.lending.postings import Flows
from bursar.features.lending.product import Terms
from bursar.features.lending.quoting import terms_of
from bursar.features.lending.replay import opened
from bursar.features.lending.state import LoanState, Status
from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict, InvalidArgument, Retry

# What moves money for a loan.
Movement = Literal["disbursed", "repaid", "prepaid", "returned", "reversed"]


class Loan(NamedTuple):
    """A loan; `flows` and `state` are its cache, in which all its facts are counted that were known at `facts`."""

    id: UUID
    application_id: UUID
    product: str
    product_version: int
    currency: str
    principal_minor: int
    installments: int
    made_by: UUID
    decider_id: UUID
    created_at: datetime
    approval_id: UUID | None
    awaits: str | None
    disbursed_on: date | None
    facts: int
    status: Status
    day: date | None
    next_due: date | None
    bucket: Bucket
    flows: Sequence[int]
    state: str

    @property
    def name(self) -> str:
        """Its id as the wire shows it."""
        return show("loan", self.id)

    def terms(self, product: catalog.Product, disbursed_on: date | None = None) -> Terms:
        """Its terms, as it was paid out or would be on that day."""
        on = self.disbursed_on or disbursed_on
        assert on
        return Terms(terms_of(product), self.principal_minor, self.installments, on)

    def known(self, plan: str | None = None, closed: str | None = None) -> LoanState:
        """Its state, as far as it was read."""
        assert self.day
        return read_state(self.status, self.day, self.flows, self.state, plan, closed)

    def at(self, state: LoanState) -> "Loan":
        """The same with another state."""
        return self._replace(
            status=state.status,
            day=state.day,
            next_due=state.plan[0].due if state.plan else None,
            bucket=bucket_of(days_past_due(state)),
            flows=[*state.flows],
            state=state_text(state),
        )


class Wish(NamedTuple):
    """A movement of money for a loan, as somebody asks for it.

    `account` is where the money comes from or goes to, `on` the day from which it counts; None is the day it is done.
    `repayment` is the number of the fact that is reversed.
    """

    movement: Movement
    account: str | None = None
    minor: int | None = None
    on: date | None = None
    keeps: Literal["installment", "term"] | None = None
    repayment: int | None = None


def agreed(
    loan_id: UUID, product: catalog.Product, application_id: UUID, asked: tuple[int, int], by: tuple[UUID, UUID],
    now: datetime,
) -> Loan:  # fmt: skip
    """A loan that is not paid out yet: its principal and installments, who took it in and who decided it."""
    state = opened(Terms(terms_of(product), *asked, now.date()))
    return Loan(
        loan_id, application_id, product.code, product.version, product.currency, *asked, *by, now, None, None, None,
        0, "pending", None, None, "current", [*Flows()], state_text(state),
    )  # fmt: skip


class LoanConflict(Conflict):
    """The loan does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the loan again with GET /v1/loans/{loan_id}."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed and no money moved."


def refuse_waiting(loan: Loan) -> None:
    """One movement is asked of people at a time: what comes after it depends on what they say."""
    if loan.approval_id:
        raise LoanConflict(f"The loan waits for the approval {show('apr', loan.approval_id)}.")


def refuse_day(loan: Loan, on: date | None, today: date, *, may_date_back: bool) -> date:
    """The day from which something counts. Only people date it back: it takes penalties away, or adds to them."""
    if on is None or on == today:
        return today
    if on > today:
        raise InvalidArgument("on", "lies in the future")
    if not may_date_back:
        raise InvalidArgument("on", "lies in the past: only people date back")
    if loan.disbursed_on and on < loan.disbursed_on:
        raise InvalidArgument("on", f"lies before the loan was paid out, on {loan.disbursed_on}")
    return on
