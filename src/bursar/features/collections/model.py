"""The nouns of collections, and why somebody may not be reminded now."""

from datetime import date, datetime
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.features.lending.delinquency import days_past_due
from bursar.features.lending.loan import Loan
from bursar.kernel.refusal import Conflict, Forbidden, Retry

Ending = Literal["paid", "paused", "charged_off", "written_off"]
Standing = Literal["late", "paid", "paused", "charged_off", "written_off"]
Channel = Literal["webhook", "email"]
MailStatus = Literal["pending", "sending", "sent", "failed", "unknown"]
PromiseStatus = Literal["open", "kept", "broken", "cancelled"]


class Collection(NamedTuple):
    """A loan that is or was late, and the job that sees to it; the columns of `loan_collection` in their order."""

    id: UUID
    loan_id: UUID
    job_id: UUID
    opened_at: datetime
    ended_at: datetime | None
    ended_as: Ending | None


class Reminder(NamedTuple):
    """A reminder as it was made; the columns of `loan_reminder` in their order."""

    id: UUID
    loan_id: UUID
    collection_id: UUID
    template: str
    template_version: int
    rules_product: str
    rules_version: int
    channel: Channel
    recipient: str | None
    subject: str
    body: str
    text_hash: bytes
    sent_by: UUID
    event_id: UUID
    made_at: datetime


class Mail(NamedTuple):
    """How far the mail of a reminder has come."""

    status: MailStatus
    attempts: int
    error: str | None
    ended_at: datetime | None


class Promise(NamedTuple):
    """A borrower's word and what became of it; `facts` is how many facts of the loan were known when it was given."""

    id: UUID
    loan_id: UUID
    amount_minor: int
    facts: int
    made_on: date
    due_on: date
    made_by: UUID
    made_at: datetime
    status: PromiseStatus
    paid_minor: int | None
    reason: str | None
    ended_at: datetime | None


def standing_of(loan: Loan) -> Standing:
    """Whether a loan that was paid out is late, as far as its nights have come, or why there is nothing to collect."""
    if loan.status in ("charged_off", "written_off"):
        return loan.status
    state = loan.known() if loan.status == "active" else None
    if state is None or not days_past_due(state):
        return "paid"
    return "paused" if state.paused_since else "late"


class CollectionConflict(Conflict):
    """Nothing is collected on the loan, or not in this way."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read how the loan stands with GET /v1/loans/{loan_id} and GET /v1/collections."

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
        return f"{self.fact} Nobody was reminded and no money moved."


class ContactNotAllowed(Conflict):
    """The rules of contact do not let this borrower be reminded now."""

    next: ClassVar[str] = "Ask again from the moment named in `detail` on, with a new Idempotency-Key."

    def __init__(self, fact: str, allowed_from: datetime) -> None:
        """The rule in words, and the first moment at which no rule forbids it."""
        super().__init__(fact, allowed_from)
        self.fact = fact
        self.allowed_from = allowed_from

    @property
    def detail(self) -> str:
        """The rule and the moment."""
        moment = f"{self.allowed_from:%Y-%m-%dT%H:%M:%S}Z"
        return f"{self.fact} The next moment that is allowed is {moment}. Nobody was reminded and no money moved."


class PersonNeeded(Forbidden):
    """A person must approve this for you, and a reminder does not wait for one."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Have an operator send the reminder."

    @property
    def code(self) -> str:
        """The mandate does not let the agent do it alone."""
        return "mandate_missing"

    @property
    def detail(self) -> str:
        """What the mandate says."""
        return "Your mandate has a person approve this, and a reminder does not wait. Nobody was reminded."
