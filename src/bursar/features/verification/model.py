"""An invariant and what was found against it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bursar.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Invariant:
    """A claim, and the query that returns the rows that break it."""

    name: str
    claim: str
    sql: str


class Looked(Protocol):
    """A batch of what a replay has looked at: how many, and a row of JSON for each that differs."""

    @property
    def looked_at(self) -> int:
        """How many."""
        ...

    @property
    def different(self) -> Sequence[str]:
        """Those that differ."""
        ...


@dataclass(frozen=True, slots=True)
class Replay:
    """A claim that no query can ask: something is made again from its facts, batch by batch."""

    name: str
    claim: str
    kind: str
    batches: Callable[[Tx], AsyncIterator[Looked]]


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks an invariant; `row` is the query's row as JSON."""

    invariant: str
    claim: str
    row: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """The row's columns: they differ from invariant to invariant, hence Any."""
        return json.loads(self.row)

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.invariant} {self.claim}: {self.row}"


def read_invariants(text: str) -> Iterator[Invariant]:
    """The invariants of an SQL file: `-- name: I01 claim`, then one statement that ends in a semicolon."""
    for part in text.split("-- name: ")[1:]:
        heading, sql = part.split("\n", 1)
        name, claim = heading.split(" ", 1)
        yield Invariant(name, claim, sql.strip().removesuffix(";"))
