"""Risk as authority asks about it: questions go down to whoever assesses, who lives a floor above and is handed in."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.facts import Risk
from bursar.core.authority.mandate import Mandate
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx


class Question(NamedTuple):
    """A payment that an agent asks for, as risk rules see it: ids, numbers, a time. No text of the agent's is in it."""

    agent_id: UUID
    at: datetime
    source_id: UUID
    # None for a hold that names nobody yet.
    target_id: UUID | None
    currency: str
    amount_minor: int
    # The most that needs no person's approval under the agent's mandates; None where no amount needs one.
    auto_max_minor: int | None
    # A capture asks for nothing new: its hold was counted.
    is_new: bool


class Assessed(NamedTuple):
    """What the rules say (None: there are none in force), and what is kept of it with the decision.

    `shadow` says in a word or two what rules on trial say beside those in force; see the column of that name.
    """

    risk: Risk | None
    kept: Json
    shadow: str | None


NOT_ASSESSED = Assessed(None, None, None)

# Asked order by order, with what the same agent asked earlier in the batch: pure, so that a trial changes nothing.
Scorer: TypeAlias = Callable[[Question, Sequence[Question]], Assessed]
# Called once a batch, every row locked: here it reads what it needs to know of everything that may be asked. None where
# there are no rules; then the questions are not even made.
Assess: TypeAlias = Callable[[Tx, Callable[[], Sequence[Question]]], Awaitable[Scorer | None]]


async def unassessed(_: Tx, __: Callable[[], Sequence[Question]]) -> None:
    """For a service without risk rules: nothing is known, and a mandate that asks for a score asks a person."""


def auto_max_of(chain: Sequence[Mandate], currency: str) -> int | None:
    """The most that goes through without a person: the least that any mandate says, by its cap or an approval rule."""
    said: list[int] = []
    for terms in (mandate.terms for mandate in chain):
        cap = terms.caps.get(currency) if terms.caps else None
        said += [cap.auto_max_minor] if cap and cap.auto_max_minor < cap.max_minor else []
        said += [over for rule in terms.approvals if (over := rule.when.amount_over_minor.get(currency)) is not None]
    return min(said, default=None)
