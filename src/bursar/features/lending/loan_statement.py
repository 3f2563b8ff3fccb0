"""A loan's statement: what the facts of a period and the days between them did to what is owed, as it is known now."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from bursar.features.lending.events import Event
from bursar.features.lending.postings import Flows
from bursar.features.lending.product import Terms
from bursar.features.lending.replay import Step, steps

_DAY = timedelta(days=1)


class Owed(NamedTuple):
    """Minor units on the books; `credit` came and is not used yet, `recovered` came for what was off the books."""

    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0
    credit: int = 0
    recovered: int = 0

    @property
    def balance(self) -> int:
        """What the books say is owed, less the credit."""
        return self.principal + self.interest + self.fees + self.penalties - self.credit

    def less(self, other: "Owed") -> "Owed":
        """The difference of each part."""
        return Owed(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Line(NamedTuple):
    """A fact, or the days since the line before (`seq` 0): how each part changed, and what is owed after it."""

    on: date
    seq: int
    event: Event | None
    is_undone: bool
    change: Owed
    after: Owed


class Statement(NamedTuple):
    """A period of a loan, both days included: what was owed before the first, each line, what is owed after the last.

    The closing of one period is the opening of the next.
    """

    first: date
    last: date
    opening: Owed
    lines: Sequence[Line]
    closing: Owed


def statement_of(terms: Terms, events: Iterable[Event], first: date, last: date) -> Statement:
    """The statement of a period. `last` is not after the day to which the loan has come."""
    opening, lines = Owed(), list[Line]()
    for line in lines_of(terms, events, last, first - _DAY):
        if line.on < first:
            opening = line.after
        else:
            lines.append(line)
    return Statement(first, last, opening, lines, lines[-1].after if lines else opening)


def lines_of(terms: Terms, events: Iterable[Event], until: date, halt: date | None = None) -> list[Line]:
    """Every line of a loan up to a day, one of them ending at `halt`. Days that changed nothing have none."""
    walked = list(steps(terms, events, until, halt))
    return [_line(step) for step in walked if step.event or owed_of(step.before.flows) != owed_of(step.after.flows)]


def _line(step: Step) -> Line:
    before, after = owed_of(step.before.flows), owed_of(step.after.flows)
    seq = step.event.seq if step.event else 0
    return Line(step.after.day, seq, step.event, step.is_undone, after.less(before), after)


def owed_of(flows: Flows) -> Owed:
    """What is owed, by part."""
    return Owed(flows.principal, flows.interest, flows.fees, flows.penalties, flows.credit, flows.recovered)
