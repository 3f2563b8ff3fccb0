"""A case, its notes, and from which state it may come to which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.core.identity.model import PrincipalKind
from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict, Retry

State = Literal["open", "in_progress", "resolved", "closed"]

# What is settled stays settled: whatever comes of it later is a case of its own.
LEADS_TO: Mapping[State, frozenset[State]] = {
    "open": frozenset({"in_progress", "resolved", "closed"}),
    "in_progress": frozenset({"open", "resolved", "closed"}),
    "resolved": frozenset({"closed"}),
    "closed": frozenset(),
}


class Subject(NamedTuple):
    """What a case is about: a kind in lower case, such as `payment`, and the id or name that it has there."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. Nobody need own it; without `opened_by` Bursar itself opened it."""

    id: UUID
    kind: str
    subject: Subject
    state: State
    owner_id: UUID | None
    owner: str | None
    opened_by: UUID | None
    opened_at: datetime
    changed_at: datetime
    version: int


class Note(NamedTuple):
    """What somebody wrote on a case; without an author it was Bursar itself."""

    id: UUID
    author_id: UUID | None
    author: str | None
    author_kind: PrincipalKind | None
    text: str
    noted_at: datetime


class Wanted(NamedTuple):
    """Which cases are wanted; None leaves a field open."""

    state: State | None = None
    kind: str | None = None
    owner_id: UUID | None = None
    subject: Subject | None = None


class CaseConflict(Conflict):
    """The case does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the case again with GET /v1/cases/{case_id}; what is settled is not opened again."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed."


def refuse_move(case: Case, state: State) -> None:
    """Refuse what does not lead on from where the case stands."""
    if state not in LEADS_TO[case.state]:
        raise CaseConflict(f"The case {show('case', case.id)} is {case.state.replace('_', ' ')}.")
