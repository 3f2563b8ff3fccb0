"""Lets a flood of one agent starve nobody: while others are at work, each agent's key goes on at a bounded pace."""

import math
from collections import OrderedDict
from typing import ClassVar
from uuid import UUID

from bursar.core.identity.model import Credential
from bursar.kernel.refusal import Retry, TooMany

# How long another tenant counts as at work after its last request, and how long a request waits for its turn at most.
_SECONDS_AT_WORK = 1.0
_LONGEST_WAIT = 1.0
# What comes together after a pause goes on together: so much of a second's worth.
_BURST = 0.1
_MOST_CALLERS = 10_000


class RateLimited(TooMany):
    """This key sends more requests than its share while others are at work."""

    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Wait as long as Retry-After says, then send the same request with the same Idempotency-Key."
    retry_after_seconds: ClassVar[int | None] = 1

    def __init__(self, per_second: float) -> None:
        """How many requests a second there are for this key."""
        super().__init__(per_second)
        self.per_second = per_second

    @property
    def detail(self) -> str:
        """The limit."""
        return (
            f"While other tenants are at work this key has {self.per_second:g} requests a second, and more than a"
            " second's worth waits already. This one was not looked at; no money moved by it."
        )


class Turnstile:
    """When a request may go on. A caller whose tenant is alone is never kept waiting, nor is a person or a service.

    A caller is a whole credential, secret included: nobody without the secret can use up another's share.
    """

    def __init__(self, per_second: float) -> None:
        """`per_second` is each agent's key's share while others are at work; 0 is no limit."""
        self._per_second = per_second
        self._free_at: OrderedDict[Credential, float] = OrderedDict()
        # Who came last and when; and when somebody of another tenant than that came last.
        self._latest: tuple[UUID | None, float] = (None, -math.inf)
        self._other_at = -math.inf

    def seconds_until_turn(self, caller: Credential, now: float, *, is_agent: bool = True) -> float:
        """How long a request that comes now has to wait, its turn being taken; raises RateLimited."""
        beside_others = self._sees_others(caller.tenant_id, now)
        if not (self._per_second and is_agent and beside_others):
            return 0.0
        free_at = max(self._free_at.get(caller, 0.0), now - _BURST)
        if free_at - now > _LONGEST_WAIT:
            raise RateLimited(self._per_second)
        self._free_at[caller] = free_at + 1 / self._per_second
        self._free_at.move_to_end(caller)
        if len(self._free_at) > _MOST_CALLERS:
            self._free_at.popitem(last=False)
        return max(free_at - now, 0.0)

    def _sees_others(self, tenant_id: UUID, now: float) -> bool:
        """Note who comes; whether somebody of another tenant came a moment ago."""
        if self._latest[0] != tenant_id:
            self._other_at = self._latest[1]
        self._latest = (tenant_id, now)
        return now - self._other_at <= _SECONDS_AT_WORK
