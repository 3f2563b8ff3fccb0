"""A claim on a key, the answer pinned to it, and the refusals about keys."""

import hashlib
from functools import lru_cache
from typing import ClassVar, NamedTuple
from uuid import UUID

from bursar.kernel.ids import made_of
from bursar.kernel.refusal import Conflict, Invalid, MoneyMoved, Retry

# The first half of what takes two: nobody is answered with it, the second half is.
UNDER_WAY = 102
# Who is told to correct a request, to ask for more rights, or to come again later, may do so under the same key: it had
# no effect.
NOT_PINNED = frozenset({UNDER_WAY, 401, 403, 422, 429, 503})


class Claim(NamedTuple):
    """A caller's Idempotency-Key and the SHA-256 of what was asked with it."""

    key: str
    request_hash: bytes


class Answer(NamedTuple):
    """What goes back to the caller: HTTP status and the exact bytes; `replayed` when it is an earlier answer.

    `retry_after_seconds` goes with what is not pinned: a replay has none.
    """

    status: int
    body: bytes
    replayed: bool = False
    retry_after_seconds: int | None = None


class Pinned(NamedTuple):
    """An answer and the claim it belongs to, as stored under `pin_id`."""

    id: UUID
    principal_id: UUID
    action: str
    key: str
    request_hash: bytes
    status: int
    body: bytes
    event_id: UUID
    # Only what it was about is left of the body.
    forgotten: bool = False

    def replay_for(self, claim: Claim) -> "Answer | IdempotencyConflict | AnswerForgotten":
        """The first answer again; the refusal when something else was asked with the same key, or it is not kept."""
        if self.request_hash != claim.request_hash:
            return IdempotencyConflict()
        if self.forgotten:
            return AnswerForgotten(self.status, self.body.decode())
        return Answer(self.status, self.body, replayed=True)


class IdempotencyConflict(Invalid):
    """This Idempotency-Key was used for another request."""

    next: ClassVar[str] = "Use the key you sent that other request with only for it; make a new key for a new intent."

    @property
    def detail(self) -> str:
        """What differs."""
        return "This Idempotency-Key belongs to a request with another body. Nothing was done for this one."


class AnswerForgotten(Conflict):
    """This request was done long ago, and its answer is no longer kept."""

    # Whether the first request moved any is told by what it was about; this one did not.
    money_moved: ClassVar[MoneyMoved] = "unknown"
    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = (
        "Read what `detail` names: it tells what became of it. Do NOT send this under another key, which would be"
        " another payment."
    )

    def __init__(self, status: int, about: str) -> None:
        """How it was answered, and the id of what the answer was about, empty where there is none."""
        super().__init__(status, about)
        self.status = status
        self.about = about

    @property
    def detail(self) -> str:
        """What is known of it."""
        about = f" about {self.about}" if self.about else ""
        return (
            f"The first request with this Idempotency-Key was answered with {self.status}{about}. This one did nothing."
        )


class IdempotencyInFlight(Conflict):
    """A request with this Idempotency-Key is still being worked on."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Wait a second, then send the same request with the SAME key to get its answer."
    retry_after_seconds: ClassVar[int | None] = 1


def pin_id(principal_id: UUID, action: str, key: str) -> UUID:
    """Where an answer is pinned: the first 128 bits of a SHA-256. A key holds for one principal and one action."""
    return made_of(hashlib.sha256(f"{principal_id.hex}\0{action}\0{key}".encode()).digest()[:16])


@lru_cache(maxsize=4096)
def lock_of(tenant_id: UUID, action: str, key: str) -> int:
    """The advisory lock that requests with one key take in turn: a signed 64-bit number."""
    text = f"{tenant_id.hex}\0{action}\0{key}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], signed=True)
