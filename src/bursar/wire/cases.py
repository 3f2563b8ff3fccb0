"""Cases on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Time, Told

WORD_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"

CaseState = Literal["open", "in_progress", "resolved", "closed"]
CaseKind = Annotated[
    str, Field(pattern=WORD_PATTERN, examples=["unknown_outcome"], description="What kind of thing went wrong.")
]
SubjectKind = Annotated[str, Field(pattern=WORD_PATTERN, examples=["payment"])]
SubjectId = Annotated[
    str, Field(min_length=1, max_length=200, examples=["pay_0190"], description="The subject's id or name there.")
]
NoteText = Annotated[str, Field(min_length=1, max_length=2000, examples=["The bank will answer by Friday."])]
OwnerRef = Annotated[
    str, Field(min_length=1, max_length=64, examples=["olivia"], description="A principal's name or id.")
]


class OpenCase(Asked):
    """Something for a person to look at; a subject has one unsettled case of a kind."""

    kind: CaseKind
    subject_kind: SubjectKind
    subject_id: SubjectId
    owner: OwnerRef | None = None
    note: NoteText | None = None


class AssignCase(Asked):
    """Who owns the case from now on; null for nobody."""

    owner: OwnerRef | None


class AddCaseNote(Asked):
    """What to append."""

    text: NoteText


class ChangeCaseState(Asked):
    """Where the case stands from now on, and why."""

    state: CaseState
    note: NoteText | None = None


class CaseSubject(Told):
    """What a case is about."""

    kind: str
    id: str


class CaseOwner(Told):
    """A principal who owns a case."""

    id: str
    name: str


class Case(Told):
    """A case as it stands; `version` counts its changes. Without `opened_by` Bursar itself opened it."""

    id: str
    kind: str
    subject: CaseSubject
    state: CaseState
    owner: CaseOwner | None
    opened_by: str | None
    opened_at: Time
    changed_at: Time
    version: int


class CaseAuthor(Told):
    """Who wrote a note: a principal, or Bursar itself (then only `kind` is set)."""

    kind: Literal["agent", "operator", "service", "system"]
    id: str | None
    name: str | None


class CaseNote(Told):
    """A note; `text` is the words of its author, and no rule reads it."""

    id: str
    author: CaseAuthor
    text: str
    noted_at: Time
