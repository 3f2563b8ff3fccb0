"""What can go wrong with a database, as the refusals and failures it means to those above."""

from typing import ClassVar

import asyncpg

from bursar.kernel.refusal import Conflict, MoneyMoved, Retry, Unavailable

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used after the server has said goodbye and before the socket closes
    OSError,
)
RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
REFUSES_WORK = (
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # shutting down, starting up, crash of another backend
    asyncpg.QueryCanceledError,
)
MayNot = asyncpg.InsufficientPrivilegeError


class UpstreamUnavailable(Unavailable):
    """The database cannot be reached or cannot take work now."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was changed. Send the same request with the same Idempotency-Key in a moment."
    retry_after_seconds: ClassVar[int | None] = 1


class OutcomeUnknown(Unavailable):
    """The connection was lost while committing; whether it took effect is not known yet."""

    money_moved: ClassVar[MoneyMoved] = "unknown"
    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Send the same request with the SAME Idempotency-Key: the answer then tells what happened."
    retry_after_seconds: ClassVar[int | None] = 2


class Busy(Conflict):
    """Another request holds what this one needs."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Nothing was changed. Send the same request with the same Idempotency-Key in a moment."
    retry_after_seconds: ClassVar[int | None] = 1

    def __init__(self, *, at_start: bool = False) -> None:
        """`at_start`: it was one of the advisory locks the transaction was to begin with."""
        super().__init__(at_start)
        self.at_start = at_start


class NotDurable(Exception):
    """The server would acknowledge commits that a crash can lose; Bursar does not serve on it."""


class CannotConnect(Exception):
    """There is no way to the database with this URL; the message says what the server or the network said."""


class CommitLost(Exception):
    """The connection broke between sending COMMIT and its answer; ask `Database.fate_of` what became of it."""

    def __init__(self, token: int) -> None:
        """`token` is the advisory lock the transaction holds until it ends."""
        super().__init__(token)
        self.token = token


def translated(error: BaseException) -> BaseException:
    """A driver's error as the refusal it means; a bug (wrong SQL, wrong argument) stays what it is."""
    match error:
        case asyncpg.LockNotAvailableError():
            return Busy()
        case asyncpg.DataError():
            return error
        case _ if isinstance(error, (*LOST, *REFUSES_WORK, TimeoutError)):
            return UpstreamUnavailable()
        case _:
            return error
