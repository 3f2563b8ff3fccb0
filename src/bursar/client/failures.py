"""What a call raises when it does not come to its answer; each says whether money moved and what to do next."""

from typing import ClassVar, Literal

from bursar.wire.approvals import PendingApproval
from bursar.wire.problems import Problem

MoneyMoved = Literal["no", "yes", "unknown"]
Retry = Literal["never", "same_key", "new_request", "after"]


class CallFailed(Exception):
    """A call did not come to its answer. `operation` is the method that was called.

    `passing`: the same request may fare better in a moment. `settled`: no earlier attempt with its key had an effect.
    """

    operation: str
    money_moved: MoneyMoved
    retry: Retry
    next: str
    passing: bool
    settled: bool = False
    retry_after_seconds: float | None = None


class BursarProblem(CallFailed):
    """Bursar said no, or not now, and why: `problem` is its whole answer."""

    # Given before Bursar looks the key up, so they say nothing of earlier attempts with it.
    _BEFORE_THE_KEY: ClassVar[frozenset[int]] = frozenset({401, 403})

    def __init__(self, operation: str, problem: Problem, retry_after_seconds: float | None) -> None:
        """`retry_after_seconds` is what the header Retry-After asked for."""
        super().__init__(f"{operation}: {problem.code}: {problem.detail} {problem.next}")
        self.operation = operation
        self.problem = problem
        self.status = problem.status
        self.code = problem.code
        self.money_moved = problem.money_moved
        self.retry = problem.retry
        self.next = problem.next
        self.request_id = problem.request_id
        self.retry_after_seconds = retry_after_seconds
        self.passing = problem.retry == "same_key"
        self.settled = not self.passing and problem.status not in self._BEFORE_THE_KEY


class ApprovalPending(CallFailed):
    """A person must approve first: no money has moved, `pending` says until when it waits and where to look."""

    def __init__(self, operation: str, pending: PendingApproval) -> None:
        """`pending` is Bursar's whole answer."""
        super().__init__(f"{operation}: {pending.approval_id} waits for a person. {pending.next}")
        self.operation = operation
        self.pending = pending
        self.money_moved = "no"
        self.retry = "never"
        self.next = pending.next
        self.passing = False
        self.settled = True


class Unreachable(CallFailed):
    """No connection could be had; nothing was sent."""

    def __init__(self, operation: str, reason: str) -> None:
        """`reason` is the transport's."""
        self.operation = operation
        self.money_moved = "no"
        self.retry = "same_key"
        self.next = "Nothing was sent. Send the same request again when the service can be reached."
        self.passing = True
        super().__init__(f"{operation}: Bursar cannot be reached ({reason}). {self.next}")


class AnswerLost(CallFailed):
    """The request was sent and no answer of Bursar's came back: what it asked for may have happened."""

    def __init__(
        self, operation: str, reason: str, idempotency_key: str | None, *, changes: bool, passing: bool
    ) -> None:
        """`changes` is false for a call that only reads."""
        self.operation = operation
        self.idempotency_key = idempotency_key
        self.money_moved = "unknown" if changes else "no"
        self.retry = "same_key" if idempotency_key is not None or not changes else "never"
        self.next = _after_a_loss(idempotency_key, changes=changes)
        self.passing = passing
        super().__init__(f"{operation}: the answer was lost ({reason}). {self.next}")


def _after_a_loss(key: str | None, *, changes: bool) -> str:
    if not changes:
        return "It only reads: ask again."
    if key is None:
        return "It had no Idempotency-Key, so look at what is there before you send it again: it may have happened."
    return f"Send the same request with the SAME idempotency_key {key!r}: the answer then tells what happened."
