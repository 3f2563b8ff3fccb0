"""The orders in which the statements of two pieces of work are played: some, all, and which of them are alike."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.core.authority.stepping import Choose, Step


class Abandoned(Exception):
    """Raised by a choice: another order comes to the same as this one."""


class _Node(NamedTuple):
    """A place where somebody goes on: who could, who need not be tried, whom the play went on with."""

    ready: Sequence[Step]
    asleep: frozenset[Step]
    tried: tuple[int, ...]


def preemptions() -> Iterator[Choose]:
    """One goes on alone for 0, 1, 2, … statements, the other as far as it comes, then whoever can."""
    for first in (0, 1):
        seen: list[int] = [0]
        for alone in itertools.count():
            yield _preempting(first, alone, seen)
            if alone > max(seen):
                break


def _preempting(first: int, alone: int, seen: list[int]) -> Choose:
    def choose(ready: Sequence[Step]) -> int:
        seen.extend(step.number for step in ready if step.lane == first)
        wanted = [n for n, step in enumerate(ready) if step.lane == first and step.number < alone]
        others = [n for n, step in enumerate(ready) if step.lane != first]
        return (wanted or others or [0])[0]

    return choose


@dataclass(slots=True)
class Exploration:
    """Every order of the statements, but for those that differ only in what commutes (sleep sets)."""

    path: list[_Node] = field(default_factory=list[_Node])

    def orders(self) -> Iterator[Choose]:
        """One choice after the other until all are tried; each must be played before the next is asked for."""
        while True:
            depth = 0

            def choose(ready: Sequence[Step]) -> int:
                nonlocal depth
                if depth == len(self.path):
                    self.path.append(self._node(ready))
                node = self.path[depth]
                assert list(node.ready) == list(ready), "the same beginning came to something else"
                depth += 1
                return node.tried[-1]

            yield choose
            while self.path and not self._advance():
                self.path.pop()
            if not self.path:
                return

    def _node(self, ready: Sequence[Step]) -> _Node:
        asleep = self._asleep()
        awake = [n for n, step in enumerate(ready) if step not in asleep]
        if not awake:
            raise Abandoned
        return _Node(tuple(ready), asleep, (awake[0],))

    def _asleep(self) -> frozenset[Step]:
        """What was tried before from here or above, and commutes with all that was done since."""
        if not self.path:
            return frozenset()
        last = self.path[-1]
        done = last.ready[last.tried[-1]]
        before = {last.ready[n] for n in last.tried[:-1]} | last.asleep
        return frozenset(step for step in before if step.commutes(done))

    def _advance(self) -> bool:
        last = self.path[-1]
        left = [n for n, step in enumerate(last.ready) if n not in last.tried and step not in last.asleep]
        if not left:
            return False
        self.path[-1] = last._replace(tried=(*last.tried, left[0]))
        return True


def normal_form(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """One form for all orders that differ only in what commutes (Foata): layers of steps that commute."""
    layers: list[list[Step]] = []
    for step in steps:
        at = len(layers)
        while at and all(step.commutes(other) for other in layers[at - 1]):
            at -= 1
        if at == len(layers):
            layers.append([])
        layers[at].append(step)
    return tuple(tuple(sorted(layer)) for layer in layers)
