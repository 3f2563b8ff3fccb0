"""A breaker before each provider: when it fails again and again it is not called for a while, then tried once.

What is new is refused at once, before anything is reserved; what is under way waits and is asked about later.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from bursar.features.payments.ports import (
    Charge,
    Follow,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Payout,
    Provider,
    ProviderRefused,
    Question,
    Report,
)

Result = TypeVar("Result")

FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(seconds=30)


class State(NamedTuple):
    """So many calls in a row have failed; once they are too many, nothing is sent before `closed_until`."""

    failures: int = 0
    closed_until: datetime | None = None


def lets_through(state: State, now: datetime) -> bool:
    """Whether a call may be made."""
    return state.closed_until is None or now >= state.closed_until


def tried(state: State, now: datetime) -> State:
    """A call is being made: of a provider that was down it is the only one until it is over, or as long again."""
    return state if state.closed_until is None else state._replace(closed_until=now + OPEN_FOR)


def ended(state: State, now: datetime, *, well: bool) -> State:
    """A call is over; a refusal is an answer like any other."""
    if well:
        return State()
    failures = state.failures + 1
    return State(failures, now + OPEN_FOR if failures >= FAILURES_TO_OPEN else None)


CLOSED = State()


@dataclass(slots=True)
class Breaker:
    """What this process has seen of one provider."""

    state: State = CLOSED

    def lets_through(self, now: datetime) -> bool:
        """Whether a new call would be made now."""
        return lets_through(self.state, now)

    async def call(self, work: Callable[[], Awaitable[Result]], clock: Callable[[], datetime]) -> Result:
        """Make a call, unless none is made now; what comes of it counts."""
        if not lets_through(self.state, clock()):
            raise NotSent("the breaker is open")
        self.state = tried(self.state, clock())
        try:
            result = await work()
        except (NotSent, OutcomeUnknown, Malformed):
            self.state = ended(self.state, clock(), well=False)
            raise
        except ProviderRefused:
            self.state = ended(self.state, clock(), well=True)
            raise
        self.state = ended(self.state, clock(), well=True)
        return result


class Guarded:
    """A provider behind its breaker. Its books, which people ask for, and its events are not guarded."""

    def __init__(self, provider: Provider, breaker: Breaker, clock: Callable[[], datetime]) -> None:
        """The breaker outlives it."""
        self._provider = provider
        self._breaker = breaker
        self._clock = clock
        self.name = provider.name
        self.key_window_seconds = provider.key_window_seconds
        self.read_event = provider.read_event
        self.parse_event = provider.parse_event
        self.list_balance_transactions = provider.list_balance_transactions

    async def charge(self, order: Charge) -> Report:
        """Create and confirm a payment."""
        return await self._breaker.call(lambda: self._provider.charge(order), self._clock)

    async def follow(self, order: Follow) -> Report:
        """Capture, cancel or refund."""
        return await self._breaker.call(lambda: self._provider.follow(order), self._clock)

    async def pay_out(self, order: Payout) -> Report:
        """Pay out of the balance."""
        return await self._breaker.call(lambda: self._provider.pay_out(order), self._clock)

    async def ask(self, question: Question) -> Report | None:
        """What became of a call."""
        return await self._breaker.call(lambda: self._provider.ask(question), self._clock)
