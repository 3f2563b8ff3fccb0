"""The nouns of risk: a payment, what was known before it, and an assessment. None of them holds text of an agent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

Outcome = Literal["allow", "needs_approval", "step_up", "deny"]
Feature = Literal["velocity", "new_payee", "unusual_hour", "amount_outlier", "structuring", "dormant"]

HIGHEST_SCORE = 100
# How many payments a comparison names of each kind.
EXAMPLES = 5
# How far back an agent's habits are looked for.
HABIT_DAYS = 180
# The latest payments that habits are made of, so that a look back costs the same whatever an agent has done.
MOST_HABITS = 500
# As far as payments of the moment are counted: half of the habits, so that the busiest hour of an agent who is faster
# than that is never less, and being fast is not taken for being faster than usual.
MOST_COUNTED = 250
# How many decisions of the last hour are looked at to count them: what people approved is passed over, and captures.
MOST_LOOKED_AT = 1_000


class Payment(NamedTuple):
    """A payment that an agent asks for. `at` is in UTC; `target_id` is our own id of the payee, never text.

    A hold may name no payee yet.
    """

    at: datetime
    source_id: UUID
    target_id: UUID | None
    currency: str
    amount_minor: int


class Decided(NamedTuple):
    """An earlier decision on a payment of the agent.

    `let_through` says whether money moved by it, at once or by an approval: a hold moves none, its capture does.
    `asked` is False where the request was counted before: people approved it, or it captured a hold.
    """

    payment: Payment
    let_through: bool
    asked: bool = True


class History(NamedTuple):
    """What was known before a payment.

    Habits are made only of payments that were let through, so that nobody teaches them by asking; they are those of
    the last `HABIT_DAYS` days, and of these the latest `MOST_HABITS`. The counts of the moment hold whatever was asked,
    so that being refused hides nothing; they end at `MOST_COUNTED`.
    """

    # Habits of the agent: payments, the most of them in one hour of the clock, and how many in each hour of the day.
    payments: int
    busiest_hour: int
    hours: tuple[int, ...]
    # The same in the payment's currency, and the amount that 19 of 20 of them did not exceed.
    payments_in_currency: int
    usual_most_minor: int
    # Asked by the agent in the last 60 minutes.
    last_hour: int
    # Asked by the agent in the last 24 hours, in the payment's currency, just under the threshold.
    near_threshold: int
    # When the agent first paid this payee; None if it never did.
    payee_since: datetime | None
    # When the source account last paid, whoever asked for it; None if it never did.
    source_last_at: datetime | None
    # The oldest of the habits.
    habits_since: datetime | None


NO_HISTORY = History(0, 0, (0,) * 24, 0, 0, 0, 0, None, None, None)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to the score: what was measured (None: not measurable yet), its points, and why."""

    feature: Feature
    value: int | None
    points: int
    text: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """The score of a payment under one version of the rules, and what follows; every feature has its contribution."""

    rules_version: int
    score: int
    outcome: Outcome
    contributions: Sequence[Contribution]


Move: TypeAlias = tuple[Outcome, Outcome]


@dataclass(frozen=True, slots=True)
class Change:
    """Payments whose outcome differs between two versions in the same way; `examples` are the first ones' positions."""

    old: Outcome
    new: Outcome
    payments: int
    examples: Sequence[int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What another version of the rules would have decided on the same payments; the most frequent change first."""

    payments: int
    unchanged: int
    changes: Sequence[Change]
