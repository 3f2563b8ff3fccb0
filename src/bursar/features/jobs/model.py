"""The nouns of jobs, and why a step cannot be done."""

from datetime import datetime
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.kernel.refusal import Conflict, Forbidden, Retry

JobStatus = Literal["active", "compensating", "done", "failed", "canceled"]
# `closed`: there is nothing to do for anybody any more.
StepState = Literal["ready", "claimed", "awaiting_approval", "awaiting_payment", "closed"]
Kind = Literal["reserved", "captured", "released", "reversed"]
# How a share's money moves: within the ledger, from who pays by a provider, or out through one.
Road = Literal["book", "charge", "payout"]
Type = Literal[
    "created", "claimed", "completed", "retried", "lease_lost", "handed_over", "awaiting_approval", "awaiting_payment",
    "compensating", "compensated", "noted",
]  # fmt: skip

LEASE_SECONDS = 60
MOST_LEASE_SECONDS = 3600
MOST_SHARES = 100


class Job(NamedTuple):
    """A job and the step it is at; the columns of `job` in their order. `lease_until` is set while it is claimed."""

    id: UUID
    version: int
    definition: str
    definition_version: int
    status: JobStatus
    stage: str
    currency: str
    amount_minor: int | None
    reference: str | None
    purpose: str | None
    initiated_by: UUID
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    step: int
    role: str
    state: StepState
    attempts: int
    max_attempts: int | None
    run_at: datetime
    deadline_at: datetime | None
    barred: list[UUID]
    kept_for: UUID | None
    kept_until: datetime | None
    holder_id: UUID | None
    token: int | None
    lease_until: datetime | None
    approval_id: UUID | None
    last_error: str | None
    ends_as: Literal["failed", "canceled"] | None


class Share(NamedTuple):
    """Who pays whom how much of a job; `amount_minor` is None until it is priced.

    Without a source it is paid by the method, without a target paid out to it; `payment_id` or `payout_id` is there
    once the provider was to be called.
    """

    no: int
    source_id: UUID | None
    source: str | None
    target_id: UUID | None
    target: str | None
    weight: int
    amount_minor: int | None
    hold_id: UUID | None
    entry_id: UUID | None
    # What gave it back.
    reversal_id: UUID | None
    method_id: UUID | None
    provider: str | None
    payment_id: UUID | None
    payout_id: UUID | None
    kinds: list[Kind]

    @property
    def road(self) -> Road:
        """How its money moves."""
        if self.method_id is None:
            return "book"
        return "charge" if self.source_id is None else "payout"

    @property
    def state(self) -> Literal["open", "reserved", "captured", "released", "reversed"]:
        """What became of its money."""
        latest: tuple[Kind, ...] = ("reversed", "captured", "released", "reserved")
        for kind in latest:
            if kind in self.kinds:
                return kind
        return "open"


class Done(NamedTuple):
    """A step that is done: by whom, under which token, after how many attempts."""

    no: int
    name: str
    role: str
    done_by: UUID
    token: int
    attempts: int
    note: str | None
    done_at: datetime


class Happened(NamedTuple):
    """What happened to a job, as its own record keeps it. No actor: Bursar itself."""

    type: Type
    step: int
    actor_id: UUID | None
    note: str | None = None


class Occurred(NamedTuple):
    """What happened to a job, read back."""

    version: int
    type: Type
    status: JobStatus
    stage: str
    step: int
    actor_id: UUID | None
    actor: str | None
    note: str | None
    happened_at: datetime


class LeaseLost(Conflict):
    """The step is not yours: its lease is over, or it was handed over or done."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Drop what you have; claim the step again with POST /v1/jobs/claim if it is still open."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} No money moved."


class DutiesSeparated(Forbidden):
    """Who did an earlier step of this job may not do this one."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Have another principal do this step: each of your keys is you."

    def __init__(self, who: str, role: str) -> None:
        """Whom it is about (`You`, or the one it was to be handed to) and the role of the step."""
        super().__init__(who, role)
        self.who = who
        self.role = role

    @property
    def detail(self) -> str:
        """Who, and which role."""
        return f"{self.who} may not {self.role} in this job, for what was done in it before. No money moved."


class JobStateConflict(Conflict):
    """The job does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the job again with GET /v1/jobs/{job_id} to see where it stands."

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
        return f"{self.fact} No money moved."
