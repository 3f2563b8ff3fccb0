"""A claim on a key, the answer pinned to it, and the refusals about keys."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple
from uuid import UUID

from bursar.kernel.refusal import Conflict, Invalid, Retry

# The first half of what takes two: nobody is answered with it, the second half is.
UNDER_WAY = 102
# Who is told to correct a request, to ask for more rights, or to come again later, may do so under the same key: it had
# no effect.
NOT_PINNED = frozenset({UNDER_WAY, 401, 403, 422, 429, 503})


class Claim(NamedTuple):
    """A caller's Idempotency-Key and the SHA-256 of what was asked with it."""

    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Answer:
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

    def replay_for(self, claim: Claim) -> "Answer | IdempotencyConflict":
        """The first answer again, or the refusal when something else was asked with the same key."""
        if self.request_hash != claim.request_hash:
            return IdempotencyConflict()
        return Answer(self.status, self.body, replayed=True)


class IdempotencyConflict(Invalid):
    """This Idempotency-Key was used for another request."""

    next: ClassVar[str] = "Use the key you sent that other request with only for it; make a new key for a new intent."

    @property
    def detail(self) -> str:
        """What differs."""
        return "This Idempotency-Key belongs to a request with another body. Nothing was done for this one."


class IdempotencyInFlight(Conflict):
    """A request with this Idempotency-Key is still being worked on."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Wait a second, then send the same request with the SAME key to get its answer."
    retry_after_seconds: ClassVar[int | None] = 1


@lru_cache(maxsize=4096)
def pin_id(principal_id: UUID, action: str, key: str) -> UUID:
    """Where an answer is pinned: the first 128 bits of a SHA-256. A key holds for one principal and one action."""
    return UUID(bytes=hashlib.sha256(f"{principal_id.hex}\0{action}\0{key}".encode()).digest()[:16])


@lru_cache(maxsize=4096)
def lock_of(tenant_id: UUID, action: str, key: str) -> int:
    """The advisory lock that requests with one key take in turn: a signed 64-bit number."""
    text = f"{tenant_id.hex}\0{action}\0{key}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], signed=True)
